//! The list of requirements: its file, read.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use toml::Spanned;

use crate::finding::Finding;
use crate::tree::TextFile;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Requirements {
    /// The documents, by the first part of the names of their rows.
    pub(super) documents: BTreeMap<String, Document>,
    /// What each section of a standard is about.
    pub(super) sections: BTreeMap<String, String>,
    #[serde(rename = "requirement")]
    pub(super) rows: Vec<Requirement>,
}

/// A standard, or several that are listed together.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub(super) name: String,
    /// How many rows it has, and where in the file that stands.
    pub(super) rows: Spanned<usize>,
}

/// One thing that a standard asks for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Requirement {
    /// The name by which annotations refer to it, and where that stands in the file.
    pub(super) id: Spanned<String>,
    pub(super) section: String,
    pub(super) level: Level,
    pub(super) actor: Vec<Actor>,
    pub(super) text: String,
    pub(super) status: Status,
    pub(super) how: String,
}

impl Requirement {
    pub(super) fn id(&self) -> &str {
        self.id.get_ref()
    }

    /// The part of the name that says of which document it is.
    pub(super) fn document(&self) -> &str {
        self.id().split('-').next().unwrap_or_default()
    }

    /// Whether some part of autoip has to do with it, and not others alone.
    pub(super) fn is_ours(&self) -> bool {
        self.actor.iter().any(|actor| Actor::OURS.contains(actor))
    }
}

/// How binding a requirement is: a keyword of RFC 2119 in capitals, the same word as the standard
/// uses it without capitals, or what else a text can be.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Level(String);

const LEVELS: [&str; 20] = [
    "MUST",
    "MUST NOT",
    "SHOULD",
    "SHOULD NOT",
    "RECOMMENDED",
    "NOT RECOMMENDED",
    "MAY",
    "must (lower case)",
    "must not (lower case)",
    "should (lower case)",
    "should not (lower case)",
    "may (lower case)",
    "advice",
    "best practice",
    "constant",
    "definition",
    "goal",
    "note",
    "rule",
    "scope",
];

impl Level {
    /// Whether it binds without exception.
    pub(super) fn is_must(&self) -> bool {
        matches!(self.0.as_str(), "MUST" | "MUST NOT")
    }
}

/// Whose duty a requirement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) enum Actor {
    Daemon,
    /// The kernel's own behaviour, its settings and its routes.
    Kernel,
    /// The packet filter.
    Filter,
    Application,
    Router,
    Dhcp,
    Dns,
    Operator,
    /// Cables, switches, access points.
    Link,
}

impl Actor {
    const ALL: [Self; 9] = [
        Self::Daemon,
        Self::Kernel,
        Self::Filter,
        Self::Application,
        Self::Router,
        Self::Dhcp,
        Self::Dns,
        Self::Operator,
        Self::Link,
    ];
    /// Those on whom autoip has an influence.
    const OURS: [Self; 3] = [Self::Daemon, Self::Kernel, Self::Filter];

    fn name(self) -> &'static str {
        match self {
            Self::Daemon => "daemon",
            Self::Kernel => "kernel",
            Self::Filter => "filter",
            Self::Application => "application",
            Self::Router => "router",
            Self::Dhcp => "dhcp",
            Self::Dns => "dns",
            Self::Operator => "operator",
            Self::Link => "link",
        }
    }
}

/// How autoip stands to a requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) enum Status {
    Met,
    Partly,
    Planned,
    Elsewhere,
    NotApplicable,
}

impl Status {
    pub(super) const ALL: [Self; 5] =
        [Self::Met, Self::Partly, Self::Planned, Self::Elsewhere, Self::NotApplicable];

    fn name(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Partly => "partly",
            Self::Planned => "planned",
            Self::Elsewhere => "elsewhere",
            Self::NotApplicable => "not applicable",
        }
    }

    /// Whether code and tests may claim to have a part in it.
    pub(super) fn allows_annotations(self) -> bool {
        match self {
            Self::Met | Self::Partly => true,
            Self::Planned | Self::Elsewhere | Self::NotApplicable => false,
        }
    }
}

/// The one of `all` that is called `word`.
fn named<T: Copy>(
    what: &str,
    all: &[T],
    name: fn(T) -> &'static str,
    word: &str,
) -> Result<T, String> {
    all.iter().copied().find(|&one| name(one) == word).ok_or_else(|| {
        let names: Vec<_> = all.iter().copied().map(name).collect();
        format!("\"{word}\" is not {what}; these are known: {}", names.join(", "))
    })
}

impl TryFrom<String> for Level {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        named("a level", &LEVELS, |name| name, &word).map(|name| Self(name.to_owned()))
    }
}

impl TryFrom<String> for Actor {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        named("an actor", &Self::ALL, Self::name, &word)
    }
}

impl TryFrom<String> for Status {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        named("a status", &Self::ALL, Self::name, &word)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Requirements {
    /// Reads the file.
    ///
    /// # Errors
    ///
    /// Where it is not what it should be, and why.
    pub(super) fn parse(file: &TextFile) -> Result<Self, Finding> {
        toml::from_str(&file.text).map_err(|error| {
            let line = line_of(file, error.span().map_or(0, |span| span.start));
            Finding::new(file, line, error.message().replace('\n', "; "))
        })
    }
}

/// The line of `file` in which the byte at `offset` stands.
pub(super) fn line_of(file: &TextFile, offset: usize) -> usize {
    file.text.bytes().take(offset).filter(|&byte| byte == b'\n').count() + 1
}
