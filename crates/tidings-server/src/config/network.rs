//! Networks of addresses.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// An address, or all that begin with the same bits: `10.0.0.0/8`, `2001:db8::/32` (RFC 4632, section 3.1; RFC 4291,
/// section 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    /// How many bits are the same.
    prefix: u8,
}

/// Why a text names no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error(
    "no network: write an address, or its first one and how many bits all have in common, as in 10.0.0.0/8"
)]
pub struct NetworkError;

impl Network {
    /// Whether `address` is in it. One of version 4 in the clothes of version 6 (`::ffff:10.0.0.1`) is one of version 4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let differing = own.to_bits() ^ other.to_bits();
                differing.leading_zeros() >= u32::from(self.prefix)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let differing = own.to_bits() ^ other.to_bits();
                differing.leading_zeros() >= u32::from(self.prefix)
            }
            _ => false,
        }
    }

    /// Whether only the first `prefix` bits are set: else it is unclear which network was meant.
    fn is_first(&self) -> bool {
        let (zeros, bits) = match self.address {
            IpAddr::V4(address) => (address.to_bits().trailing_zeros(), 32),
            IpAddr::V6(address) => (address.to_bits().trailing_zeros(), 128),
        };
        u32::from(self.prefix) <= bits && zeros >= bits - u32::from(self.prefix)
    }
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        let address = address.to_canonical();
        let prefix = if address.is_ipv4() { 32 } else { 128 };
        Self { address, prefix }
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let Some((address, prefix)) = text.split_once('/') else {
            return text
                .parse::<IpAddr>()
                .map(Self::from)
                .map_err(|_| NetworkError);
        };
        let is_plain = prefix.bytes().all(|byte| byte.is_ascii_digit());
        let network = Self {
            address: address.parse().map_err(|_| NetworkError)?,
            prefix: prefix.parse().map_err(|_| NetworkError)?,
        };
        (is_plain && network.is_first())
            .then_some(network)
            .ok_or(NetworkError)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::from(self.address) {
            self.address.fmt(formatter)
        } else {
            write!(formatter, "{}/{}", self.address, self.prefix)
        }
    }
}

/// Whether one of `networks` has `address`.
pub(crate) fn is_trusted(networks: &[Network], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_written_as_it_is_read() {
        for text in [
            "10.0.0.0/8",
            "0.0.0.0/0",
            "192.0.2.1",
            "2001:db8::/32",
            "::1",
            "::/0",
        ] {
            let network: Network = text.parse().expect(text);
            assert_eq!(network.to_string(), text);
        }
        for wrong in [
            "",
            "/",
            "10.0.0.1/8",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10.0.0.0/",
            "10.0.0/8",
            "::1/64",
            "::/129",
            "localhost",
            "10.0.0.0/8/8",
            "127.0.0.1:80",
        ] {
            assert_eq!(wrong.parse::<Network>(), Err(NetworkError), "{wrong}");
        }
    }

    #[test]
    fn addresses_are_compared_bit_by_bit() {
        let cases = [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("192.0.2.128/25", "192.0.2.127", false),
            ("192.0.2.128/25", "192.0.2.255", true),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "::1", false),
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("::ffff:192.0.2.1", "192.0.2.1", true),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::", false),
            ("::/0", "10.0.0.1", false),
        ];
        for (network, address, expected) in cases {
            let networks = [network.parse().expect(network)];
            let address = address.parse().expect(address);
            assert_eq!(
                is_trusted(&networks, address),
                expected,
                "{network} {address}"
            );
        }
    }
}
