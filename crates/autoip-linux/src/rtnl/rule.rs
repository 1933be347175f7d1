//! IPv4 policy rules: which routing table decides about which packets.

use std::net::{IpAddr, Ipv4Addr};

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::rule::{RuleAction, RuleAttribute, RuleFlags, RuleHeader, RuleMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use super::Rtnl;
use crate::netlink::{attributes, ipv4_of, string_of, u32_of};
use crate::{Error, Result};

const HEADER_LEN: usize = 12;

const FRA_DST: u16 = 1;
const FRA_SRC: u16 = 2;
const FRA_IIFNAME: u16 = 3;
const FRA_PRIORITY: u16 = 6;
const FRA_SUPPRESS_PREFIXLEN: u16 = 14;
const FRA_TABLE: u16 = 15;
const FRA_OIFNAME: u16 = 17;
const FRA_PAD: u16 = 18;
const FRA_PROTOCOL: u16 = 21;

/// A rule that has a routing table asked for certain packets, or drops them.
///
/// What is `None` selects nothing: such a rule is for packets with any value there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The lower, the earlier it is asked.
    pub priority: u32,
    /// The network of the source address, with the length of its prefix.
    pub from: Option<(Ipv4Addr, u8)>,
    /// The network of the destination, with the length of its prefix.
    pub to: Option<(Ipv4Addr, u8)>,
    /// The interface that the packet came in by; "lo" for packets of this host.
    pub iif: Option<String>,
    /// The interface that the socket is bound to.
    pub oif: Option<String>,
    /// The routing table; without one the packets are dropped, and nobody is told (blackhole).
    pub table: Option<u32>,
    /// Who added it (RTPROT_*), 0 where nobody said.
    pub protocol: u8,
}

impl Rule {
    /// Reads the body of an RTM_NEWRULE or RTM_DELRULE message; `None` where it does not describe
    /// an IPv4 rule that chooses a table, or drops packets, by nothing but what is here.
    pub(super) fn decode(message: &[u8]) -> Option<Self> {
        let header = RuleHeader::parse(message).ok()?;
        let drops = header.action == RuleAction::Blackhole;
        if header.family != AddressFamily::Inet
            || !(drops || header.action == RuleAction::ToTable)
            || header.tos != 0
            || header.flags.contains(RuleFlags::Invert)
        {
            return None;
        }
        let (mut from, mut to) = (None, None);
        let mut rule = Self {
            priority: 0,
            from: None,
            to: None,
            iif: None,
            oif: None,
            table: (!drops).then(|| u32::from(header.table)),
            protocol: 0,
        };
        for (kind, value) in attributes(message, HEADER_LEN) {
            match kind {
                FRA_SRC => from = Some(ipv4_of(value)?),
                FRA_DST => to = Some(ipv4_of(value)?),
                FRA_IIFNAME => rule.iif = Some(string_of(value)),
                FRA_OIFNAME => rule.oif = Some(string_of(value)),
                FRA_PRIORITY => rule.priority = u32_of(value)?,
                FRA_TABLE if drops => {}
                FRA_TABLE => rule.table = Some(u32_of(value)?),
                FRA_PROTOCOL => rule.protocol = *value.first()?,
                // The kernel sends it always; this value means "no".
                FRA_SUPPRESS_PREFIXLEN if u32_of(value) == Some(u32::MAX) => {}
                FRA_PAD => {}
                _ => return None,
            }
        }
        let network = |ip: Option<Ipv4Addr>, len: u8| {
            (len != 0).then(|| (ip.unwrap_or(Ipv4Addr::UNSPECIFIED), len))
        };
        rule.from = network(from, header.src_len);
        rule.to = network(to, header.dst_len);
        Some(rule)
    }

    fn message(&self) -> RuleMessage {
        let mut message = RuleMessage::default();
        message.header.family = AddressFamily::Inet;
        let attributes = &mut message.attributes;
        attributes.push(RuleAttribute::Priority(self.priority));
        message.header.action = RuleAction::Blackhole;
        if let Some(table) = self.table {
            message.header.action = RuleAction::ToTable;
            attributes.push(RuleAttribute::Table(table));
        }
        if let Some((ip, len)) = self.from {
            message.header.src_len = len;
            attributes.push(RuleAttribute::Source(IpAddr::V4(ip)));
        }
        if let Some((ip, len)) = self.to {
            message.header.dst_len = len;
            attributes.push(RuleAttribute::Destination(IpAddr::V4(ip)));
        }
        if let Some(iif) = &self.iif {
            attributes.push(RuleAttribute::Iifname(iif.clone()));
        }
        if let Some(oif) = &self.oif {
            attributes.push(RuleAttribute::Oifname(oif.clone()));
        }
        if self.protocol != 0 {
            attributes.push(RuleAttribute::Protocol(self.protocol.into()));
        }
        message
    }

    fn to_op(&self, verb: &str) -> String {
        let network = |network: Option<(Ipv4Addr, u8)>| match network {
            Some((ip, len)) => format!("{ip}/{len}"),
            None => "all".to_owned(),
        };
        let priority = self.priority;
        let (from, to) = (network(self.from), network(self.to));
        let what = match self.table {
            Some(table) => format!("for table {table}"),
            None => "that drops packets".to_owned(),
        };
        format!("{verb} the rule {priority} from {from} to {to} {what}")
    }
}

impl Rtnl {
    /// The IPv4 rules, in the order in which they are asked; without those that select packets by
    /// other means than a [`Rule`] has, or that do something else than choose a table.
    pub fn rules(&mut self) -> Result<Vec<Rule>> {
        let mut message = RuleMessage::default();
        message.header.family = AddressFamily::Inet;
        self.list(RouteNetlinkMessage::GetRule(message), libc::RTM_NEWRULE, Rule::decode)
            .map_err(|error| Error::new("list the policy rules", error))
    }

    /// Adds a rule. Where there is the same one already, nothing changes.
    pub fn add_rule(&mut self, rule: &Rule) -> Result<()> {
        let request = RouteNetlinkMessage::NewRule(rule.message());
        match self.change(request, NLM_F_CREATE | NLM_F_EXCL) {
            Ok(()) => Ok(()),
            Err(error) if error.raw_os_error() == Some(libc::EEXIST) => Ok(()),
            Err(error) => Err(Error::new(rule.to_op("add"), error)),
        }
    }

    /// Removes a rule. `false` when it was not there.
    ///
    /// To the kernel, what is `None` and a protocol of 0 mean "any".
    pub fn remove_rule(&mut self, rule: &Rule) -> Result<bool> {
        let request = RouteNetlinkMessage::DelRule(rule.message());
        match self.change(request, 0) {
            Ok(()) => Ok(true),
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(false),
            Err(error) => Err(Error::new(rule.to_op("remove"), error)),
        }
    }
}
