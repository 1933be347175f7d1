//! One event for scripts, as it goes over the line to the runner.

use autoip_core::LinkLocalAddr;
use autoip_linux::IfIndex;

/// More than any job has.
pub(super) const MESSAGE_MAX: usize = 8192;

/// One event, and what scripts are told of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Job {
    /// The interface, for the log.
    pub(crate) interface: String,
    /// The arguments.
    pub(crate) args: Vec<String>,
    /// Variables of the environment.
    pub(crate) env: Vec<(String, String)>,
    /// What the script is to do for the daemon. This does not go over the line.
    pub(crate) errand: Option<Errand>,
}

/// An address that a script is to put on an interface, or to take off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Errand {
    pub(crate) index: IfIndex,
    pub(crate) addr: LinkLocalAddr,
    /// Whether the address is to be there afterwards.
    pub(crate) wanted: bool,
}

impl Job {
    /// A job without variables.
    pub(crate) fn new(interface: &str, args: Vec<String>) -> Self {
        Self { interface: interface.to_owned(), args, env: Vec::new(), errand: None }
    }

    /// Adds a variable.
    pub(crate) fn set(&mut self, name: &str, value: impl ToString) {
        self.env.push((name.to_owned(), value.to_string()));
    }

    /// The interface, the number of arguments, the arguments, the variables: texts, each of which
    /// ends with a zero byte, as nothing may that the kernel gives to programs.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut message = Vec::new();
        let mut add = |text: &str| {
            message.extend(text.bytes().filter(|&byte| byte != 0));
            message.push(0);
        };
        add(&self.interface);
        add(&self.args.len().to_string());
        self.args.iter().for_each(|arg| add(arg));
        for (name, value) in &self.env {
            add(name);
            add(value);
        }
        message
    }

    /// Reads a job; `None` where the message is none.
    pub(super) fn decode(message: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(message).ok()?.strip_suffix('\0')?;
        let mut texts = text.split('\0').map(str::to_owned);
        let interface = texts.next()?;
        let count: usize = texts.next()?.parse().ok()?;
        let args: Vec<_> = texts.by_ref().take(count).collect();
        let mut env = Vec::new();
        while let Some(name) = texts.next() {
            env.push((name, texts.next()?));
        }
        (args.len() == count).then_some(Self { interface, args, env, errand: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job() -> Job {
        let mut job = Job::new("eth0", ["BIND", "eth0", ""].map(str::to_owned).into());
        job.set("interface", "eth0");
        job.set("empty", "");
        job
    }

    #[test]
    fn a_job_arrives_as_it_was_sent() {
        for job in [job(), Job::default()] {
            assert_eq!(Job::decode(&job.encode()), Some(job));
        }
    }

    #[test]
    fn half_a_job_is_none() {
        let whole = job().encode();
        for len in 0..whole.len() {
            assert_ne!(Job::decode(&whole[..len]), Some(job()), "{len}");
        }
        assert_eq!(Job::decode(b"eth0\x009\0BIND\0"), None);
        assert_eq!(Job::decode(b"\xff\0"), None);
    }
}
