//! Whether questions for the names of link-local addresses stay on the link.

use crate::facts::Facts;
use crate::resolver::{Fate, Server};
use crate::{Finding, Id, Severity};

/// Name servers that pass such questions on, or may.
pub(super) fn resolver_leak(facts: &Facts) -> Vec<Finding> {
    if facts.resolver.stopped {
        return Vec::new();
    }
    facts.resolver.servers.iter().filter_map(judge).collect()
}

fn judge(server: &Server) -> Option<Finding> {
    let ip = server.ip;
    let (severity, what, remedy, command) = match &server.fate {
        Fate::Kept => return None,
        Fate::PassedOn { because, remedy, command } => (
            Severity::Warning,
            format!(
                "The name server {ip} lets questions about link-local addresses out: it \
                     {because}."
            ),
            remedy.clone(),
            command.clone(),
        ),
        Fate::LeavesHost => (
            Severity::Note,
            format!("Questions about link-local addresses go to the name server {ip}."),
            "Keep them on this host: install nss-mdns (libnss-mdns) and put \"mdns4_minimal \
             [NOTFOUND=return]\" before \"dns\" in /etc/nsswitch.conf, or use systemd-resolved. \
             Asking it shows whether it passes them on."
                .to_owned(),
            Some(
                "sed -i '/^hosts:/s/ dns/ mdns4_minimal [NOTFOUND=return] dns/' \
                 /etc/nsswitch.conf"
                    .to_owned(),
            ),
        ),
        Fate::Unknown(why) => (
            Severity::Unknown,
            format!("Whether questions about link-local addresses stay here is not known: {why}."),
            "Look whether the name server answers for 254.169.in-addr.arpa itself.".to_owned(),
            None,
        ),
    };
    Some(Finding {
        id: Id::ResolverLeak,
        severity,
        interface: None,
        what,
        why: "Nobody elsewhere can know the name of a link-local address; the question tells \
              strangers which hosts are on the link, and waits for an answer in vain."
            .to_owned(),
        rfc: Some("RFC 6762 §4, RFC 6303 §4.2"),
        remedy,
        command,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::brief;
    use crate::resolver::Resolver;

    fn found(fate: Fate, stopped: bool) -> Vec<Finding> {
        let servers = vec![Server { ip: [192, 168, 1, 1].into(), fate }];
        resolver_leak(&Facts { resolver: Resolver { stopped, servers }, ..Facts::default() })
    }

    #[test]
    fn what_becomes_of_the_question_decides() {
        let passed_on = Fate::PassedOn {
            because: "is dnsmasq".to_owned(),
            remedy: "Tell it.".to_owned(),
            command: None,
        };
        let unknown = Fate::Unknown("nobody answered".to_owned());
        assert_eq!(found(Fate::Kept, false), []);
        for (fate, severity) in [
            (passed_on.clone(), Severity::Warning),
            (Fate::LeavesHost, Severity::Note),
            (unknown, Severity::Unknown),
        ] {
            assert_eq!(brief(&found(fate, false)), [(Id::ResolverLeak, severity, None)]);
        }
        assert_eq!(found(passed_on, true), [], "no server is asked");
    }
}
