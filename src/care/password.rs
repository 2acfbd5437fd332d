//! Passwords: hashed with Argon2id on threads of their own, a few at once, and compared so that a name that does not exist
//! takes as long as one that does. Keeps no password.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// What a name that does not exist is held against. No password fits: its hash is of one that nobody knows.
const DECOY: &str = "$argon2id$v=19$m=19456,t=2,p=1$cGF5Z2F0ZSBkZWNveS4uLg$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
/// Characters of a password at most: more would only be work for us.
pub(crate) const LONGEST: usize = 256;

/// A bounded number of hashes at once.
#[derive(Clone, Debug)]
pub(super) struct Hashing {
    places: Arc<Semaphore>,
    wait: Duration,
}

/// Too many logins at once.
#[derive(Debug)]
pub(super) struct Crowded;

impl Hashing {
    pub(super) fn new(at_once: usize, wait: Duration) -> Self {
        Self { places: Arc::new(Semaphore::new(at_once)), wait }
    }

    /// Whether the password is the one that was hashed. `None` is somebody who does not exist, whose password is never right.
    pub(super) async fn is_right(&self, password: SecretString, hashed: Option<String>) -> Result<bool, Crowded> {
        let place = tokio::time::timeout(self.wait, Arc::clone(&self.places).acquire_owned()).await;
        let Ok(Ok(place)) = place else { return Err(Crowded) };
        let compared = tokio::task::spawn_blocking(move || {
            let right = verify(&password, hashed.as_deref().unwrap_or(DECOY));
            drop(place);
            right && hashed.is_some()
        });
        // A hash that cannot be computed proves nothing.
        Ok(compared.await.unwrap_or(false))
    }
}

fn verify(password: &SecretString, hashed: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hashed) else { return false };
    Argon2::default().verify_password(password.expose_secret().as_bytes(), &hash).is_ok()
}

/// The hash of a new password under a salt of its own, as a PHC string. Takes some 20 ms and 19 MiB; for the command line,
/// which makes one at a time.
///
/// # Errors
/// A sentence on what is wrong with the password.
pub(crate) fn hash(password: &SecretString, at_least: usize) -> Result<String, String> {
    let characters = password.expose_secret().chars().count();
    if characters < at_least {
        return Err(format!("the password has {characters} characters; [care] password_min asks for {at_least}"));
    }
    if characters > LONGEST {
        return Err(format!("the password has {characters} characters; {LONGEST} are enough"));
    }
    let hash = Argon2::default().hash_password(password.expose_secret().as_bytes());
    hash.map(|hash| hash.to_string()).map_err(|error| format!("the password cannot be hashed ({error})"))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[tokio::test]
    async fn only_the_password_that_was_hashed_is_right_and_none_is_for_nobody() {
        let hashing = Hashing::new(1, Duration::from_secs(60));
        let hashed = hash(&"correct horse".into(), 12).unwrap();
        assert!(hashed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hashed}");
        assert!(hashing.is_right("correct horse".into(), Some(hashed.clone())).await.unwrap());
        assert!(!hashing.is_right("correct hoarse".into(), Some(hashed)).await.unwrap());
        assert!(!hashing.is_right("correct horse".into(), None).await.unwrap());
    }

    #[test]
    fn nobodys_password_costs_as_much_as_anybodys() {
        let decoy = PasswordHash::new(DECOY).unwrap();
        let real = hash(&"correct horse".into(), 12).unwrap();
        let real = PasswordHash::new(&real).unwrap();
        assert_eq!((decoy.algorithm, decoy.params.to_string()), (real.algorithm, real.params.to_string()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_login_that_finds_no_place_is_told_so() {
        let hashing = Hashing::new(1, Duration::from_secs(1));
        let _busy = hashing.places.acquire().await.unwrap();
        assert!(hashing.is_right("correct horse".into(), None).await.is_err());
    }

    #[test]
    fn a_password_is_neither_short_nor_endless() {
        assert!(hash(&"short".into(), 12).unwrap_err().contains("12"));
        assert!(hash(&"x".repeat(LONGEST + 1).into(), 12).is_err());
    }
}
