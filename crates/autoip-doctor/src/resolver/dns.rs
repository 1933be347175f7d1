//! One question to a name server, and what its answer tells.
//!
//! Whoever answers for 254.169.in-addr.arpa itself says so in the SOA record of its "no such
//! name". One that comes from elsewhere names another zone, or the servers to which the DNS sends
//! such questions in order to be rid of them (RFC 7534).

/// The zone of the names of link-local addresses.
const ZONE: &str = "254.169.in-addr.arpa";
/// The host that answers for it in the public DNS.
const PUBLIC_HOST: &str = "iana.org";

/// The name that is asked for: that of 169.254.0.0, which no host has.
const LABELS: [&str; 6] = ["0", "0", "254", "169", "in-addr", "arpa"];
const HEADER_LEN: usize = 12;
const TYPE_SOA: u16 = 6;
const TYPE_PTR: u16 = 12;
const CLASS_IN: u16 = 1;
const RECURSION_DESIRED: u16 = 0x0100;
const RESPONSE: u16 = 0x8000;
const NO_ERROR: u16 = 0;
const NO_SUCH_NAME: u16 = 3;
const REFUSED: u16 = 5;
/// No name has more labels.
const LABELS_MAX: usize = 128;
/// More records than an answer to this question has.
const RECORDS_MAX: u16 = 64;

/// What an answer tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The server answers for link-local addresses itself, or refuses to.
    Kept,
    /// Somebody else answered: the zone and the host in the SOA record, or what else shows it.
    PassedOn(String),
    /// It shows neither.
    Unclear(String),
}

/// The question, with a number to know its answer by.
pub(crate) fn question(id: u16) -> Vec<u8> {
    let mut packet = Vec::new();
    for field in [id, RECURSION_DESIRED, 1, 0, 0, 0] {
        packet.extend(field.to_be_bytes());
    }
    for label in LABELS {
        packet.push(u8::try_from(label.len()).expect("labels are short"));
        packet.extend(label.as_bytes());
    }
    packet.push(0);
    for field in [TYPE_PTR, CLASS_IN] {
        packet.extend(field.to_be_bytes());
    }
    packet
}

/// What a packet tells; `None` where it is not an answer to the question with this number.
pub(crate) fn verdict(packet: &[u8], id: u16) -> Option<Verdict> {
    let flags = be16(packet, 2)?;
    if be16(packet, 0)? != id || flags & RESPONSE == 0 {
        return None;
    }
    let verdict = match flags & 0xf {
        REFUSED => Verdict::Kept,
        NO_ERROR | NO_SUCH_NAME => authority(packet)
            .unwrap_or_else(|| Verdict::Unclear("its answer cannot be understood".to_owned())),
        code => Verdict::Unclear(format!("it answered with error {code}")),
    };
    Some(verdict)
}

/// Who answered, by the records.
fn authority(packet: &[u8]) -> Option<Verdict> {
    let (questions, answers, authorities) = (be16(packet, 4)?, be16(packet, 6)?, be16(packet, 8)?);
    if questions > 1 || answers.checked_add(authorities)? > RECORDS_MAX {
        return None;
    }
    let mut at = HEADER_LEN;
    if questions == 1 {
        at = name(packet, at)?.1.checked_add(4)?;
    }
    for _ in 0..answers + authorities {
        let (zone, after) = name(packet, at)?;
        let (kind, length) = (be16(packet, after)?, be16(packet, after + 8)?);
        let data = after + 10;
        if kind == TYPE_PTR {
            return Some(Verdict::PassedOn("it has a name for 169.254.0.0".to_owned()));
        }
        if kind == TYPE_SOA {
            return Some(by_soa(&zone, &name(packet, data)?.0));
        }
        at = data.checked_add(length.into())?;
    }
    // Those who make such answers up, dnsmasq for one, add no record to them; one that came from
    // another server has it.
    Some(Verdict::Kept)
}

fn by_soa(zone: &str, host: &str) -> Verdict {
    let own = zone == ZONE || zone.ends_with(&format!(".{ZONE}"));
    if own && host != PUBLIC_HOST && !host.ends_with(&format!(".{PUBLIC_HOST}")) {
        Verdict::Kept
    } else {
        Verdict::PassedOn(format!("the answer came from {host}, for the zone \"{zone}\""))
    }
}

