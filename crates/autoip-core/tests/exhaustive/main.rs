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

/// What must hold in every state that up to `depth` of `inputs` lead to. Says how many there were.
fn check(inputs: &[Input], depth: usize) -> String {
    let mut stages = BTreeSet::new();
    let situations = situations();
    let states = explore(&situations, inputs, depth, |state| {
        state.assert_sound();
        state.assert_stoppable();
        state.assert_gets_bound();
        stages.insert(state.stage().to_string());
    });
    let (from, inputs) = (situations.len(), inputs.len());
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
    format!("{states} states, {depth} of {inputs} inputs deep, from {from} situations")
}

#[test]
fn every_state_that_six_inputs_can_reach_is_sound_and_can_be_left() {
    println!("{}", check(&Input::LIFE, 6));
}

/// Each new input makes many more states, so that these are not as deep.
#[test]
fn so_is_every_state_that_four_inputs_reach_when_settings_change_as_well() {
    println!("{}", check(&[&Input::LIFE[..], &Input::SETTINGS].concat(), 4));
}
