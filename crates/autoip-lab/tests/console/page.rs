//! What a page says: links, and blocks to run.

use std::path::{Path, PathBuf};

/// A page with blocks.
pub(crate) struct Page {
    pub(crate) path: PathBuf,
    pub(crate) links: Vec<Link>,
    pub(crate) blocks: Vec<Block>,
}

/// Interfaces that are connected with each other.
pub(crate) type Link = Vec<Plug>;

/// One of them.
pub(crate) struct Plug {
    pub(crate) host: String,
    pub(crate) interface: String,
    pub(crate) mac: Option<String>,
}

/// A fenced block that does something, and the words of its fence.
#[derive(Default)]
pub(crate) struct Block {
    /// Where it is, for messages.
    pub(crate) place: String,
    /// `on=HOST`.
    pub(crate) host: Option<String>,
    /// `file=PATH`: the block, of any language, is what that file has on the host.
    pub(crate) file: Option<String>,
    /// `goes-on`: the last command is still running when its output has come, and stays.
    pub(crate) goes_on: bool,
    /// `meanwhile`: the same, but only the first line of the output has to come at once; the rest
    /// has time until the end of the page.
    pub(crate) meanwhile: bool,
    /// `exact`: no value may differ.
    pub(crate) exact: bool,
    /// `soon`: the command is run again until its output is that of the page, as people are slow.
    pub(crate) soon: bool,
    /// `exit=NUM`: how the last command ends.
    pub(crate) exit: i32,
    pub(crate) lines: Vec<String>,
}

/// A command of a block, and what it writes.
pub(crate) struct Step {
    pub(crate) command: String,
    pub(crate) output: Vec<String>,
    /// `^C` stands in the output, before the line of this number.
    pub(crate) interrupt: Option<usize>,
}

impl Page {
    pub(crate) fn parse(path: &Path, text: &str) -> Self {
        let mut page = Self { path: path.to_owned(), links: Vec::new(), blocks: Vec::new() };
        let mut lines = text.lines().enumerate();
        while let Some((at, line)) = lines.next() {
            let place = format!("{}:{}", path.display(), at + 1);
            if let Some(link) = line.strip_prefix("<!-- link: ") {
                page.links.push(parse_link(link, &place));
            } else if let Some(info) = line.trim_start().strip_prefix("```") {
                let body = lines.by_ref().map(|(_, line)| line);
                let body = body.take_while(|line| line.trim_start() != "```");
                let lines: Vec<_> = body.map(str::to_owned).collect();
                page.blocks.extend(Block::parse(info, place, lines));
            }
        }
        page
    }
}

fn parse_link(text: &str, place: &str) -> Link {
    let plugs = text.trim_end().strip_suffix("-->").unwrap_or_else(|| {
        panic!("{place}: the comment must end in this line");
    });
    let plug = |plug: &str| {
        let mut words = plug.split_whitespace().map(str::to_owned);
        let (Some(host), Some(interface)) = (words.next(), words.next()) else {
            panic!("{place}: {plug:?} is not a host and its interface");
        };
        Plug { host, interface, mac: words.next() }
    };
    plugs.split(',').map(plug).collect()
}

impl Block {
    /// `None` for a block that is only to be read.
    fn parse(info: &str, place: String, lines: Vec<String>) -> Option<Self> {
        let (language, words) = info.split_once(' ').unwrap_or((info, ""));
        if let Some(reason) = words.strip_prefix("not-runnable") {
            let given = reason.strip_prefix(": ").is_some_and(|reason| reason.len() > 10);
            assert!(given, "{place}: say after \"not-runnable: \" why not");
            return None;
        }
        let is_console = language == "console";
        assert!(
            is_console || !["sh", "bash", "shell"].contains(&language) || words.contains("file="),
            "{place}: write console, with a $ before each command, so that it is run"
        );
        let mut block = Self { place, lines, ..Self::default() };
        for word in words.split_whitespace() {
            match word.split_once('=') {
                None if word == "goes-on" => block.goes_on = true,
                None if word == "meanwhile" => block.meanwhile = true,
                None if word == "exact" => block.exact = true,
                None if word == "soon" => block.soon = true,
                Some(("on", host)) => block.host = Some(host.to_owned()),
                Some(("file", path)) => block.file = Some(path.to_owned()),
                Some(("exit", status)) => block.exit = status.parse().unwrap(),
                _ => panic!("{}: the fence cannot say {word:?}", block.place),
            }
        }
        (is_console || block.file.is_some()).then_some(block)
    }

    /// Its commands in order.
    pub(crate) fn steps(&self) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        for line in self.lines.iter().filter(|line| !line.trim().is_empty()) {
            if let Some(command) = line.strip_prefix("$ ") {
                let command = command.to_owned();
                steps.push(Step { command, output: Vec::new(), interrupt: None });
                continue;
            }
            let Some(step) = steps.last_mut() else {
                panic!("{}: the first line must be a command, after a $", self.place);
            };
            if line == "^C" {
                step.interrupt = Some(step.output.len());
            } else {
                step.output.push(line.clone());
            }
        }
        steps
    }
}
