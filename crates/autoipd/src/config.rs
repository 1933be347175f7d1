//! The configuration file, `/etc/autoip/autoipd.toml`: read and checked as a whole, without any
//! effect. The daemon uses it at its start and at SIGHUP; other programs can check a text with it.
//!
//! Everything wrong is reported with its line, so that one look at the file mends it. No text
//! makes this panic.

mod key;
mod syntax;
mod value;

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::net::Ipv4Addr;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};
use toml::{Spanned, map::Map};

use crate::choice::Choices;
use crate::selection::{Criterion, Pattern, Rule};
use crate::settings::{GuardMode, Place, Verbosity};

/// Where the daemon looks when it is told nothing. Having no such file is fine.
pub const DEFAULT_PATH: &str = "/etc/autoip/autoipd.toml";

/// The longest file, in bytes.
const FILE_MAX: u64 = 1 << 20;
/// How many mistakes are reported; whoever made more looks again anyway.
const MISTAKES_MAX: usize = 20;

/// A configuration without mistakes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// For interfaces of which no table says otherwise.
    pub(crate) defaults: Choices,
    /// What is said of certain interfaces, in the order of the file.
    pub(crate) tables: Vec<InterfaceTable>,
    pub(crate) process: ProcessChoices,
}

/// One `[[interface]]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct InterfaceTable {
    pub(crate) criteria: Vec<Criterion>,
    /// `false`: the interface is left alone.
    pub(crate) manage: bool,
    pub(crate) choices: Choices,
}

/// Choices about the whole process; `None` is open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ProcessChoices {
    pub(crate) state_dir: Option<PathBuf>,
    pub(crate) control: Option<Place>,
    pub(crate) verbosity: Option<Verbosity>,
    pub(crate) guard: Option<GuardMode>,
    pub(crate) exempt: Option<Vec<Ipv4Addr>>,
    /// The directory of hooks, or "none".
    pub(crate) hooks: Option<PathBuf>,
    pub(crate) sandbox: Option<bool>,
}

/// Something wrong in a file: prints as `FILE:LINE: ` and what is wrong and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    file: String,
    /// Counts from 1; 0 where the file as a whole is meant.
    line: usize,
    sentence: String,
}

impl Mistake {
    /// In which line it is, counted from 1; `None` where the file as a whole is meant.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        (self.line > 0).then_some(self.line)
    }

    /// A file that was asked for is not there.
    pub(crate) fn missing(path: &Path) -> Self {
        let sentence = "there is no such file: make it, or leave -c out".to_owned();
        Self::of_file(&path.display().to_string(), sentence)
    }

    fn of_file(file: &str, sentence: String) -> Self {
        Self { file: file.to_owned(), line: 0, sentence }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.sentence),
            line => write!(f, "{}:{line}: {}", self.file, self.sentence),
        }
    }
}

/// Reads a configuration. `file` is what messages call it.
///
/// # Errors
///
/// Everything that is wrong, in the order of the text, up to twenty mistakes; never none.
pub fn read(file: &str, text: &str) -> Result<Config, Vec<Mistake>> {
    let mut reader = Reader { file, text, mistakes: Vec::new() };
    let config = match DeTable::parse(text) {
        Ok(document) => reader.document(document.get_ref()),
        Err(error) => {
            let span = error.span().unwrap_or_default();
            reader.mistake(&span, syntax::sentence(text, &span, error.message()));
            Config::default()
        }
    };
    if reader.mistakes.is_empty() {
        return Ok(config);
    }
    reader.mistakes.sort_by_key(|mistake| mistake.line);
    reader.mistakes.truncate(MISTAKES_MAX);
    Err(reader.mistakes)
}

/// Reads a file; `None` where there is no such file.
///
/// # Errors
///
/// Everything that is wrong with it, or why it cannot be read.
pub fn load(path: &Path) -> Result<Option<Config>, Vec<Mistake>> {
    let file = path.display().to_string();
    let whole = |sentence| vec![Mistake::of_file(&file, sentence)];
    let mut bytes = Vec::new();
    match File::open(path).and_then(|open| open.take(FILE_MAX + 1).read_to_end(&mut bytes)) {
        Ok(_) if bytes.len() as u64 > FILE_MAX => {
            Err(whole(format!("is longer than {FILE_MAX} bytes: no configuration needs that")))
        }
        Ok(_) => match String::from_utf8(bytes) {
            Ok(text) => read(&file, &text).map(Some),
            Err(_) => Err(whole("is not text: save it in UTF-8".to_owned())),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(whole(format!("cannot be read: {error}"))),
    }
}

type Table<'a> = Map<Spanned<std::borrow::Cow<'a, str>>, Spanned<DeValue<'a>>>;

struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    mistakes: Vec<Mistake>,
}

