//! Bytes in, messages out: the framing of Varlink, in which a NUL byte ends each message.
//!
//! Used by both sides. Must never panic, whatever comes in, nor hold more than its limit.

use std::fmt;

/// The other side sent a message that is longer than allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong {
    /// What is allowed, in bytes.
    pub limit: usize,
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a message is longer than {} bytes", self.limit)
    }
}

impl std::error::Error for TooLong {}

/// What has come in and was not taken out yet.
///
/// It needs no memory while it is empty.
#[derive(Debug)]
pub struct Inbox {
    bytes: Vec<u8>,
    /// Up to here no NUL was found.
    searched: usize,
    limit: usize,
}

impl Inbox {
    /// An empty one, for messages of up to `limit` bytes, their end included.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), searched: 0, limit }
    }

    /// Takes in bytes, any number of messages or parts of them.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Takes the next whole message out, without its end. `None` while it is not whole.
    ///
    /// # Errors
    ///
    /// [`TooLong`] when it will never be whole within the limit. There is no way on from there.
    pub fn next_message(&mut self) -> Result<Option<Vec<u8>>, TooLong> {
        let unsearched = self.bytes.get(self.searched..).unwrap_or_default();
        let end = unsearched.iter().position(|&byte| byte == 0).map(|at| self.searched + at);
        match end {
            Some(end) if end < self.limit => {
                let rest = self.bytes.split_off(end + 1);
                let mut message = std::mem::replace(&mut self.bytes, rest);
                message.truncate(end);
                self.searched = 0;
                Ok(Some(message))
            }
            None if self.bytes.len() < self.limit => {
                self.searched = self.bytes.len();
                Ok(None)
            }
            Some(_) | None => Err(TooLong { limit: self.limit }),
        }
    }

    /// Whether nothing is left, not even part of a message.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// All messages of `chunks`, and what ended it.
    fn messages(limit: usize, chunks: &[&[u8]]) -> (Vec<Vec<u8>>, Option<TooLong>) {
        let (mut inbox, mut found) = (Inbox::new(limit), Vec::new());
        for chunk in chunks {
            inbox.push(chunk);
            loop {
                match inbox.next_message() {
                    Ok(Some(message)) => found.push(message),
                    Ok(None) => break,
                    Err(too_long) => return (found, Some(too_long)),
                }
            }
        }
        (found, None)
    }

    #[test]
    fn a_nul_byte_ends_a_message() {
        let (found, end) = messages(100, &[b"{\"a\"", b":1}", b"\0{}\0", b"\0rest"]);
        assert_eq!(found, [b"{\"a\":1}".as_slice(), b"{}", b""]);
        assert_eq!(end, None);
    }

    #[test]
    fn the_limit_counts_the_end_as_well() {
        assert_eq!(messages(4, &[b"abc\0"]), (vec![b"abc".to_vec()], None));
        let too_long = TooLong { limit: 4 };
        assert_eq!(messages(4, &[b"abcd\0"]), (vec![], Some(too_long)));
        assert_eq!(messages(4, &[b"ab", b"cd"]), (vec![], Some(too_long)));
        assert_eq!(messages(4, &[b"x\0", b"abcd"]), (vec![b"x".to_vec()], Some(too_long)));
        assert_eq!(too_long.to_string(), "a message is longer than 4 bytes");
    }

    #[test]
    fn is_empty_only_between_messages() {
        let mut inbox = Inbox::new(100);
        inbox.push(b"{}\0{");
        inbox.next_message().unwrap();
        assert!(!inbox.is_empty());
        inbox.push(b"}\0");
        inbox.next_message().unwrap();
        assert!(inbox.is_empty());
    }

    proptest! {
        /// How the bytes are cut into chunks changes nothing.
        #[test]
        fn chunks_do_not_matter(
            bytes in proptest::collection::vec(prop_oneof![Just(0u8), any::<u8>()], 0..200),
            cuts in proptest::collection::vec(1usize..20, 0..60),
        ) {
            let mut chunks = Vec::new();
            let mut rest = bytes.as_slice();
            for cut in cuts {
                let (chunk, more) = rest.split_at(cut.min(rest.len()));
                chunks.push(chunk);
                rest = more;
            }
            chunks.push(rest);
            let expected: Vec<_> = bytes.split(|&byte| byte == 0).map(<[u8]>::to_vec).collect();
            let (_, whole) = expected.split_last().unwrap();
            let (found, end) = messages(40, &chunks);
            let fitting = expected.iter().take_while(|message| message.len() < 40).count();
            prop_assert_eq!(found.as_slice(), &whole[..whole.len().min(fitting)]);
            prop_assert_eq!(end.is_some(), fitting < expected.len());
        }
    }
}
