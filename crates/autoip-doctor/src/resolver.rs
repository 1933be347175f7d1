//! Who is asked for the name of a link-local address, and what becomes of the question.
//!
//! RFC 6762 §4 keeps names under 254.169.in-addr.arpa on the link, and RFC 6303 §4.2 has every
//! name server answer for them itself. What a host's own configuration tells about that is
//! concluded here; the rest only an answer can tell ([`dns`]).

pub(crate) mod dns;
mod dnsmasq;
mod unbound;

use std::net::IpAddr;

use autoip_linux::Running;

use crate::gather::Files;

const RESOLV_CONF: &str = "etc/resolv.conf";
const NSSWITCH_CONF: &str = "etc/nsswitch.conf";
/// The addresses at which systemd-resolved listens.
const RESOLVED: [[u8; 4]; 2] = [[127, 0, 0, 53], [127, 0, 0, 54]];

/// The name servers of this host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Resolver {
    /// The C library stops such questions before any name server is asked.
    pub(crate) stopped: bool,
    pub(crate) servers: Vec<Server>,
}

/// A name server that programs of this host ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) ip: IpAddr,
    pub(crate) fate: Fate,
}

/// What becomes of a question about a link-local address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is answered where it is asked.
    Kept,
    /// It is passed on, as `because` tells: the end of a sentence that begins with the server.
    PassedOn { because: String, remedy: String, command: Option<String> },
    /// It leaves this host, and what then becomes of it was not asked.
    LeavesHost,
    /// Nobody knows, and why.
    Unknown(String),
}

/// A program on this host that answers questions, by the name that the kernel has for it.
type Judge = fn(&Running, &mut Files) -> Fate;

const KNOWN: [(&str, Judge); 3] = [
    ("dnsmasq", dnsmasq::judge),
    ("unbound", unbound::judge),
    ("systemd-resolve", |_, _| Fate::Kept),
];

/// Whether a running program is a name server that is known here.
pub(crate) fn is_known(program: &Running) -> bool {
    KNOWN.iter().any(|(name, _)| *name == program.name)
}

/// What the configuration tells, with the name servers that run on this host.
pub(crate) fn conclude(programs: &[Running], files: &mut Files) -> Resolver {
    let hosts = files.text(NSSWITCH_CONF).unwrap_or_default();
    let resolved_runs = programs.iter().any(|program| program.name == "systemd-resolve");
    let servers = name_servers(&files.text(RESOLV_CONF).unwrap_or_default());
    let servers = servers.into_iter().map(|ip| Server { ip, fate: fate(ip, programs, files) });
    Resolver { servers: servers.collect(), stopped: stops(&hosts, resolved_runs) }
}

fn fate(ip: IpAddr, programs: &[Running], files: &mut Files) -> Fate {
    if !ip.is_loopback() {
        return Fate::LeavesHost;
    }
    let at_resolved = RESOLVED.iter().any(|octets| ip == IpAddr::from(*octets));
    let known = KNOWN.iter().find_map(|(name, judge)| {
        let program = programs.iter().find(|program| program.name == *name)?;
        ((*name == "systemd-resolve") == at_resolved).then_some((program, judge))
    });
    match known {
        Some((program, judge)) => judge(program, files),
        None => Fate::Unknown(format!("what answers at {ip} on this host is not known")),
    }
}

/// The name servers in the order in which they are asked; the C library looks at three.
fn name_servers(resolv_conf: &str) -> Vec<IpAddr> {
    let lines = resolv_conf.lines().filter_map(|line| line.trim().strip_prefix("nameserver"));
    let words = lines.filter_map(|rest| rest.split_whitespace().next());
    // "fe80::1%eth0" names the interface as well.
    words.filter_map(|word| word.split('%').next()?.parse().ok()).take(3).collect()
}

/// Whether the line `hosts:` ends the search before "dns" for addresses of the link.
///
/// `mdns4_minimal` and its like answer for link-local addresses and nothing else, and
/// `[NOTFOUND=return]` behind it makes its answer the last word. `resolve` asks systemd-resolved.
fn stops(nsswitch_conf: &str, resolved_runs: bool) -> bool {
    let line = nsswitch_conf.lines().find_map(|line| line.trim().strip_prefix("hosts:"));
    let text = line.unwrap_or_default().split('#').next().unwrap_or_default().to_lowercase();
    let words: Vec<&str> = text.split_whitespace().collect();
    let before_dns = words.iter().take_while(|word| **word != "dns").count();
    words.windows(2).take(before_dns).any(|pair| match *pair {
        ["mdns_minimal" | "mdns4_minimal", action] => action.contains("notfound=return"),
        ["resolve", action] => {
            resolved_runs
                && (action.contains("!unavail=return") || action.contains("notfound=return"))
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manager::tests::running;

    #[test]
    fn an_action_before_dns_stops_the_question() {
        for (line, stopped) in [
            ("files mdns4_minimal [NOTFOUND=return] dns", true),
            ("files mdns4_minimal [NOTFOUND=return] dns mdns4", true),
            ("files mdns4_minimal dns", false),
            ("files dns mdns4_minimal [NOTFOUND=return]", false),
            ("mymachines resolve [!UNAVAIL=return] files dns", true),
            ("files dns", false),
            ("files # mdns4_minimal [NOTFOUND=return] dns", false),
        ] {
            assert_eq!(stops(&format!("passwd: files\nhosts: {line}\n"), true), stopped, "{line}");
        }
        assert!(!stops("hosts: resolve [!UNAVAIL=return] dns", false), "resolved does not run");
        assert!(!stops("", true));
    }

    #[test]
    fn a_server_is_judged_by_what_runs_at_its_address() {
        let resolv = "# made\nnameserver 127.0.0.53\nnameserver 192.168.1.1 # router\noptions\n";
        let mut files = Files::made_up(&[(RESOLV_CONF, resolv)]);
        let programs = [running("systemd-resolve", &["/lib/systemd/systemd-resolved"])];
        let fates = |resolver: Resolver| -> Vec<_> {
            resolver.servers.into_iter().map(|server| server.fate).collect()
        };
        let found = fates(conclude(&programs, &mut files));
        assert_eq!(found, [Fate::Kept, Fate::LeavesHost]);
        let found = fates(conclude(&[], &mut files));
        assert!(matches!(found[0], Fate::Unknown(_)), "{found:?}");

        let mut files = Files::made_up(&[(RESOLV_CONF, "nameserver 127.0.0.1\n")]);
        let found = fates(conclude(&programs, &mut files));
        assert!(matches!(found[0], Fate::Unknown(_)), "resolved is elsewhere: {found:?}");
        assert_eq!(conclude(&[], &mut Files::default()), Resolver::default());
    }

    #[test]
    fn no_more_servers_count_than_are_asked() {
        let text = "nameserver 10.0.0.1\nnameserver ::1\nnameserver x\n".repeat(3);
        assert_eq!(name_servers(&text).len(), 3);
        assert_eq!(name_servers("nameserver fe80::1%eth0").len(), 1);
    }
}
