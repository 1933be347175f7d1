//! What could not be looked at.

use crate::facts::{Facts, Unseen};
use crate::{Finding, Id, Severity};

/// Each gap by itself: what is not known is not the same as nothing.
pub(super) fn could_not_look(facts: &Facts) -> Vec<Finding> {
    let gap = |unseen: &Unseen| Finding {
        id: Id::CouldNotLook,
        severity: Severity::Unknown,
        interface: unseen.interface.clone(),
        what: format!("Could not see {}: {}.", unseen.what, unseen.why),
        why: "Something may be wrong there.".to_owned(),
        rfc: None,
        remedy: unseen.remedy.clone(),
        command: None,
    };
    facts.unseen.iter().map(gap).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::brief;

    #[test]
    fn a_gap_is_told_with_its_reason() {
        let unseen = vec![Unseen {
            interface: Some("eth1".to_owned()),
            what: "who answers on eth1".to_owned(),
            why: "Operation not permitted".to_owned(),
            remedy: "Run the doctor as root.".to_owned(),
        }];
        let found = could_not_look(&Facts { unseen, ..Facts::default() });
        assert_eq!(brief(&found), [(Id::CouldNotLook, Severity::Unknown, Some("eth1"))]);
        assert_eq!(found[0].what, "Could not see who answers on eth1: Operation not permitted.");
    }
}
