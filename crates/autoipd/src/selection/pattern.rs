//! Names of interfaces with `*` for any characters and `?` for any one.

use std::fmt;

/// The longest name that the kernel gives an interface, in bytes.
pub(crate) const NAME_MAX: usize = 15;
/// The longest pattern, in bytes: it bounds what a comparison costs.
const PATTERN_MAX: usize = 64;

/// A name, or a pattern that fits many.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pattern(String);

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// A sentence for one that no interface can have as its name.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let bytes = text.bytes().filter(|&byte| byte != b'*').count();
        let fits = !text.is_empty() && bytes <= NAME_MAX && text.len() <= PATTERN_MAX;
        let plain = !text.contains(|c: char| c == '/' || c == ':' || c.is_whitespace());
        if fits && plain && text != "." && text != ".." {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!(
                "{text:?} cannot be an interface: names have 1 to {NAME_MAX} bytes, without \
                 slash, colon or space; * stands for any characters and ? for any one"
            ))
        }
    }

    /// The name, where it is no more than one.
    pub(crate) fn exact(&self) -> Option<&str> {
        (!self.0.contains(['*', '?'])).then_some(&self.0)
    }

    pub(super) fn matches(&self, name: &str) -> bool {
        if let Some(exact) = self.exact() {
            return exact == name;
        }
        let (pattern, name): (Vec<_>, Vec<_>) = (self.0.chars().collect(), name.chars().collect());
        let (mut at, mut in_name) = (0, 0);
        // Where to go on when the last star has to take one character more.
        let mut retry = None;
        while in_name < name.len() {
            match pattern.get(at) {
                Some('*') => {
                    retry = Some((at, in_name));
                    at += 1;
                }
                Some(&c) if c == '?' || c == name[in_name] => {
                    at += 1;
                    in_name += 1;
                }
                Some(_) | None => {
                    let Some((star, taken)) = retry else { return false };
                    retry = Some((star, taken + 1));
                    (at, in_name) = (star + 1, taken + 1);
                }
            }
        }
        pattern[at..].iter().all(|&c| c == '*')
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(name)
    }

    #[test]
    fn stars_and_question_marks_stand_for_characters() {
        for (pattern, name) in [
            ("eth0", "eth0"),
            ("eth*", "eth0"),
            ("eth*", "eth"),
            ("*", "anything"),
            ("en*s?f*", "enp3s0f1"),
            ("*.100", "eth0.100"),
            ("e?h?", "eth0"),
            ("*a*b", "aab-ab"),
            ("**", "x"),
            ("län*", "län0"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("eth0", "eth00"),
            ("eth?", "eth"),
            ("eth?", "eth10"),
            ("*.100", "eth0.1000"),
            ("*a*b", "aab-abc"),
            ("ETH*", "eth0"),
            ("[e]th0", "eth0"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    /// Every pattern of up to four characters against every name of up to four, compared with
    /// the definition itself.
    #[test]
    fn agrees_with_the_definition() {
        fn defined(pattern: &[char], name: &[char]) -> bool {
            match pattern.split_first() {
                None => name.is_empty(),
                Some(('*', rest)) => (0..=name.len()).any(|n| defined(rest, &name[n..])),
                Some((c, rest)) => name
                    .split_first()
                    .is_some_and(|(first, tail)| (*c == '?' || c == first) && defined(rest, tail)),
            }
        }
        fn words(letters: &[char]) -> Vec<String> {
            let mut words = vec![String::new()];
            for _ in 0..4 {
                let longer =
                    words.iter().flat_map(|w| letters.iter().map(move |c| format!("{w}{c}")));
                words.extend(longer.collect::<Vec<_>>());
            }
            words.sort();
            words.dedup();
            words
        }
        for pattern in words(&['a', 'b', '*', '?']) {
            for name in words(&['a', 'b']) {
                let (p, n): (Vec<_>, Vec<_>) = (pattern.chars().collect(), name.chars().collect());
                assert_eq!(
                    Pattern(pattern.clone()).matches(&name),
                    defined(&p, &n),
                    "{pattern} {name}"
                );
            }
        }
    }

    #[test]
    fn a_name_without_either_is_exact() {
        assert_eq!(Pattern::parse("eth0").unwrap().exact(), Some("eth0"));
        assert_eq!(Pattern::parse("eth?").unwrap().exact(), None);
        assert_eq!(Pattern::parse("*").unwrap().exact(), None);
    }

    #[test]
    fn refuses_what_no_interface_can_be_called() {
        for text in ["", "a/b", "eth0:9", "a b", ".", "..", "enx00112233445566", "????????????????"]
        {
            let error = Pattern::parse(text).unwrap_err();
            assert!(error.contains("1 to 15 bytes"), "{error}");
        }
        assert!(Pattern::parse(&"*".repeat(65)).is_err());
        assert!(Pattern::parse("*23456789012345*").is_ok());
    }
}
