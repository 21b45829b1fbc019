//! Hashes of passcodes: Argon2id (RFC 9106) in PHC strings.

use std::str::FromStr;

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, PasswordHash, Version};

/// The most bytes of a passcode: beyond it hashing would begin to cost what the client likes.
pub const MAX_PASSCODE_BYTES: usize = 1024;

/// The most memory that a check may take, in KiB: 64 MiB, and as much for each that runs at the same time.
pub const MAX_MEMORY_KIB: u32 = 64 * 1024;

/// The most passes over it.
pub const MAX_PASSES: u32 = 16;

/// The most lanes; they run one after the other here.
pub const MAX_LANES: u32 = 16;

/// OWASP's parameters for Argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// The version of Argon2 of RFC 9106; the one before it is weaker.
const VERSION: u32 = 0x13;

/// A hash with its salt and parameters, which are within the limits.
pub(super) struct Hash(PasswordHash);

/// Why a hash is not taken, or can't be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HashError {
    /// No PHC string, or one without salt or hash.
    #[error("the hash is no PHC string ($argon2id$v=19$...); `tidings hash` makes one")]
    NoPhc,
    /// Another function than Argon2id, version 19.
    #[error("the hash is not of Argon2id, version 19; `tidings hash` makes one")]
    OtherFunction,
    /// Checking it would take too much.
    #[error(
        "the hash asks for m={memory_kib}, t={passes}, p={lanes}, and m may be at most {MAX_MEMORY_KIB} (KiB), t {MAX_PASSES}, p {MAX_LANES}"
    )]
    TooCostly {
        /// Its memory, in KiB.
        memory_kib: u32,
        /// Its passes.
        passes: u32,
        /// Its lanes.
        lanes: u32,
    },
    /// No user could log in with it.
    #[error("the passcode has {bytes} bytes; it may have 1 to {MAX_PASSCODE_BYTES}")]
    PasscodeLength {
        /// Its bytes.
        bytes: usize,
    },
    /// There was no randomness, or no memory.
    #[error("the passcode could not be hashed; the system gave no random numbers or no memory")]
    Failed,
}

/// Hashes a passcode with a random salt, for a users file: Argon2id with 19 MiB, two passes and one lane, as OWASP has it.
///
/// # Errors
/// The passcode is empty or longer than [`MAX_PASSCODE_BYTES`], or the system gives no random numbers.
pub fn hash(passcode: &str) -> Result<String, HashError> {
    if passcode.is_empty() || passcode.len() > MAX_PASSCODE_BYTES {
        return Err(HashError::PasscodeLength {
            bytes: passcode.len(),
        });
    }
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| HashError::Failed)?;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password(passcode.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|_| HashError::Failed)
}

impl FromStr for Hash {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Self, HashError> {
        let hash = PasswordHash::new(text).map_err(|_| HashError::NoPhc)?;
        if hash.algorithm != argon2::ARGON2ID_IDENT || hash.version != Some(VERSION) {
            return Err(HashError::OtherFunction);
        }
        if hash.salt.is_none() || hash.hash.is_none() {
            return Err(HashError::NoPhc);
        }
        let params = Params::try_from(&hash).map_err(|_| HashError::NoPhc)?;
        let (memory_kib, passes, lanes) = (params.m_cost(), params.t_cost(), params.p_cost());
        if memory_kib > MAX_MEMORY_KIB || passes > MAX_PASSES || lanes > MAX_LANES {
            return Err(HashError::TooCostly {
                memory_kib,
                passes,
                lanes,
            });
        }
        Ok(Self(hash))
    }
}

impl Hash {
    /// A hash of no passcode that costs what the other does, or what those of [`hash`] do.
    pub(super) fn dummy_like(other: Option<&Self>) -> Self {
        const OF_NOTHING: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGF0IGFsbA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let nobody: Self = OF_NOTHING
            .parse()
            .expect("a PHC string within the limits, see the tests");
        match other {
            None => nobody,
            Some(other) => Self(PasswordHash {
                params: other.0.params.clone(),
                ..nobody.0
            }),
        }
    }

    /// Blocks of memory that a check fills.
    pub(super) fn cost(&self) -> u64 {
        Params::try_from(&self.0).map_or(0, |params| {
            u64::from(params.m_cost()) * u64::from(params.t_cost())
        })
    }

    /// Whether it is the hash of the passcode. Compared in constant time.
    pub(super) fn is_of(&self, passcode: &str) -> bool {
        Argon2::default()
            .verify_password(passcode.as_bytes(), &self.0)
            .is_ok()
    }
}
