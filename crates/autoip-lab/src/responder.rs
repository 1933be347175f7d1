//! What answers for a peer when somebody asks for its addresses.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use autoip_linux::PacketSocket;
use autoip_wire::{ArpPacket, MacAddr, Operation};

use crate::reader::{Reader, copy, drain};

/// To whom an owner of an address sends its answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To the asker alone, as most systems do.
    Unicast,
    /// To everybody, as RFC 3927 §2.5 wants it.
    Broadcast,
}

/// The background thread of a peer, and the rules that it follows.
#[derive(Debug)]
pub(crate) struct Responder {
    rules: Arc<Mutex<Rules>>,
    _reader: Reader,
}

/// For which addresses it answers.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(crate) owned: BTreeMap<Ipv4Addr, Answer>,
    /// Answers for every address there is.
    pub(crate) everything: bool,
}

impl Responder {
    /// Answers on `socket` in the name of `mac`; no rule is set at first.
    pub(crate) fn start(socket: Arc<PacketSocket>, mac: MacAddr) -> Self {
        let rules = Arc::new(Mutex::new(Rules::default()));
        let reader = Reader::start(copy(&socket), {
            let rules = Arc::clone(&rules);
            move || {
                drain(&socket, |received| {
                    let Ok((_, asked)) = ArpPacket::parse(received.frame) else { return };
                    let Some(answer) = lock(&rules).answer(&asked) else { return };
                    // A peer whose cable is pulled is not heard; that is no error here.
                    let _ = socket.send(&reply(mac, &asked, answer));
                });
            }
        });
        Self { rules, _reader: reader }
    }

    /// The rules, to be changed. They hold for every frame that is answered from then on.
    pub(crate) fn rules(&self) -> MutexGuard<'_, Rules> {
        lock(&self.rules)
    }
}

fn lock(rules: &Mutex<Rules>) -> MutexGuard<'_, Rules> {
    rules.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Rules {
    /// How to answer this packet: only requests and probes are answered, not announcements.
    fn answer(&self, asked: &ArpPacket) -> Option<Answer> {
        if asked.operation != Operation::Request || asked.sender_ip == asked.target_ip {
            return None;
        }
        let owned = self.owned.get(&asked.target_ip).copied();
        owned.or(self.everything.then_some(Answer::Unicast))
    }
}

fn reply(mac: MacAddr, asked: &ArpPacket, answer: Answer) -> autoip_wire::Frame {
    let packet = ArpPacket {
        operation: Operation::Reply,
        sender_mac: mac,
        sender_ip: asked.target_ip,
        target_mac: asked.sender_mac,
        target_ip: asked.sender_ip,
    };
    match answer {
        Answer::Unicast => packet.to_frame(asked.sender_mac),
        Answer::Broadcast => packet.to_broadcast(),
    }
}
