//! All findings of one examination.

use serde::Serialize;

use crate::{Finding, Id, Severity};

/// What came of an examination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The interfaces that were examined.
    pub interfaces: Vec<String>,
    /// What was found, the worst first.
    pub findings: Vec<Finding>,
}

impl Report {
    pub(crate) fn new(interfaces: Vec<String>, mut findings: Vec<Finding>) -> Self {
        findings.sort_by(|a, b| {
            let key = |finding: &Finding| (finding.severity, finding.interface.clone(), finding.id);
            key(a).cmp(&key(b))
        });
        Self { interfaces, findings }
    }

    /// How many findings have this severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// Whether there is a finding of this kind, whatever its severity.
    #[must_use]
    pub fn has(&self, id: Id) -> bool {
        self.findings.iter().any(|finding| finding.id == id)
    }

    /// The exit status of a program: 1 where a problem was found, else 0.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        u8::from(self.count(Severity::Problem) > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(severity: Severity, interface: Option<&str>) -> Finding {
        Finding {
            id: Id::RpFilter,
            severity,
            interface: interface.map(str::to_owned),
            what: String::new(),
            why: String::new(),
            rfc: None,
            remedy: String::new(),
            command: None,
        }
    }

    #[test]
    fn only_problems_make_the_exit_status() {
        let report = |severities: &[Severity]| {
            let findings = severities.iter().map(|&severity| finding(severity, None)).collect();
            Report::new(Vec::new(), findings)
        };
        assert_eq!(report(&[]).exit_status(), 0);
        let others = [Severity::Note, Severity::Unknown, Severity::Warning];
        assert_eq!(report(&others).exit_status(), 0);
        assert_eq!(report(&Severity::ALL).exit_status(), 1);
    }

    #[test]
    fn the_worst_comes_first_and_interfaces_stay_together() {
        let report = Report::new(
            Vec::new(),
            vec![
                finding(Severity::Note, Some("a")),
                finding(Severity::Problem, Some("b")),
                finding(Severity::Problem, Some("a")),
                finding(Severity::Problem, None),
            ],
        );
        let order: Vec<_> =
            report.findings.iter().map(|f| (f.severity, f.interface.as_deref())).collect();
        assert_eq!(
            order,
            [
                (Severity::Problem, None),
                (Severity::Problem, Some("a")),
                (Severity::Problem, Some("b")),
                (Severity::Note, Some("a")),
            ]
        );
    }
}
