//! `autoipctl predict`: where a device is to be found that has no screen.

use autoip_core::Sequence;

use crate::cli::PredictArgs;
use crate::exit::{Exit, Failure};
use crate::screen::Screen;

pub(super) fn run(args: &PredictArgs, screen: &mut Screen) -> Result<Exit, Failure> {
    let sequence = Sequence::new(args.mac, &args.key(), args.range());
    for (addr, _) in sequence.zip(0..args.count) {
        screen.line(&addr.to_string())?;
    }
    Ok(Exit::Done)
}
