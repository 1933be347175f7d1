//! Messages and attributes for the kernel, as bytes.

const ALIGNMENT: usize = 4;

/// A nested attribute says that it is one.
const NLA_F_NESTED: u16 = 0x8000;

/// The bytes of requests, written front to back.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Writes a message whose body `fill` writes.
    pub(crate) fn message(
        &mut self,
        kind: u16,
        flags: u16,
        sequence: u32,
        fill: impl FnOnce(&mut Self),
    ) {
        let start = self.bytes.len();
        self.bytes.extend([0; 4]);
        self.bytes.extend(kind.to_ne_bytes());
        self.bytes.extend(flags.to_ne_bytes());
        self.bytes.extend(sequence.to_ne_bytes());
        self.bytes.extend([0; 4]);
        fill(self);
        let length = u32::try_from(self.bytes.len() - start).expect("a message is less than 4 GiB");
        self.bytes[start..start + 4].copy_from_slice(&length.to_ne_bytes());
        self.align();
    }

    /// Writes bytes as they are.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Writes an attribute.
    pub(crate) fn attribute(&mut self, kind: u16, value: &[u8]) {
        self.framed(kind, |writer| writer.raw(value));
    }

    /// Writes an attribute whose value are the attributes that `fill` writes.
    pub(crate) fn nested(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) {
        self.framed(kind | NLA_F_NESTED, fill);
    }

    fn framed(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) {
        let start = self.bytes.len();
        self.bytes.extend([0; 2]);
        self.bytes.extend(kind.to_ne_bytes());
        fill(self);
        let length = u16::try_from(self.bytes.len() - start)
            .expect("an attribute is less than 64 KiB: names are short and lists are split");
        self.bytes[start..start + 2].copy_from_slice(&length.to_ne_bytes());
        self.align();
    }

    /// Fills up to where the next message or attribute begins.
    fn align(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(ALIGNMENT), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::{attributes, messages};

    #[test]
    fn what_is_written_is_read_back() {
        let mut writer = Writer::default();
        for sequence in [7, 8] {
            writer.message(0x1234, 0x0301, sequence, |body| {
                body.raw(&[1, 2, 3, 4]);
                body.attribute(5, b"odd");
                body.nested(6, |inner| inner.attribute(7, &[]));
            });
        }
        let bytes = writer.into_bytes();
        let read: Vec<_> = messages(&bytes).collect();
        assert_eq!(read.len(), 2);
        for (message, sequence) in read.iter().zip([7, 8]) {
            assert_eq!((message.kind, message.flags, message.sequence), (0x1234, 0x0301, sequence));
            let [(5, text), (6, nested)] = attributes(message.body, 4).collect::<Vec<_>>()[..]
            else {
                panic!("{message:?}");
            };
            assert_eq!(text, b"odd");
            assert!(attributes(nested, 0).eq([(7, &[][..])]));
        }
    }
}
