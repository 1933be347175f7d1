//! Every planted bug is caught by the checker that is meant for it, and the engine as it is passes
//! the same runs.

use autoip_sim::CANARIES;

#[test]
fn every_canary_is_caught_by_its_checker() {
    assert!(CANARIES.len() >= 15);
    for canary in CANARIES {
        let finding = canary.release();
        assert!(finding.caught.is_some(), "nobody noticed {canary:?}");
        assert!(finding.false_alarms.is_empty(), "{:#?}", finding.false_alarms);
    }
}
