//! Which tables there are, whoever made them.

use super::{Family, HEADER_LEN, Nft, kind};
use crate::netlink::{attributes, string_of};
use crate::{Error, Result};

const NEW_TABLE: u16 = kind(0);
const GET_TABLE: u16 = kind(1);
const TABLE_NAME: u16 = 1;

impl Nft {
    /// The names of the tables of one family, whoever added them.
    ///
    /// EPERM without CAP_NET_ADMIN: the kernel shows its tables to nobody else.
    pub fn tables(&mut self, family: Family) -> Result<Vec<String>> {
        let number = family.number();
        let body = [number, 0, 0, 0];
        let decode = |kind, body: &[u8]| {
            if kind == NEW_TABLE { table_name(body, number) } else { None }
        };
        self.connection
            .dump(GET_TABLE, &body, decode)
            .map_err(|error| Error::new(format!("list the {family} tables"), error))
    }
}

/// The name in the description of a table; `None` where it is one of another family.
fn table_name(message: &[u8], family: u8) -> Option<String> {
    if message.first() != Some(&family) {
        return None;
    }
    let name = attributes(message, HEADER_LEN).find(|(kind, _)| *kind == TABLE_NAME);
    name.map(|(_, value)| string_of(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::Writer;
    use proptest::prelude::*;

    #[test]
    fn a_table_has_its_name_in_its_own_family() {
        let mut out = Writer::default();
        out.raw(&[5, 0, 0, 0]);
        out.attribute(TABLE_NAME, b"autoip\0");
        let message = out.into_bytes();
        assert_eq!(table_name(&message, 5).as_deref(), Some("autoip"));
        assert_eq!(table_name(&message, 1), None);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = table_name(&bytes, 5);
        }
    }
}
