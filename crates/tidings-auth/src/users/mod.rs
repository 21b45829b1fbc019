//! Users with passcodes, from a file with a line for each:
//!
//! ```text
//! # name:hash:roles
//! ann:$argon2id$v=19$m=19456,t=2,p=1$...:staff,admin
//! ```
//!
//! [`hash`] makes the hashes. A check takes some tens of milliseconds on purpose: it is for a thread that holds nobody
//! up.

mod file;
mod passcode;

use std::collections::HashMap;
use std::fmt;

use tidings_core::security::Principal;

pub use file::{LineError, MAX_FILE_BYTES, MAX_LINE_BYTES, MAX_USERS, UsersError};
use passcode::Hash;
pub use passcode::{HashError, MAX_LANES, MAX_MEMORY_KIB, MAX_PASSCODE_BYTES, MAX_PASSES, hash};

/// The users of a file. `Debug` shows how many there are.
pub struct Users {
    by_name: HashMap<Box<str>, User>,
    /// What the passcode of an unknown name is compared with.
    dummy: Hash,
}

struct User {
    hash: Hash,
    roles: Vec<Box<str>>,
}

impl Users {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// The first line that is wrong, or the file is larger than [`MAX_FILE_BYTES`].
    pub fn parse(text: &str) -> Result<Self, UsersError> {
        let by_name = file::read(text)?;
        let hashes = by_name.values().map(|user| &user.hash);
        let dummy = Hash::dummy_like(hashes.max_by_key(|hash| hash.cost()));
        Ok(Self { by_name, dummy })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.by_name.len()
    }

    /// The user of this name, if the passcode is the right one. An unknown name takes as long as a wrong passcode, where
    /// all hashes of the file cost the same; else as the costliest. A passcode longer than [`MAX_PASSCODE_BYTES`] is
    /// wrong, unhashed.
    pub fn verify(&self, name: &str, passcode: &str) -> Option<Principal> {
        if passcode.len() > MAX_PASSCODE_BYTES {
            return None;
        }
        let user = self.by_name.get(name);
        let hash = user.map_or(&self.dummy, |user| &user.hash);
        let is_right = hash.is_of(passcode);
        user.filter(|_| is_right)
            .map(|user| Principal::user(name).with_roles(user.roles.iter().cloned()))
    }
}

impl fmt::Debug for Users {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Users")
            .field("count", &self.count())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, parameters: &str) -> String {
        format!(
            "{name}:$argon2id$v=19${parameters}$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
        )
    }

    #[test]
    fn an_unknown_name_is_hashed_like_the_costliest_user_of_the_file() {
        let file = line("ann", "m=64,t=3,p=2") + &line("bob", "m=64,t=2,p=1");
        let users = Users::parse(&file).expect("a good file");
        assert_eq!(users.dummy.cost(), users.by_name["ann"].hash.cost());
        let nobody = Users::parse("").expect("a good file");
        assert_eq!(nobody.dummy.cost(), 19_456 * 2);
        assert_eq!(nobody.verify("ann", ""), None);
    }
}
