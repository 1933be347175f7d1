//! Columns that line up.

use crate::screen::{Screen, Tone};

/// Between two columns.
const GAP: &str = "  ";

/// One place of a table.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    pub(crate) tone: Tone,
    pub(crate) text: String,
}

impl Cell {
    pub(crate) fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self { tone, text: text.into() }
    }
}

/// How wide each column of a table is.
fn widths(rows: &[Vec<Cell>]) -> Vec<usize> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.text.chars().count()).max().unwrap_or(0)
    };
    (0..columns).map(width).collect()
}

/// How wide a table is.
pub(crate) fn width(rows: &[Vec<Cell>]) -> usize {
    let widths = widths(rows);
    widths.iter().sum::<usize>() + GAP.len() * widths.len().saturating_sub(1)
}

/// The lines of a table. The last column is as wide as it happens to be.
pub(crate) fn lines(rows: &[Vec<Cell>], screen: &Screen) -> Vec<String> {
    let widths = widths(rows);
    rows.iter()
        .map(|row| {
            let mut line = String::new();
            let filled = row.iter().rposition(|cell| !cell.text.is_empty());
            for (at, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let Some(last) = filled.filter(|&last| at <= last) else { break };
                line.push_str(&screen.toned(cell.tone, &cell.text));
                if at < last {
                    line.push_str(&" ".repeat(width - cell.text.chars().count()));
                    line.push_str(GAP);
                }
            }
            line
        })
        .collect()
}
