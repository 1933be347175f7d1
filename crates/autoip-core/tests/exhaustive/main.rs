//! Every order of up to six inputs, from every situation that an engine can be in: what must hold
//! in each state, and that each can be left.
//!
//! Two paths that lead to the same engine at the same instant are followed once. "The same" is
//! what its `Debug` text says: every field but the generator of the waits, which decides nothing
//! but when within its limits something is due. Counters are left out, as nothing depends on them.

mod explore;
mod state;

use std::collections::BTreeSet;

use autoip_core::{Phase, Stage};

use explore::explore;
use state::{Input, situations};

/// How many inputs deep.
const DEPTH: usize = 6;

#[test]
fn every_state_that_six_inputs_can_reach_is_sound_and_can_be_left() {
    let mut stages = BTreeSet::new();
    let states = explore(&situations(), &Input::ALL, DEPTH, |state| {
        state.assert_sound();
        state.assert_stoppable();
        state.assert_gets_bound();
        stages.insert(format!("{}", state.stage()));
    });
    println!("{states} states, {} situations, {} inputs", situations().len(), Input::ALL.len());
    let all = [
        Stage::Stopped,
        Stage::BackingOff,
        Stage::Claim(Phase::Waiting),
        Stage::Claim(Phase::Probing),
        Stage::Claim(Phase::Listening),
        Stage::Claim(Phase::Installing),
        Stage::Claim(Phase::Announcing),
        Stage::Claim(Phase::Verifying),
        Stage::Claim(Phase::Bound),
    ];
    assert_eq!(stages, all.iter().map(Stage::to_string).collect());
}
