//! What the doctor found, one thing at a time.

use std::fmt;

use serde::{Serialize, Serializer};

/// Something that breaks link-local networking, or may, or that its owner should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What kind of thing it is.
    pub id: Id,
    /// How bad it is.
    pub severity: Severity,
    /// The interface that it is about, where it is about one.
    pub interface: Option<String>,
    /// What is the case, as a sentence.
    pub what: String,
    /// Why that matters, as a sentence.
    pub why: String,
    /// Where an RFC says so, such as "RFC 3927 §2.7".
    pub rfc: Option<&'static str>,
    /// What to do about it, as a sentence.
    pub remedy: String,
    /// That as a command of a shell, where it is one.
    pub command: Option<String>,
}

/// How bad a finding is; the worst comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// It breaks something now.
    Problem,
    /// It can break something, or breaks a rule without immediate harm.
    Warning,
    /// What could not be looked at.
    Unknown,
    /// Nothing is wrong, but it explains what one may see.
    Note,
}

impl Severity {
    /// All of them, the worst first.
    pub const ALL: [Self; 4] = [Self::Problem, Self::Warning, Self::Unknown, Self::Note];

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Problem => "problem",
            Self::Warning => "warning",
            Self::Unknown => "unknown",
            Self::Note => "note",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

macro_rules! ids {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// The kinds of findings. Their names never change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Id {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Id {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name, by which manuals and scripts know it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

ids! {
    /// The interface cannot carry a link-local address as it is.
    UnusableInterface = "unusable-interface",
    /// Another program claims link-local addresses there.
    OtherManager = "other-manager",
    /// 169.254.0.0/16 is not on the link.
    NoOnLinkRoute = "no-on-link-route",
    /// 169.254.0.0/16, or a part of it, is sent to a router.
    RouterForLinkLocal = "router-for-link-local",
    /// A route has link-local packets dropped.
    RefusedRoute = "refused-route",
    /// A default route onto the link takes what belongs to a router.
    DefaultRoute = "default-route",
    /// A part of 169.254.0.0/16 is treated as a network of its own.
    NarrowSubnet = "narrow-subnet",
    /// A link-local address that nobody claimed.
    ForeignAddress = "foreign-address",
    /// Packets with link-local addresses are passed on.
    Forwarding = "forwarding",
    /// The reverse-path filter drops what comes from the link.
    RpFilter = "rp-filter",
    /// ARP requests are answered for addresses elsewhere, or not answered.
    ArpIgnore = "arp-ignore",
    /// ARP requests are sent with the address of another interface.
    ArpAnnounce = "arp-announce",
    /// The host answers for addresses that others have.
    ProxyArp = "proxy-arp",
    /// The kernel announces addresses that were not probed.
    ArpNotify = "arp-notify",
    /// Autoipd's guard is not, or not wholly, in force.
    Guard = "guard",
    /// Several interfaces are on one link.
    OneLink = "one-link",
    /// Somebody else on the link has an address of this host.
    AddressConflict = "address-conflict",
    /// Something on the link answers for every address.
    AnswersForAll = "answers-for-all",
    /// Link-local destinations could be behind several interfaces.
    WhichInterface = "which-interface",
    /// Questions for names of link-local addresses go to name servers elsewhere.
    ResolverLeak = "resolver-leak",
    /// A rule is asked before autoipd's own.
    EarlierRule = "earlier-rule",
    /// Somebody else uses the numbers of autoipd.
    NumbersTaken = "numbers-taken",
    /// Autoipd left something behind.
    LeftOver = "left-over",
    /// What of autoipd's is in the kernel.
    OwnNumbers = "own-numbers",
    /// Something could not be looked at.
    CouldNotLook = "could-not-look",
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
