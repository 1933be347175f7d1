//! Where the settings come from: the command line over the configuration file over the defaults.
//! The file can be read again while the daemon runs; nothing here has an effect of its own.

use std::path::{Path, PathBuf};

use autoip_control::DEFAULT_PATH as CONTROL;

use crate::Failure;
use crate::choice::Choices;
use crate::config::{self, Config, Mistake, ProcessChoices};
use crate::selection::{Criterion, Pattern, Rule};
use crate::settings::{
    GuardMode, HOOKS_DIR, InterfaceSettings, Place, ProcessSettings, STATE_DIR, Settings, Verbosity,
};

/// What the command line says, and which file to read below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// Interfaces to manage; where none is given, the file chooses, else every one is meant.
    pub(crate) selectors: Vec<Selector>,
    /// What is said of all of them.
    pub(crate) choices: Choices,
    pub(crate) process: ProcessChoices,
    /// The file, where one is named.
    pub(crate) config: Option<PathBuf>,
}

/// Interfaces that the command line names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selector {
    pub(crate) pattern: Pattern,
    /// What is said of them alone.
    pub(crate) choices: Choices,
}

impl Source {
    /// The settings, with the file as it is now.
    ///
    /// # Errors
    ///
    /// Everything wrong in the file, or what is contradictory between it and the command line.
    pub(crate) fn load(&self) -> Result<Settings, Failure> {
        let path = self.path();
        let config = match config::load(path).map_err(Failure::Config)? {
            Some(config) => config,
            None if self.config.is_none() => Config::default(),
            None => return Err(Failure::Config(vec![Mistake::missing(path)])),
        };
        self.over(&config).map_err(Failure::Usage)
    }

    /// The file that is read where it is there.
    pub(crate) fn path(&self) -> &Path {
        self.config.as_deref().unwrap_or(Path::new(config::DEFAULT_PATH))
    }

    /// The command line over this configuration.
    pub(crate) fn over(&self, config: &Config) -> Result<Settings, String> {
        let (ours, process) = (&self.process, &config.process);
        Ok(Settings {
            rules: self.rules(config)?,
            named: self.named(config)?,
            process: ProcessSettings {
                state_dir: ours
                    .state_dir
                    .clone()
                    .or_else(|| process.state_dir.clone())
                    .unwrap_or_else(|| PathBuf::from(STATE_DIR)),
                control: ours
                    .control
                    .clone()
                    .or_else(|| process.control.clone())
                    .map_or_else(|| Some(PathBuf::from(CONTROL)), |Place(path)| path),
                verbosity: ours.verbosity.or(process.verbosity).unwrap_or(Verbosity::Normal),
                guard: ours.guard.or(process.guard).unwrap_or(GuardMode::Auto),
                exempt: ours.exempt.clone().or_else(|| process.exempt.clone()).unwrap_or_default(),
                sandbox: ours.sandbox.or(process.sandbox).unwrap_or(true),
                hooks: hooks(ours.hooks.as_ref().or(process.hooks.as_ref())),
            },
        })
    }

    fn rules(&self, config: &Config) -> Result<Vec<Rule>, String> {
        let (choices, defaults) = (&self.choices, &config.defaults);
        if !self.selectors.is_empty() {
            let rules = self.selectors.iter().map(|selector| self.selected(selector, config));
            return Ok(rules.collect::<Result<Vec<_>, _>>()?.concat());
        }
        if config.tables.is_empty() {
            return Ok(vec![rule(Vec::new(), settings(choices, defaults)?)]);
        }
        config.tables.iter().map(|table| table.rule(&[], choices, defaults)).collect()
    }

    /// The rules of one selector: it says which, and the tables of the file say how.
    fn selected(&self, selector: &Selector, config: &Config) -> Result<Vec<Rule>, String> {
        let choices = selector.choices.clone().over(&self.choices);
        let criteria = [Criterion::Name(selector.pattern.clone())];
        let required = selector.pattern.exact().is_some();
        // Whoever names an interface means it, whatever the file says.
        let tables = config.tables.iter().filter(|table| {
            (table.manage || !required) && !table.is_about_another(&selector.pattern)
        });
        let mut rules = tables
            .map(|table| table.rule(&criteria, &choices, &config.defaults))
            .collect::<Result<Vec<_>, _>>()?;
        rules.push(rule(criteria.into(), settings(&choices, &config.defaults)?));
        for rule in &mut rules {
            rule.required = required;
        }
        Ok(rules)
    }

    /// How to manage what is named at run time.
    fn named(&self, config: &Config) -> Result<Vec<Rule>, String> {
        let (choices, defaults) = (&self.choices, &config.defaults);
        let tables = config.tables.iter().filter(|table| table.manage);
        let mut rules = tables
            .map(|table| table.rule(&[], choices, defaults))
            .collect::<Result<Vec<_>, _>>()?;
        rules.push(rule(Vec::new(), settings(choices, defaults)?));
        Ok(rules)
    }
}

fn hooks(chosen: Option<&PathBuf>) -> Option<PathBuf> {
    let dir = chosen.cloned().unwrap_or_else(|| PathBuf::from(HOOKS_DIR));
    (dir.as_os_str() != "none").then_some(dir)
}

fn settings(choices: &Choices, below: &Choices) -> Result<InterfaceSettings, String> {
    choices.clone().over(below).settings()
}

fn rule(criteria: Vec<Criterion>, settings: InterfaceSettings) -> Rule {
    Rule { criteria, settings: Some(settings), required: false }
}
