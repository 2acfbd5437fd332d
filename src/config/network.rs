//! A range of addresses in CIDR form, such as `10.1.0.0/16` or `::1/128`. A bare address means itself alone.

use std::net::IpAddr;
use std::str::FromStr;

/// Addresses that share their first `prefix` bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    prefix: u8,
}

/// The text is no address, or its prefix is longer than the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotANetwork;

impl Network {
    /// An IPv4 address that came in by an IPv6 socket (`::ffff:10.0.0.1`) counts as the IPv4 address it is.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let (base, address) = (self.base.to_canonical(), address.to_canonical());
        match (base, address) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                high_bits(u128::from(base.to_bits() ^ address.to_bits()), 32 - self.prefix)
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => high_bits(base.to_bits() ^ address.to_bits(), 128 - self.prefix),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

/// Whether nothing is left of `difference` once the `free` low bits are gone.
fn high_bits(difference: u128, free: u8) -> bool {
    difference.checked_shr(u32::from(free)).unwrap_or(0) == 0
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let base = address.trim().parse::<IpAddr>().map_err(|_| NotANetwork)?.to_canonical();
        let longest = if base.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(prefix) => prefix.trim().parse::<u8>().map_err(|_| NotANetwork)?,
            None => longest,
        };
        if prefix > longest { Err(NotANetwork) } else { Ok(Self { base, prefix }) }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn a_network_holds_exactly_its_addresses() {
        for (network, address, inside) in [
            ("10.1.0.0/16", "10.1.255.3", true),
            ("10.1.0.0/16", "10.2.0.1", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "10.1.2.4", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("10.0.0.0/8", "::ffff:10.9.9.9", true),
            ("::/0", "::1", true),
            ("::1/128", "::2", false),
            ("0.0.0.0/0", "::1", false),
        ] {
            assert_eq!(
                network.parse::<Network>().unwrap().contains(address.parse().unwrap()),
                inside,
                "{network} {address}"
            );
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in ["", "localhost", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0/8", "10.0.0.0/-1"] {
            assert_eq!(text.parse::<Network>(), Err(NotANetwork), "{text}");
        }
    }
}
