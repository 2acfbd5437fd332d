//! Fixed identities of the records that operators act on (systemd's `MESSAGE_ID=`, 128 bits as 32 hex digits).
//! `systemd/paygate.catalog` explains each; they never change, whatever happens to the wording.

/// READY: every door is open.
pub const STARTED: &str = "b7ec77333b564f0ca640af49626e7961";
/// A stop was asked for; what is under way is being finished.
pub const STOPPING: &str = "61ff0c3622be488e8283884e5e0dc038";
pub const SMSC_BOUND: &str = "98cd39fc063d4809bc578c6d96aeefbc";
/// A link is gone; paygate binds again by itself.
pub const SMSC_LOST: &str = "d194aa049b1e45f3a729fd84014945d2";
/// paygate is logged in at a USSD gateway that it connects to.
pub const USSD_UP: &str = "0d7c4a1e93f64b0fb6b3f2c1a85e7d19";
/// The socket to a USSD gateway is gone; paygate connects again by itself.
pub const USSD_LOST: &str = "5e21c9b07d4a4f0e8c6f3ab9d2704c85";
/// A charge may or may not have moved money; it is being inquired about.
pub const CHARGE_UNKNOWN: &str = "3abb3a95b9f94357be31997dc5fa24fa";
pub const GRANT_UNKNOWN: &str = "8a1d8c5a4f55487e91df54aa19165fe3";
/// A purchase needs a person.
pub const REVIEW: &str = "de16577f05114ae190f3bdd668a0ca1b";
pub const REFUND_ISSUED: &str = "f299a91dc5e54c818dbc92db2a8e8f88";
/// Keys fall through to the journal until Redis is back.
pub const REDIS_LOST: &str = "a80565060841417292938ce5771b5009";
/// Nothing can be made safe; peers are told to send again.
pub const STORE_DOWN: &str = "71851d78798a4ca98b74a06da279489e";
/// A constraint of the store refused a step: a rule of paygate's own failed. Nothing was let out.
pub const STEP_REFUSED: &str = "e6e246bcf0754a9d94f3a759669dca51";

/// Money was taken that nothing stood for: after a purchase was given up, or a second time.
pub const EXTRA_CHARGE: &str = "a3f5d190c7a140af8f8391208d486df6";
/// The same package was charged twice to one subscriber in a short time; both may be wanted.
pub const SURPLUS: &str = "26bcd36e7236400f90fb1fa7a7bdd603";
/// An operator lets no new charge begin on a channel.
pub const CHANNEL_FROZEN: &str = "6c8fdecc9c93458fbf87e9c442f892f5";
pub const CHANNEL_THAWED: &str = "29ae42ea838c4c7f95f6ec38fc9a72fc";
/// A person has said what became of a purchase in review.
pub const RESOLVED: &str = "a360923402be48a0b09a1be00bf542db";
/// A peer refuses our own configuration or credentials: nothing can be bought there.
pub const WE_ARE_REFUSED: &str = "f1301366bc514d3c8dbba50bec399121";
/// The key store has seen a send that the journal does not have: the journal has lost commits.
pub const JOURNAL_BEHIND: &str = "f4fc4724f4f048b9b2fb03d852a6c531";
/// A partner told of a payment under an id that stands for another one.
pub const PAYMENT_CONFLICT: &str = "3e03234e72f645fb996b06bcd4396d3d";
/// Redis may forget keys before their time.
pub const KEYS_EVICTABLE: &str = "4ac1b65f9e6f499d93fdc323de4075f0";
/// The journal's clock leapt.
pub const CLOCK_SET: &str = "8f92d5e00e994ac4a435a6a1574c2a63";

/// Something is worse than its bound in `[alarms]`.
pub const ALARM: &str = "0d8e5b3f9c7a4d62b1f4a6e2c95d7083";

/// All of them by name, for the catalogue's test.
pub const ALL: [(&str, &str); 24] = [
    ("alarm", ALARM),
    ("started", STARTED),
    ("stopping", STOPPING),
    ("smsc-bound", SMSC_BOUND),
    ("smsc-lost", SMSC_LOST),
    ("ussd-up", USSD_UP),
    ("ussd-lost", USSD_LOST),
    ("charge-unknown", CHARGE_UNKNOWN),
    ("grant-unknown", GRANT_UNKNOWN),
    ("review", REVIEW),
    ("refund-issued", REFUND_ISSUED),
    ("redis-lost", REDIS_LOST),
    ("store-down", STORE_DOWN),
    ("step-refused", STEP_REFUSED),
    ("extra-charge", EXTRA_CHARGE),
    ("surplus", SURPLUS),
    ("channel-frozen", CHANNEL_FROZEN),
    ("channel-thawed", CHANNEL_THAWED),
    ("resolved", RESOLVED),
    ("we-are-refused", WE_ARE_REFUSED),
    ("journal-behind", JOURNAL_BEHIND),
    ("payment-conflict", PAYMENT_CONFLICT),
    ("keys-evictable", KEYS_EVICTABLE),
    ("clock-set", CLOCK_SET),
];
