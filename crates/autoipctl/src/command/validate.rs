//! `autoipctl validate`: what the daemon would say to a configuration file.

use autoipd::config::load;

use crate::cli::ValidateArgs;
use crate::exit::{Exit, Failure};
use crate::screen::{Screen, Tone};

pub(super) fn run(args: &ValidateArgs, screen: &mut Screen) -> Result<Exit, Failure> {
    let file = args.file.display();
    let (lines, exit, tone) = match load(&args.file) {
        Ok(Some(_)) => (vec![format!("{file}: no mistakes")], Exit::Done, Tone::Good),
        Ok(None) => (vec![format!("{file}: there is no such file")], Exit::No, Tone::Bad),
        Err(mistakes) => (mistakes.iter().map(ToString::to_string).collect(), Exit::No, Tone::Bad),
    };
    for line in lines {
        let line = screen.toned(tone, &line);
        screen.line(&line)?;
    }
    Ok(exit)
}
