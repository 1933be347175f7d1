//! Breadth first, each state once.

use std::collections::BTreeSet;

use crate::state::{Input, State};

/// Visits every state that up to `depth` of `inputs` lead to, and returns how many there are.
/// Breadth first finds each state with as many inputs left as there can be.
pub(crate) fn explore(
    roots: &[State],
    inputs: &[Input],
    depth: usize,
    mut visit: impl FnMut(&State),
) -> usize {
    let mut seen = BTreeSet::new();
    let mut level: Vec<State> =
        roots.iter().filter(|root| seen.insert(root.key())).cloned().collect();
    level.iter().for_each(&mut visit);
    for _ in 0..depth {
        let mut next = Vec::new();
        for state in &level {
            for &input in inputs {
                let after = state.after(input);
                if seen.insert(after.key()) {
                    visit(&after);
                    next.push(after);
                }
            }
        }
        level = next;
    }
    seen.len()
}
