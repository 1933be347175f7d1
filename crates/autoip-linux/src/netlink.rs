//! Netlink as all of its families share it: messages, attributes, requests and their answers.
//!
//! [`rtnl`](crate::rtnl), [`nft`](crate::nft) and [`sock_diag`](crate::sock_diag) are built on
//! it. It knows no family and no meaning, and it panics on no bytes of the kernel.

mod connection;
mod message;
mod writer;

pub(crate) use connection::{Connection, connect, receive};
pub(crate) use message::{
    Message, NLMSG_ERROR, NLMSG_OVERRUN, attributes, ipv4_of, messages, string_of, u32_of,
};
pub(crate) use writer::Writer;
