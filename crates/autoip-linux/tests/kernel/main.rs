//! Tests on real interfaces of the kernel, each in a network namespace of its own.
//!
//! A user namespace can only be entered while a process has one thread, so this binary brings
//! its own `main`. Where namespaces are not to be had, every test is reported as ignored.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]
#![expect(clippy::print_stdout, reason = "a test binary reports on standard output")]

mod cable;
mod conf;
mod lock;
mod monitor;
mod nft;
mod packet;
mod route;
mod rule;
mod sibling;
mod sock_diag;

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
    ("sibling::only_what_passes_from_port_to_port_is_heard", sibling::across),
    ("sibling::a_hundred_ports_fit", sibling::hundred_ports),
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
    ("rule::rules_are_added_told_and_removed", rule::rules),
    ("rule::a_rule_of_somebody_else_is_left_alone", rule::foreign),
    ("rule::a_source_leaves_by_its_own_interface", rule::own_interface),
    ("rule::a_source_goes_straight_to_its_destination", rule::no_gateway),
    ("rule::a_broadcast_route_needs_no_address", rule::broadcast),
    ("nft::the_ruleset_reads_as_it_was_meant", nft::text),
    ("nft::arp_with_a_link_local_sender_is_broadcast", nft::broadcast),
    ("nft::the_gate_lets_claimed_addresses_out", nft::closed_gate),
    ("nft::a_mark_passes_the_closed_gate", nft::mark),
    ("nft::a_broadcast_reply_confirms_a_neighbour", nft::confirmation),
    ("nft::nothing_link_local_is_forwarded", nft::forward),
    ("nft::nothing_link_local_goes_to_a_router", nft::router),
    ("nft::an_owned_table_is_left_alone_and_goes_with_its_owner", nft::owner),
    ("nft::a_refused_batch_changes_nothing", nft::refused),
    ("nft::what_is_not_there_is_cleared_as_well", nft::clear),
    ("nft::sets_hold_thousands_of_interfaces", nft::many),
    ("nft::a_device_that_is_not_there_is_told", nft::absent_device),
    ("sock_diag::sockets_of_an_address_are_listed", sock_diag::listed),
    ("sock_diag::a_reset_reaches_the_peer_and_nobody_else", sock_diag::reset),
    ("conf::a_setting_is_read_back_as_it_was_set", conf::round_trip),
    ("conf::a_setting_of_the_search_for_neighbours_is_read_back", conf::neighbours),
    ("conf::arp_is_ignored_for_another_interface", conf::arp_ignore),
    ("conf::settings_of_all_interfaces_are_read", conf::of_all),
    ("conf::an_interface_without_settings_is_told", conf::gone),
    ("lock::the_second_one_learns_of_the_first", lock::taken),
    ("lock::a_name_without_a_listener_keeps_nobody_away", lock::squatted),
    ("lock::a_listener_that_never_answers_keeps_nobody_away", lock::stopped_up),
    ("lock::a_holder_that_is_asked_often_is_named", lock::asked_often),
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
