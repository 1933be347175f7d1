//! Every finding on a real kernel: absent before, there once the fault is made, and gone again
//! after its remedy was carried out.
//!
//! Each test has network namespaces of its own. Remedies that are commands are run by a shell, as
//! somebody would paste them.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod address;
mod autoipd;
mod interface;
mod link;
mod manager;
mod patient;
mod resolver;
mod route;
mod rule;
mod setting;

use std::process::ExitCode;

use autoip_lab::tests;

fn main() -> ExitCode {
    // The tests start this program again, to have other programs run in a virtual host.
    if let Some(status) = patient::play_role() {
        return status;
    }
    autoip_lab::test_main(&tests![
        autoipd::what_it_keeps_is_listed_and_what_it_leaves_is_told,
        autoipd::a_host_under_its_guard_is_healthy,
        autoipd::without_its_guard_the_host_is_not,
        autoipd::under_another_name_it_is_no_rival_of_itself,
        link::interfaces_on_one_switch_are_on_one_link,
        link::a_common_neighbour_makes_one_link_likely,
        link::whoever_answers_for_all_is_found,
        link::whoever_has_our_address_is_found,
        interface::one_that_is_down_is_told,
        interface::one_without_a_cable_is_told,
        interface::one_without_arp_is_told,
        interface::what_cannot_be_used_is_left_out,
        interface::a_name_that_is_not_there_is_an_error,
        manager::avahi_autoipd_is_found,
        manager::zcip_is_found,
        manager::dhcpcd_is_found,
        manager::networkd_is_found,
        manager::network_manager_is_found,
        manager::programs_of_another_network_are_not,
        route::a_missing_on_link_route_is_found,
        route::a_routable_host_without_it_is_warned,
        route::a_router_for_the_link_is_found,
        route::a_default_route_that_swallows_traffic_is_found,
        route::a_route_to_a_part_is_found,
        route::a_route_to_nowhere_is_found,
        route::two_links_are_worth_a_note,
        address::a_narrow_prefix_is_found,
        address::an_address_set_by_hand_is_found,
        address::a_lease_is_found,
        address::a_reserved_address_is_a_problem,
        setting::forwarding_is_found,
        setting::proxy_arp_is_found,
        setting::arp_notify_is_found,
        setting::arp_ignore_is_found,
        setting::arp_ignore_that_answers_nobody_is_found,
        setting::arp_announce_is_found,
        setting::a_strict_filter_on_the_second_link_is_found,
        setting::a_filter_without_a_way_back_is_found,
        setting::a_dotted_name_can_be_mended_too,
        rule::an_earlier_rule_is_found,
        rule::the_numbers_of_autoipd_are_its_own,
        resolver::a_server_elsewhere_is_worth_a_note,
        resolver::dnsmasq_has_to_be_told,
        resolver::an_answer_from_elsewhere_is_a_leak,
        resolver::a_server_that_does_not_answer_is_unknown,
        resolver::what_cannot_be_read_is_told,
    ])
}
