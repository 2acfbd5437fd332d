//! What one message of a subscriber means, given what is open for that subscriber.
