//! The routes of all tables at once.

use netlink_packet_route::route::RouteMessage;
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use super::{Route, Rtnl};
use crate::{Error, Result};

impl Rtnl {
    /// The unicast and broadcast IPv4 routes of all tables, without multipath routes, in one look.
    pub fn routes_of_all_tables(&mut self) -> Result<Vec<Route>> {
        let mut message = RouteMessage::default();
        message.header.address_family = AddressFamily::Inet;
        self.list(RouteNetlinkMessage::GetRoute(message), libc::RTM_NEWROUTE, Route::decode)
            .map_err(|error| Error::new("list the routes of all tables", error))
    }
}
