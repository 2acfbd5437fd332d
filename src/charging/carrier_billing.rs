//! CAMARA Carrier Billing 0.5: requests and answers of that dialect, and nothing else.
