//! The settings by which the kernel looks for IPv4 neighbours on an interface: what
//! `/proc/sys/net/ipv4/neigh` shows as files.
//!
//! They are read and set over rtnetlink, for the same reasons as those of [`Conf`](super::Conf).

use std::io;

use super::Rtnl;
use crate::netlink::{Writer, attributes, u32_of};
use crate::{Error, IfIndex, Result};

const NEW_TABLE: u16 = 64;
const GET_TABLE: u16 = 66;
const SET_TABLE: u16 = 67;

/// A family and padding.
const HEADER: [u8; 4] = [2, 0, 0, 0];

const TABLE_NAME: u16 = 1;
const TABLE_PARAMETERS: u16 = 6;
const PARAMETERS_INDEX: u16 = 1;
/// What the kernel calls the neighbours of IPv4.
const NAME: &[u8] = b"arp_cache\0";

/// A setting of the search for neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NeighbourSetting {
    /// How many unicast requests look whether a known neighbour is still there.
    UnicastProbes,
    /// How many broadcast requests follow those that nobody answered.
    BroadcastReprobes,
}

impl NeighbourSetting {
    /// The kernel's number (NDTPA_*).
    const fn number(self) -> u16 {
        match self {
            Self::UnicastProbes => 10,
            Self::BroadcastReprobes => 17,
        }
    }

    /// The name of its file, and of its sysctl.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnicastProbes => "ucast_solicit",
            Self::BroadcastReprobes => "mcast_resolicit",
        }
    }
}

impl Rtnl {
    /// A setting of one interface.
    ///
    /// The kernel can only list those of all interfaces. ENODEV means that there is no such
    /// interface, or no IPv4 on it.
    pub fn neighbour_setting(&mut self, index: IfIndex, setting: NeighbourSetting) -> Result<u32> {
        let decode = |kind, body: &[u8]| {
            if kind == NEW_TABLE { decode(body, index, setting) } else { None }
        };
        let values = self.list_raw(GET_TABLE, &HEADER, decode).and_then(|values| {
            let gone = || io::Error::from_raw_os_error(libc::ENODEV);
            values.first().copied().ok_or_else(gone)
        });
        let name = setting.name();
        values.map_err(|error| Error::new(format!("read {name} of interface {index}"), error))
    }

    /// Sets a setting of one interface.
    pub fn set_neighbour_setting(
        &mut self,
        index: IfIndex,
        setting: NeighbourSetting,
        value: u32,
    ) -> Result<()> {
        let mut body = Writer::default();
        body.raw(&HEADER);
        body.attribute(TABLE_NAME, NAME);
        body.nested(TABLE_PARAMETERS, |parameters| {
            parameters.attribute(PARAMETERS_INDEX, &index.get().to_ne_bytes());
            parameters.attribute(setting.number(), &value.to_ne_bytes());
        });
        self.change_raw(SET_TABLE, &body.into_bytes()).map_err(|error| {
            Error::new(format!("set {} of interface {index} to {value}", setting.name()), error)
        })
    }
}

/// The value in the body of an RTM_NEWNEIGHTBL message; `None` where it is of another interface.
pub(crate) fn decode(message: &[u8], index: IfIndex, setting: NeighbourSetting) -> Option<u32> {
    let find = |bytes, header_len, wanted| {
        attributes(bytes, header_len).find_map(|(kind, value)| (kind == wanted).then_some(value))
    };
    if find(message, HEADER.len(), TABLE_NAME)? != NAME {
        return None;
    }
    let parameters = find(message, HEADER.len(), TABLE_PARAMETERS)?;
    let number = find(parameters, 0, PARAMETERS_INDEX).and_then(u32_of)?;
    let value = find(parameters, 0, setting.number()).and_then(u32_of)?;
    (number == index.get()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The description of the settings of interface 3.
    fn table() -> Vec<u8> {
        let mut out = Writer::default();
        out.raw(&HEADER);
        out.attribute(TABLE_NAME, NAME);
        out.nested(TABLE_PARAMETERS, |parameters| {
            parameters.attribute(PARAMETERS_INDEX, &3u32.to_ne_bytes());
            parameters.attribute(10, &7u32.to_ne_bytes());
            parameters.attribute(17, &8u32.to_ne_bytes());
        });
        out.into_bytes()
    }

    #[test]
    fn a_setting_is_read_from_its_interface_alone() {
        let index = IfIndex::new(3).unwrap();
        assert_eq!(decode(&table(), index, NeighbourSetting::UnicastProbes), Some(7));
        assert_eq!(decode(&table(), index, NeighbourSetting::BroadcastReprobes), Some(8));
        let other = IfIndex::new(4).unwrap();
        assert_eq!(decode(&table(), other, NeighbourSetting::UnicastProbes), None);
    }

    proptest! {
        #[test]
        fn damaged_tables_do_no_harm(at in 0..60usize, byte: u8, length in 0..60usize) {
            let mut table = table();
            let at = at % table.len();
            table[at] = byte;
            let _ = decode(&table, IfIndex::new(3).unwrap(), NeighbourSetting::UnicastProbes);
            table.truncate(length);
            let _ = decode(&table, IfIndex::new(3).unwrap(), NeighbourSetting::UnicastProbes);
        }
    }
}