/// The name at a place, in lower case, and the place behind it.
fn name(packet: &[u8], mut at: usize) -> Option<(String, usize)> {
    let mut labels = Vec::new();
    let mut after = None;
    for _ in 0..LABELS_MAX {
        let length = usize::from(*packet.get(at)?);
        match length {
            0 => return Some((labels.join("."), after.unwrap_or(at + 1))),
            1..=63 => {
                let label = packet.get(at + 1..at + 1 + length)?;
                labels.push(String::from_utf8_lossy(label).to_lowercase());
                at += 1 + length;
            }
            // The rest stands elsewhere. The limit of labels ends a circle as well.
            _ if length & 0xc0 == 0xc0 => {
                after.get_or_insert(at + 2);
                at = usize::from(be16(packet, at)? & 0x3fff);
            }
            _ => return None,
        }
    }
    None
}

fn be16(packet: &[u8], at: usize) -> Option<u16> {
    packet.get(at..)?.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: u16 = 0x1234;

    fn encoded(name: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        for label in name.split('.').filter(|label| !label.is_empty()) {
            bytes.push(u8::try_from(label.len()).unwrap());
            bytes.extend(label.as_bytes());
        }
        bytes.push(0);
        bytes
    }

    /// "No such name", with the SOA record of a zone.
    fn answer(code: u16, soa: Option<(&str, &str)>) -> Vec<u8> {
        let mut packet = question(ID);
        packet[2..4].copy_from_slice(&(RESPONSE | code).to_be_bytes());
        if let Some((zone, host)) = soa {
            packet[9] = 1;
            packet.extend(encoded(zone));
            let data = [encoded(host), encoded("nobody.invalid"), vec![0; 20]].concat();
            for field in [TYPE_SOA, CLASS_IN, 0, 60, u16::try_from(data.len()).unwrap()] {
                packet.extend(field.to_be_bytes());
            }
            packet.extend(data);
        }
        packet
    }

    #[test]
    fn the_question_is_for_the_reverse_name() {
        let packet = question(ID);
        assert_eq!(name(&packet, HEADER_LEN).unwrap().0, "0.0.254.169.in-addr.arpa");
        assert_eq!(packet.len(), HEADER_LEN + 26 + 4);
        assert_eq!(verdict(&packet, ID), None, "a question is no answer");
    }

    #[test]
    fn a_zone_of_its_own_shows_that_it_is_kept() {
        for host in ["localhost", ZONE, "ns.example.net"] {
            let answer = answer(NO_SUCH_NAME, Some(("254.169.IN-ADDR.arpa", host)));
            assert_eq!(verdict(&answer, ID), Some(Verdict::Kept), "{host}");
        }
        assert_eq!(verdict(&answer(NO_SUCH_NAME, None), ID), Some(Verdict::Kept));
        assert_eq!(verdict(&answer(REFUSED, None), ID), Some(Verdict::Kept));
    }

    #[test]
    fn another_zone_or_host_shows_that_it_was_passed_on() {
        for (zone, host) in [
            (ZONE, "prisoner.iana.org"),
            ("169.in-addr.arpa", "z.arin.net"),
            ("in-addr.arpa", "b.in-addr-servers.arpa"),
            ("", "a.root-servers.net"),
        ] {
            let verdict = verdict(&answer(NO_SUCH_NAME, Some((zone, host))), ID);
            assert!(matches!(verdict, Some(Verdict::PassedOn(_))), "{zone} {verdict:?}");
        }
    }

    #[test]
    fn other_answers_tell_nothing() {
        assert!(matches!(verdict(&answer(2, None), ID), Some(Verdict::Unclear(_))));
        assert_eq!(verdict(&answer(NO_SUCH_NAME, None), ID + 1), None);
        let mut circle = answer(NO_SUCH_NAME, Some((ZONE, "localhost")));
        let at = question(ID).len();
        let pointer = 0xc000 | u16::try_from(at).unwrap();
        circle[at..at + 2].copy_from_slice(&pointer.to_be_bytes());
        assert!(matches!(verdict(&circle, ID), Some(Verdict::Unclear(_))));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = verdict(&bytes, ID);
        }

        #[test]
        fn damaged_answers_do_no_harm(at in 2..120usize, byte: u8, length in 0..120usize) {
            let mut packet = answer(NO_SUCH_NAME, Some((ZONE, "prisoner.iana.org")));
            let at = at % packet.len();
            packet[at] = byte;
            let _ = verdict(&packet, ID);
            packet.truncate(length);
            let _ = verdict(&packet, ID);
        }
    }
}
