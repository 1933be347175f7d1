//! The control socket: bytes of a client into the daemon, and bytes of a daemon into a client.

use autoip_control::{Call, Event, Inbox, Refusal, Reply, Request, StatusReply, TooLong};

/// As much as the daemon takes in one message.
const MESSAGE_MAX: usize = 8192;

/// The first byte says how long the pieces are in which the others arrive. Every message is taken
/// for a call and for a reply: what can be read is written and read again, and a refusal arrives as
/// the one that was sent.
pub fn control(bytes: &[u8]) {
    let Some((&size, rest)) = bytes.split_first() else { return };
    let mut inbox = Inbox::new(MESSAGE_MAX);
    for piece in rest.chunks(usize::from(size).max(1)) {
        inbox.push(piece);
        loop {
            match inbox.next_message() {
                Ok(Some(message)) => {
                    assert!(message.len() < MESSAGE_MAX && !message.contains(&0));
                    call(&message);
                    reply(&message);
                }
                Ok(None) => break,
                Err(TooLong { limit }) => return assert_eq!(limit, MESSAGE_MAX),
            }
        }
    }
}

fn call(message: &[u8]) {
    let Ok(call) = Call::parse(message) else { return };
    let method = call.method.clone();
    assert_eq!(Call::parse(without_end(&call.to_bytes())).map(|again| again.method), Ok(method));
    if let Err(refusal) = Request::parse(call) {
        let bytes = refusal.to_reply().to_bytes();
        let reply = Reply::parse(without_end(&bytes)).expect("it was built");
        let error = reply.error.expect("a refusal is an error");
        assert_eq!(Refusal::from_error(&error, reply.parameters), refusal);
        assert!(!refusal.to_string().is_empty());
    }
}

fn reply(message: &[u8]) {
    let Ok(Reply { parameters, error, .. }) = Reply::parse(message) else { return };
    if let Some(error) = error {
        let refusal = Refusal::from_error(&error, parameters);
        assert!(!refusal.name().is_empty() || error.is_empty());
        return;
    }
    let parameters = serde_json::Value::Object(parameters.unwrap_or_default());
    if let Ok(status) = serde_json::from_value::<StatusReply>(parameters.clone()) {
        let written = serde_json::to_value(&status).expect("it was read");
        let again = serde_json::from_value::<StatusReply>(written).expect("it was written");
        assert_eq!(again, status);
        // No name or version of anybody's begins a line of its own.
        let text = autoip_control::exposition::render(&status);
        let is_ours = |line: &str| line.starts_with("# ") || line.starts_with("autoip_");
        assert!(text.split_terminator('\n').all(is_ours), "{text}");
    }
    let _ = serde_json::from_value::<Event>(parameters);
}

fn without_end(bytes: &[u8]) -> &[u8] {
    bytes.strip_suffix(&[0]).expect("a message has an end")
}
