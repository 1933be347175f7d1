//! `autoipctl predict`: where a device is to be found that has no screen.

use std::collections::BTreeSet;

use autoip_core::Sequence;

use crate::cli::PredictArgs;
use crate::exit::{Exit, Failure};
use crate::screen::Screen;

pub(super) fn run(args: &PredictArgs, screen: &mut Screen) -> Result<Exit, Failure> {
    let range = args.range();
    let size = u32::from(range.last().index() - range.first().index()) + 1;
    if args.count > size {
        let sentence = format!(
            "{} addresses are asked for, and {range} has {size}: ask for at most {size}, or widen \
             --range",
            args.count
        );
        return Err(Failure::Other(Exit::Usage, sentence));
    }
    // It comes back to addresses now and then. A device that does so passes over the last few that
    // it found in use, and may well try one of before again: no use to whoever looks for it.
    let mut seen = BTreeSet::new();
    let distinct = Sequence::new(args.mac, &args.key(), range).filter(|addr| seen.insert(*addr));
    // This way round nothing is looked for when all are found.
    for (_, addr) in (0..args.count).zip(distinct) {
        screen.line(&addr.to_string())?;
    }
    Ok(Exit::Done)
}
