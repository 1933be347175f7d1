//! The control socket: every method on the real daemon, and clients that do not behave.

pub(crate) mod change;
pub(crate) mod client;
pub(crate) mod detection;
pub(crate) mod event;
pub(crate) mod permission;
pub(crate) mod service;
pub(crate) mod status;
