//! IPv4 networks by the rules of commons-net: the network's address and the broadcast address don't count, a prefix is 1 to 32 bits.

use crate::error::{Fault, shown};

/// The hosts of a network, from the first to the last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subnet {
    first: u32,
    last: u32,
}

impl Subnet {
    /// `10.0.0.0/8`
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        let wrong = || Fault::argument(format!("{} is no network such as 10.0.0.0/8", shown(text)));
        let (address, prefix) = text.split_once('/').ok_or_else(wrong)?;
        let address = parse_address(address).ok_or_else(wrong)?;
        let prefix = prefix
            .parse::<u32>()
            .ok()
            .filter(|bits| (1..=32).contains(bits) && prefix.len() <= 3 && !prefix.starts_with('+'))
            .ok_or_else(wrong)?;
        let hosts = u32::MAX.checked_shr(prefix).unwrap_or(0);
        let (network, broadcast) = (address & !hosts, address | hosts);
        // Networks without hosts have the range of the address 0, which nothing else lies in.
        let (first, last) = if hosts > 1 { (network + 1, broadcast - 1) } else { (0, 0) };
        Ok(Self { first, last })
    }

    /// Whether an address is that of a host of this network.
    pub(super) fn contains(self, address: u32) -> bool {
        (self.first..=self.last).contains(&address)
    }
}

/// An IPv4 address.
pub(super) fn address(text: &str) -> Result<u32, Fault> {
    parse_address(text).ok_or_else(|| Fault::argument(format!("{} is no IPv4 address", shown(text))))
}

/// Four numbers of one to three digits, leading zeros allowed.
fn parse_address(text: &str) -> Option<u32> {
    let (mut address, mut octet, mut digits, mut octets) = (0_u32, 0_u32, 0, 0);
    for byte in text.bytes().chain([b'.']) {
        match byte {
            b'0'..=b'9' if digits < 3 => {
                octet = octet * 10 + u32::from(byte - b'0');
                digits += 1;
            }
            b'.' if digits > 0 && octet <= 255 && octets < 4 => {
                address = (address << 8) | octet;
                (octet, digits, octets) = (0, 0, octets + 1);
            }
            _ => return None,
        }
    }
    (octets == 4).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_a_network_are_not_in_it() {
        let contains = |network, ip| Subnet::parse(network).unwrap().contains(address(ip).unwrap());
        assert!(contains("10.0.0.0/8", "10.255.255.254"));
        assert!(!contains("10.0.0.0/8", "10.255.255.255"));
        assert!(!contains("10.0.0.4/31", "10.0.0.4"));
        assert!(!contains("10.0.0.4/32", "10.0.0.4"));
        assert!(contains("128.0.0.0/1", "200.1.2.3"));
        for wrong in ["10.0.0.0", "10.0.0.0/0", "10.0.0.0/33", "10.0.0/8", "10.0.0.256/8", "10.0.0.0.0/8", "a.b.c.d/8"]
        {
            assert!(Subnet::parse(wrong).is_err(), "{wrong}");
        }
    }
}
