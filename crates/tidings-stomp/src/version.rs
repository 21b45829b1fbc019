//! Protocol versions and their negotiation.

use std::fmt;

use thiserror::Error;

/// A version of STOMP; a later one is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// STOMP 1.0: no escapes, no heart-beats, LF only.
    V1_0,
    /// STOMP 1.1: escapes of LF, colon and backslash; heart-beats; NACK.
    V1_1,
    /// STOMP 1.2: CR LF allowed, CR escaped, ACK by the `ack` header of the MESSAGE.
    V1_2,
}

impl Version {
    /// Every version, oldest first.
    pub const ALL: [Self; 3] = [Self::V1_0, Self::V1_1, Self::V1_2];

    /// The value of a `version` header that offers every version.
    pub const ALL_AS_LIST: &'static str = "1.0,1.1,1.2";

    /// The version as headers name it: `1.0`, `1.1` or `1.2`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1_0 => "1.0",
            Self::V1_1 => "1.1",
            Self::V1_2 => "1.2",
        }
    }

    /// The version that a header value names, if we speak it.
    pub fn parse(value: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|version| version.as_str() == value)
    }

    /// The highest version that both sides speak, from the `accept-version` of CONNECT. Without that header the client
    /// speaks 1.0 (STOMP 1.2, "Protocol Negotiation"). The order of the list says nothing; versions we don't know and
    /// spaces around the commas are passed over.
    ///
    /// # Errors
    ///
    /// When the list names no version that we speak.
    pub fn negotiate(accept_version: Option<&str>) -> Result<Self, VersionError> {
        let Some(list) = accept_version else {
            return Ok(Self::V1_0);
        };
        list.split(',')
            .filter_map(|item| Self::parse(item.trim()))
            .max()
            .ok_or(VersionError)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The peer speaks no version that we speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("no common version; speak one of {}", Version::ALL_AS_LIST)]
pub struct VersionError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn highest_common_version_is_chosen_whatever_the_order() {
        for (list, version) in [
            (None, Ok(Version::V1_0)),
            (Some("1.0"), Ok(Version::V1_0)),
            (Some("1.2,1.0"), Ok(Version::V1_2)),
            (Some("1.0,1.1"), Ok(Version::V1_1)),
            (Some("1.1, 1.0 ,3.7"), Ok(Version::V1_1)),
            (Some("2.0"), Err(VersionError)),
            (Some(""), Err(VersionError)),
            (Some("1.20"), Err(VersionError)),
        ] {
            assert_eq!(Version::negotiate(list), version, "{list:?}");
        }
    }
}
