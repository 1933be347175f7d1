//! Experiments: questions about many hosts that the simulator answers with figures, each a
//! function of one seed, and the files that they leave in docs/experiments.

mod crowding;
mod fast;
mod joined;
mod lossy;
mod occupancy;
mod power_on;
mod trial;

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use crate::plot::Chart;

/// The page that explains them.
const PAGE: &str = "README.md";

/// What an experiment is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    pub(crate) seed: u64,
    pub(crate) quick: bool,
}

impl Setup {
    /// How many trials to make where `many` give a good figure.
    fn trials(&self, many: u32) -> u32 {
        if self.quick { (many / 50).max(4) } else { many }
    }
}

/// What came of it.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    columns: &'static [&'static str],
    rows: Vec<Vec<String>>,
    /// Which rows a reader is shown; the CSV file has all.
    shown: fn(&[String]) -> bool,
    /// Charts, with what their file names add to the experiment's.
    charts: Vec<(&'static str, Chart)>,
}

/// An experiment.
#[derive(Clone, Copy, Debug)]
pub struct Experiment {
    /// Its name, and that of its files.
    pub name: &'static str,
    run: fn(&Setup) -> Report,
}

/// All experiments.
pub const EXPERIMENTS: &[Experiment] = &[
    Experiment { name: "crowding", run: crowding::run },
    Experiment { name: "occupancy", run: occupancy::run },
    Experiment { name: "power-on", run: power_on::run },
    Experiment { name: "joined", run: joined::run },
    Experiment { name: "both-leave", run: joined::run_both_leave },
    Experiment { name: "lossy", run: lossy::run },
    Experiment { name: "fast", run: fast::run },
];

/// Makes an experiment, or all where `name` is "all": tables go to `out`, files to `folder`.
///
/// # Errors
///
/// When a file cannot be written, with its name.
pub fn run(
    name: &str,
    seed: u64,
    quick: bool,
    folder: &Path,
    out: &mut dyn Write,
) -> io::Result<()> {
    for experiment in EXPERIMENTS {
        if name == experiment.name || name == "all" {
            let report = (experiment.run)(&Setup { seed, quick });
            let table = table(&report);
            writeln!(out, "\n{} (seed {seed})\n\n{table}", experiment.name)?;
            refresh(folder, experiment.name, &table)?;
            write(folder, &format!("{}.csv", experiment.name), &csv(&report))?;
            for (suffix, chart) in &report.charts {
                write(folder, &format!("{}{suffix}.svg", experiment.name), &chart.to_svg())?;
            }
        }
    }
    Ok(())
}

fn write(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    let path = folder.join(name);
    fs::create_dir_all(folder).and_then(|()| fs::write(&path, text)).map_err(|error| {
        io::Error::new(error.kind(), format!("cannot write {}: {error}", path.display()))
    })
}

/// Puts a table into the page that explains the experiments, where that is in `folder`: it takes
/// the place of the one after the experiment's mark.
fn refresh(folder: &Path, name: &str, table: &str) -> io::Result<()> {
    let Ok(page) = fs::read_to_string(folder.join(PAGE)) else { return Ok(()) };
    write(folder, PAGE, &with_table(&page, name, table))
}

fn with_table(page: &str, name: &str, table: &str) -> String {
    let mark = format!("<!-- table: {name} -->");
    let mut text = String::new();
    let mut in_old_table = false;
    for line in page.lines() {
        in_old_table &= line.starts_with('|');
        if !in_old_table {
            text.push_str(line);
            text.push('\n');
        }
        if line == mark {
            text.push_str(table);
            in_old_table = true;
        }
    }
    text
}

/// The table with all rows, as RFC 4180 has it but for the ends of lines.
fn csv(report: &Report) -> String {
    let head = csv_line(report.columns);
    std::iter::once(head).chain(report.rows.iter().map(|row| csv_line(row))).collect()
}

fn csv_line<T: AsRef<str>>(cells: &[T]) -> String {
    let quoted = cells.iter().map(|cell| match cell.as_ref() {
        cell if cell.contains([',', '"', '\r', '\n']) => {
            format!("\"{}\"", cell.replace('"', "\"\""))
        }
        cell => cell.to_owned(),
    });
    quoted.collect::<Vec<_>>().join(",") + "\n"
}

/// The table as Markdown.
fn table(report: &Report) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let head = report.columns.iter().map(|&cell| cell.to_owned()).collect();
    let rule = report.columns.iter().map(|_| "---".to_owned()).collect();
    let rows = report.rows.iter().filter(|row| (report.shown)(row)).cloned();
    [head, rule].into_iter().chain(rows).map(line).collect()
}

/// A number with `digits` digits after the point.
fn number(value: f64, digits: usize) -> String {
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests;