impl Reader<'_> {
    fn mistake(&mut self, span: &Range<usize>, sentence: String) {
        let before = self.text.as_bytes().get(..span.start).unwrap_or_default();
        let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
        self.mistakes.push(Mistake { file: self.file.to_owned(), line, sentence });
    }

    fn document(&mut self, document: &Table<'_>) -> Config {
        let mut config = Config::default();
        let mut interfaces = None;
        for (name, value) in document {
            let read = if name.get_ref() == key::INTERFACE {
                interfaces = Some(value);
                continue;
            } else if let Some(read) = key::of_interface(&mut config.defaults, name, value) {
                read
            } else if let Some(read) = key::of_process(&mut config.process, name, value) {
                read
            } else {
                let sentence = key::unknown_at_top(name.get_ref());
                self.mistake(&name.span(), sentence);
                continue;
            };
            self.check(name, value, read);
        }
        self.contradictions(document, &config.defaults);
        if let Some(interfaces) = interfaces {
            config.tables = self.interfaces(interfaces, &config.defaults);
        }
        config
    }

    /// All `[[interface]]` tables.
    fn interfaces(&mut self, value: &Spanned<DeValue<'_>>, below: &Choices) -> Vec<InterfaceTable> {
        let mut tables = Vec::new();
        let DeValue::Array(array) = value.get_ref() else {
            let sentence = "interface is one of many: write [[interface]], with two brackets";
            self.mistake(&value.span(), sentence.to_owned());
            return tables;
        };
        for element in array {
            match element.get_ref() {
                DeValue::Table(table) => {
                    let interface = self.interface(element.span(), table, below);
                    let same = |other: &InterfaceTable| other.criteria == interface.criteria;
                    if !interface.criteria.is_empty() && tables.iter().any(same) {
                        let sentence = "another [[interface]] before this one has the same match, \
                                        and counts: write one table of the two";
                        self.mistake(&element.span(), sentence.to_owned());
                    }
                    tables.push(interface);
                }
                DeValue::String(_)
                | DeValue::Integer(_)
                | DeValue::Float(_)
                | DeValue::Boolean(_)
                | DeValue::Datetime(_)
                | DeValue::Array(_) => {
                    let shown = value::shown(element.get_ref());
                    let sentence = format!("interface = {shown}: write a table, [[interface]]");
                    self.mistake(&element.span(), sentence);
                }
            }
        }
        if tables.iter().all(|table| !table.manage) && self.mistakes.is_empty() {
            let sentence = "no [[interface]] is to be managed: add one with match = \"*\" at the \
                            end, for all others";
            self.mistake(&value.span(), sentence.to_owned());
        }
        tables
    }

    fn interface(
        &mut self,
        span: Range<usize>,
        table: &Table<'_>,
        below: &Choices,
    ) -> InterfaceTable {
        let mut interface = InterfaceTable { manage: true, ..InterfaceTable::default() };
        for (name, value) in table {
            let read = if name.get_ref() == key::MATCH {
                value::criteria(value.get_ref()).map(|criteria| interface.criteria = criteria)
            } else if name.get_ref() == key::MANAGE {
                value::boolean(value.get_ref()).map(|manage| interface.manage = manage)
            } else if let Some(read) = key::of_interface(&mut interface.choices, name, value) {
                read
            } else {
                let sentence = key::unknown_in_interface(name.get_ref());
                self.mistake(&name.span(), sentence);
                continue;
            };
            self.check(name, value, read);
        }
        if !table.keys().any(|name| name.get_ref() == key::MATCH) {
            let sentence = "[[interface]] does not say which: add match, with a name such as \
                            \"eth0\", a pattern such as \"eth*\", or { mac = \"…\" }";
            self.mistake(&span, sentence.to_owned());
        }
        self.contradictions(table, &interface.choices.clone().over(below));
        interface
    }

    /// Reports what was wrong with a value.
    fn check(
        &mut self,
        name: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
        read: Result<(), String>,
    ) {
        if let Err(remedy) = read {
            let shown = value::shown(value.get_ref());
            let sentence = format!("{} = {shown}: {remedy}", name.get_ref());
            self.mistake(&value.span(), sentence);
        }
    }

    /// Reports choices of a table, or of what it is laid over, that contradict each other.
    fn contradictions(&mut self, table: &Table<'_>, choices: &Choices) {
        let Err(sentence) = choices.settings() else { return };
        let involved = table.iter().filter(|(name, _)| key::may_contradict(name.get_ref()));
        // Where the table has none of them, the contradiction was reported above it.
        if let Some((name, _)) = involved.max_by_key(|(name, _)| name.span().start) {
            self.mistake(&name.span(), sentence);
        }
    }
}

impl InterfaceTable {
    /// Whether both name one interface, and not the same.
    pub(crate) fn is_about_another(&self, pattern: &Pattern) -> bool {
        let named = self.criteria.iter().find_map(Criterion::name);
        matches!((named, pattern.exact()), (Some(one), Some(other)) if one != other)
    }

    /// What the table says of the interfaces that meet `criteria` besides, under choices that
    /// count more.
    pub(crate) fn rule(
        &self,
        criteria: &[Criterion],
        above: &Choices,
        below: &Choices,
    ) -> Result<Rule, String> {
        let criteria = [criteria, &self.criteria].concat();
        let choices = above.clone().over(&self.choices.clone().over(below));
        let settings = self.manage.then(|| choices.settings()).transpose()?;
        Ok(Rule { criteria, settings, required: false })
    }
}

#[cfg(test)]
mod tests;
