//! The framing of netlink: messages in a datagram, attributes in a message, values in those.
//!
//! Nothing here panics, whatever the bytes are.

use std::io;
use std::net::Ipv4Addr;

use netlink_packet_core::{NetlinkBuffer, NlasIterator};

pub(crate) const NLMSG_NOOP: u16 = 1;
pub(crate) const NLMSG_ERROR: u16 = 2;
pub(crate) const NLMSG_DONE: u16 = 3;
pub(crate) const NLMSG_OVERRUN: u16 = 4;

/// The list changed while it was read.
pub(crate) const NLM_F_DUMP_INTR: u16 = 0x10;

const ALIGNMENT: usize = 4;
const ATTRIBUTE_HEADER_LEN: usize = 4;

/// One message of a datagram.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'b> {
    pub(crate) kind: u16,
    pub(crate) flags: u16,
    pub(crate) sequence: u32,
    pub(crate) body: &'b [u8],
}

impl Message<'_> {
    /// What the body of NLMSG_ERROR or NLMSG_DONE begins with: 0 for success, or a negative
    /// error number. An empty NLMSG_DONE means success.
    pub(crate) fn error(&self) -> Option<io::Error> {
        let code = self.body.first_chunk().map_or(0, |code| i32::from_ne_bytes(*code));
        (code != 0).then(|| io::Error::from_raw_os_error(code.saturating_neg()))
    }
}

/// The messages of a datagram, up to the first malformed one.
pub(crate) fn messages(datagram: &[u8]) -> impl Iterator<Item = Message<'_>> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        let message = NetlinkBuffer::new_checked(rest).ok()?;
        let length = usize::try_from(message.length()).ok()?;
        rest = rest.get(length.next_multiple_of(ALIGNMENT)..).unwrap_or_default();
        Some(Message {
            kind: message.message_type(),
            flags: message.flags(),
            sequence: message.sequence_number(),
            body: message.payload(),
        })
    })
}

/// The attributes behind the fixed part of a message, up to the first malformed one.
pub(crate) fn attributes(message: &[u8], header_len: usize) -> impl Iterator<Item = (u16, &[u8])> {
    let rest = message.get(header_len..).unwrap_or_default();
    NlasIterator::new(rest).map_while(Result::ok).map(|attribute| {
        let (kind, length) = (attribute.kind(), usize::from(attribute.length()));
        let bytes = attribute.into_inner();
        (kind, bytes.get(ATTRIBUTE_HEADER_LEN..length).unwrap_or_default())
    })
}

pub(crate) fn u32_of(value: &[u8]) -> Option<u32> {
    value.try_into().ok().map(u32::from_ne_bytes)
}

pub(crate) fn ipv4_of(value: &[u8]) -> Option<Ipv4Addr> {
    <[u8; 4]>::try_from(value).ok().map(Ipv4Addr::from)
}

/// Text of the kernel, which ends with a zero byte.
pub(crate) fn string_of(value: &[u8]) -> String {
    let text = value.split(|&byte| byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}
