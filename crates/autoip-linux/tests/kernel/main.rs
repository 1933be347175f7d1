//! Tests on real interfaces of the kernel, each in a network namespace of its own.
//!
//! A user namespace can only be entered while a process has one thread, so this binary brings
//! its own `main`. Where namespaces are not to be had, every test is reported as ignored.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]
#![expect(clippy::print_stdout, reason = "a test binary reports on standard output")]

mod cable;
mod lock;
mod monitor;
mod packet;
mod route;

use std::fs;
use std::io;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid};

const TESTS: &[(&str, fn())] = &[
    ("packet::nothing_is_queued_before_the_first_filter", packet::nothing_is_queued_early),
    ("packet::a_candidate_filter_passes_what_concerns_it", packet::candidate_filter),
    ("packet::a_claimed_filter_passes_senders_only", packet::claimed_filter),
    ("packet::frames_of_a_vlan_are_skipped", packet::vlan),
    ("packet::own_frames_are_unseen_except_by_a_tap", packet::own_frames),
    ("packet::stamps_are_on_the_boot_clock", packet::stamps),
    ("packet::a_socket_survives_down_and_up", packet::down_and_up),
    ("packet::a_lost_frame_is_counted", packet::drops),
    ("packet::an_interface_that_is_gone_is_told", packet::gone),
    ("monitor::an_interface_appears_and_goes", monitor::appears_and_goes),
    ("monitor::a_carrier_goes_and_returns", monitor::carrier),
    ("monitor::a_bridge_port_is_not_removed", monitor::bridge_port),
    ("monitor::lost_messages_are_told", monitor::overrun),
    ("monitor::addresses_are_followed", monitor::addresses),
    ("route::an_address_is_read_back_as_it_was_added", route::address_round_trip),
    ("route::an_address_is_renewed_and_removed", route::address_renewed),
    ("route::routes_are_added_replaced_and_removed", route::routes),
    ("route::another_interface_keeps_its_route", route::two_interfaces),
    ("route::neighbours_with_a_known_mac_are_listed", route::neighbours),
    ("route::the_loopback_interface_is_unsuitable", route::loopback),
    ("lock::the_second_one_learns_of_the_first", lock::taken),
    ("lock::a_name_without_a_listener_keeps_nobody_away", lock::squatted),
    ("lock::namespaces_do_not_share_locks", lock::namespaces),
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let skipped = enter_namespaces().err();
    if let Some(why) = &skipped {
        println!("skipped: no private network namespace can be made here: {why}");
    }
    let trials = TESTS.iter().map(|&(name, test)| {
        let trial = Trial::test(name, move || {
            unshare(CloneFlags::CLONE_NEWNET)?;
            test();
            Ok(())
        });
        trial.with_ignored_flag(skipped.is_some())
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

/// Leaves the network of the machine, with the right to make more namespaces.
fn enter_namespaces() -> io::Result<()> {
    let (uid, gid) = (geteuid(), getegid());
    if uid.is_root() && unshare(CloneFlags::CLONE_NEWNET).is_ok() {
        return Ok(());
    }
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET)?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("0 {uid} 1"))?;
    fs::write("/proc/self/gid_map", format!("0 {gid} 1"))
}
