//! The guide leads to every finding, and to no other.
#![forbid(unsafe_code)]

use std::fs;

use autoip_doctor::Id;

const GUIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/troubleshooting.md");

#[test]
fn the_guide_knows_every_finding_and_no_other() {
    let guide = fs::read_to_string(GUIDE).unwrap();
    for id in Id::ALL {
        assert!(guide.contains(&format!("**{id}**")), "{GUIDE} does not lead to {id}");
    }
    // What is written in bold there is the name of a finding.
    for name in guide.split("**").skip(1).step_by(2) {
        assert!(Id::ALL.iter().any(|id| id.name() == name), "there is no finding {name}");
    }
}
