//! One run from beginning to end: a phase in which anything may fail and nothing forbidden may
//! happen, then a phase without faults in which everybody must get an address.

use std::fmt;
use std::net::Ipv4Addr;
use std::time::Duration;

use crate::bug::Bug;
use crate::checker::{LIVENESS, Violation};
use crate::clock::SimTime;
use crate::faults;
use crate::link::Transmission;
use crate::net::Net;
use crate::options::Options;
use crate::peer::Peer;
use crate::queue::Alarm;
use crate::world::{World, allowance, split_draw};

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The number that identifies what happened.
    pub trace: u64,
    /// What happened, where it was wanted as text.
    pub lines: Vec<String>,
    /// The rules that were broken.
    pub violations: Vec<Violation>,
    /// Frames that were sent.
    pub frames: u64,
    /// Simulated time.
    pub duration: Duration,
    /// How long it took after the end of all faults until everybody had an address of its own
    /// and kept it.
    pub settled_after: Option<Duration>,
}

/// What identifies a run.
#[derive(Clone, Debug)]
pub struct Run {
    /// Everything random in it.
    pub seed: u64,
    /// Everything else.
    pub options: Options,
    /// A bug in our hosts.
    pub bug: Option<Bug>,
}

impl fmt::Display for Run {
    /// The command that repeats the run.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "autoip-sim run --seed {}", self.seed)?;
        let options = self.options.to_string();
        write!(f, " --with '{options}'")?;
        if let Some(bug) = self.bug {
            write!(f, " --bug {bug:?}")?;
        }
        Ok(())
    }
}

/// A pause between two rounds in which everybody speaks; longer than two conflicts need to end a
/// claim, shorter than DEFEND_INTERVAL.
const ROUND: Duration = Duration::from_secs(4);
/// After so many rounds in which nobody lost an address it is over.
const QUIET_ROUNDS: u32 = 4;

impl Run {
    /// Runs it.
    #[must_use]
    pub fn outcome(&self, readable: bool) -> Outcome {
        let mut world = World::new(self.seed, &self.options, self.bug, readable);
        // A stranger without an address of the link's, who only ever asks.
        let stranger = u32::try_from(world.net.ports.len()).unwrap_or(u32::MAX);
        world.add_peer(|_, _| Box::new(Stranger));
        world.schedule();
        for (number, (at, parts)) in (0..).zip(faults::splits(&world.net)) {
            world.run_until(at);
            world.split(parts, split_draw(self.seed, number));
        }
        let healed_at = SimTime::START + self.options.chaos();
        world.run_until(healed_at);
        world.heal();
        let settled_after = self.settle(&mut world, stranger, healed_at);
        let end = world.net.now();
        world.net.audit.finish(end);
        Outcome {
            trace: world.net.trace.hash(),
            frames: world.net.frames,
            duration: end - SimTime::START,
            settled_after,
            violations: world.net.audit.violations().to_vec(),
            lines: world.net.trace.into_lines(),
        }
    }

    /// Lets everybody speak until all is well, or the time is up.
    //= test LL-1.5-01
    fn settle(&self, world: &mut World, stranger: u32, healed_at: SimTime) -> Option<Duration> {
        let deadline = healed_at + allowance(&self.options);
        let mut quiet = 0;
        let mut problem = String::new();
        while world.net.now() < deadline {
            let before = addrs(world);
            world.chatter(stranger);
            world.run_until(world.net.now() + ROUND);
            problem = Self::problem(world).unwrap_or_default();
            quiet = if problem.is_empty() && before == addrs(world) { quiet + 1 } else { 0 };
            if quiet == QUIET_ROUNDS {
                return Some(world.net.now() - healed_at - ROUND * QUIET_ROUNDS);
            }
        }
        if problem.is_empty() {
            problem = "addresses went on changing".to_owned();
        }
        world.net.audit.violate(world.net.now(), 0, LIVENESS, problem);
        None
    }

    /// Why not everybody is satisfied.
    fn problem(world: &World) -> Option<String> {
        let hosts = world.hosts.len();
        let mut holders = Vec::new();
        for node in 0..hosts + world.peers.len() {
            let addr = world.addr_of(node);
            if addr.is_none() && node < hosts {
                return Some(format!("#{node} has no address"));
            }
            holders.extend(addr.map(|addr| (addr, node)));
        }
        holders.sort_unstable();
        let pair = holders.windows(2).find(|pair| {
            let macs = [pair[0].1, pair[1].1].map(|node| world.net.ports[node].mac);
            // Others may do among themselves as they like, and hosts with one MAC address cannot
            // tell each other from themselves.
            pair[0].0 == pair[1].0 && macs[0] != macs[1] && pair[0].1 < hosts
        })?;
        let (addr, one) = pair[0];
        Some(format!("#{one} and #{} both have {addr}", pair[1].1))
    }
}

fn addrs(world: &World) -> Vec<Option<Ipv4Addr>> {
    (0..world.hosts.len()).map(|node| world.addr_of(node)).collect()
}

/// Somebody with a routable address.
#[derive(Debug)]
struct Stranger;

impl Peer for Stranger {
    fn receive(&mut self, _net: &mut Net, _frame: &Transmission) {}

    fn alarm(&mut self, _net: &mut Net, _alarm: Alarm) {}
}
