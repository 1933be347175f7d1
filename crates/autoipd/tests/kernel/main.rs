//! The daemon on real interfaces of the real kernel, each test in network namespaces of its own.
//!
//! What is looked at is what others see: frames on the cable, addresses and routes in the kernel.
//! The log counts only where its words are what is promised, and to learn that the daemon has come
//! so far that a test may begin. Timers are the real ones; the tests wait for them side by side.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod arp;
mod avahi;
mod bridge;
mod carrier;
mod claim;
mod coexistence;
mod confinement;
mod conflict;
mod control;
mod controlled;
mod defence;
mod deletion;
mod device;
mod echo;
mod fault;
mod forwarding;
mod gate;
mod handover;
mod hook;
mod limit;
mod neighbour;
mod noise;
mod overrun;
mod packet;
mod process;
mod reload;
mod reset;
mod restart;
mod restore;
mod routing;
mod selection;
mod service;
mod sibling;
mod stand_in;
mod station;
mod traces;
mod zcip;

use std::process::ExitCode;

use autoip_lab::tests;

fn main() -> ExitCode {
    if let Some(code) = control::permission::play_a_stranger() {
        return code;
    }
    // The long ones first: they decide how long the whole takes.
    autoip_lab::test_main(&tests![
        hook::a_hook_has_thirty_seconds,
        avahi::wait_gives_up_after_twenty_seconds,
        avahi::long_interface_names_work_with_the_stock_script,
        hook::a_hanging_hook_delays_no_defence,
        arp::ll_2_5_10_rechecks_are_broadcast,
        arp::ll_2_5_10_without_a_filter_rechecks_are_broadcast,
        limit::no_probe_follows_ten_conflicts,
        defence::a_conflict_after_ten_seconds_is_defended_again,
        defence::a_second_conflict_within_ten_seconds_ends_the_use,
        claim::a_claim_is_three_probes_and_two_announcements_on_time,
        deletion::a_deleted_address_is_put_back_five_times,
        neighbour::joined_links_end_with_one_holder,
        carrier::quick_flaps_start_one_claim_a_second,
        carrier::the_address_goes_with_the_carrier_and_is_claimed_again,
        carrier::an_address_taken_meanwhile_is_not_claimed_again,
        carrier::an_interface_set_down_and_up_claims_again,
        claim::nothing_answers_before_the_first_announcement,
        claim::numbers_of_the_command_line_shape_the_claim,
        claim::fast_probes_again_while_in_use,
        claim::fast_leaves_when_an_owner_answers_late,
        conflict::any_arp_from_the_candidate_ends_the_claim,
        conflict::a_competing_probe_ends_the_claim,
        conflict::a_conflict_read_late_counts_by_its_time,
        conflict::a_conflict_just_after_the_claim_is_defended,
        conflict::a_probe_just_after_the_claim_is_no_conflict,
        echo::other_arp_is_no_conflict,
        echo::malformed_frames_change_nothing,
        echo::own_frames_that_come_back_are_no_conflict,
        echo::a_probe_for_the_address_in_use_is_only_answered,
        defence::a_conflict_is_answered_by_one_announcement,
        defence::without_defence_the_first_conflict_ends_the_use,
        limit::conflicts_over_used_addresses_count_too,
        neighbour::two_that_want_the_same_address_get_two,
        neighbour::the_address_of_an_ordinary_host_is_left_alone,
        avahi::a_whole_life_is_as_with_the_original,
        avahi::a_remembered_address_is_tried_first,
        avahi::the_first_address_is_that_of_the_original,
        avahi::a_conflict_is_told,
        avahi::a_routable_address_unbinds,
        avahi::force_bind_keeps_both,
        avahi::without_a_working_script_the_address_comes_all_the_same,
        avahi::daemonize_check_and_kill,
        avahi::refresh_announces_again,
        avahi::wait_waits_for_the_address,
        avahi::syslog_gets_the_lines,
        avahi::no_proc_title_leaves_the_command_line,
        avahi::no_drop_root_stays_root,
        avahi::no_chroot_keeps_files_in_reach,
        avahi::each_ends_the_other,
        avahi::an_address_left_over_is_probed_again,
        avahi::debug_says_more,
        avahi::it_ends_with_its_interface,
        avahi::wrong_command_lines_end_with_one,
        avahi::a_start_address_out_of_range_is_passed_over,
        avahi::the_script_inherits_the_environment,
        avahi::hooks_of_dhclient_start_and_end_it,
        avahi::hooks_of_ifupdown_are_content,
        zcip::the_script_is_told_init_config_and_deconfig,
        zcip::it_goes_into_the_background,
        zcip::a_script_that_refuses_ends_it,
        zcip::quit_leaves_the_address_behind,
        zcip::an_address_that_was_left_behind_is_not_used_unclaimed,
        zcip::another_range_is_refused,
        zcip::verbose_says_more_and_logging_says_where,
        zcip::it_ends_when_the_interface_is_set_down,
        zcip::wrong_command_lines_end_with_one,
        confinement::the_daemon_is_confined_and_the_runner_is_not,
        confinement::without_the_sandbox_it_keeps_everything,
        confinement::a_file_out_of_place_cannot_be_read,
        confinement::a_link_is_followed_to_its_directory,
        confinement::an_interface_that_comes_later_gets_everything,
        service::the_service_manager_is_told,
        service::the_unit_leaves_little_exposed,
        service::the_unit_has_no_mistake,
        service::two_capabilities_are_enough,
        service::init_scripts_are_shell,
        service::the_sysv_script_manages_the_daemon,
        bridge::an_interface_without_arp_is_given_up_for_that_time,
        bridge::a_port_of_a_bridge_is_given_up_for_that_time,
        bridge::what_passes_a_managed_bridge_is_not_forwarded,
        device::an_absent_interface_is_waited_for,
        device::an_interface_renamed_to_the_awaited_name_is_taken,
        device::an_interface_that_is_down_is_waited_for,
        device::an_interface_made_again_gets_the_same_address,
        device::a_renamed_interface_is_kept_and_defended,
        device::another_mac_address_claims_the_same_address_again,
        device::a_mac_address_changed_while_probing_starts_over,
        deletion::a_deleted_route_is_put_back,
        coexistence::foreign_link_local_addresses_are_left_alone,
        coexistence::a_foreign_address_that_came_later_stays,
        coexistence::a_routable_address_takes_the_place,
        coexistence::a_routable_address_ends_the_probing,
        coexistence::a_routable_address_that_expires_gives_way,
        coexistence::a_dhcp_client_is_not_disturbed,
        coexistence::a_routable_address_that_went_at_once_is_no_trouble,
        coexistence::force_keeps_both,
        coexistence::addresses_that_do_not_count_do_not_hinder,
        coexistence::dhcp_has_its_head_start,
        coexistence::a_lease_within_the_head_start_prevents_the_claim,
        selection::an_interface_that_another_daemon_held_is_tried_again,
        selection::without_interfaces_what_leads_to_a_cable_is_taken,
        selection::a_device_that_becomes_a_port_is_let_go_and_comes_back,
        selection::a_driver_can_be_asked_for,
        selection::drivers_that_are_asked_for_later_need_another_start,
        selection::devices_that_match_come_and_go,
        selection::a_device_renamed_out_of_a_pattern_is_let_go,
        reload::addresses_that_stay_valid_stay,
        reload::an_interface_taken_out_of_the_file_is_let_go,
        reload::a_broken_file_changes_nothing,
        reload::what_needs_another_start_is_named,
        reload::an_address_outside_the_new_range_is_given_up,
        reload::a_range_holds_for_remembered_addresses_too,
        reload::another_mode_takes_the_address_off_and_back,
        reload::a_file_with_mistakes_keeps_the_daemon_from_starting,
        process::a_signal_ends_it_and_takes_the_address_off,
        process::a_signal_ends_it_while_it_probes,
        process::hangup_announces_again,
        process::the_second_on_an_interface_is_refused,
        process::unsuitable_interfaces_are_refused,
        process::an_unsuitable_interface_that_appears_later_is_refused_once,
        process::a_missing_capability_is_named,
        process::wrong_options_are_refused,
        process::a_log_that_cannot_be_written_ends_nothing,
        restart::an_address_left_over_is_probed_before_it_is_used,
        restart::the_address_is_remembered,
        restart::a_damaged_memory_costs_one_warning,
        restart::it_works_without_a_memory,
        sibling::two_ports_on_one_link_get_two_addresses,
        sibling::two_ports_whose_links_become_one_do_not_fight,
        sibling::echoes_and_forgeries_make_no_noise_about_siblings,
        sibling::a_port_that_nobody_manages_answers_without_a_conflict,
        sibling::two_daemons_on_one_link_get_two_addresses,
        sibling::two_ports_on_two_links_do_not_disturb_each_other,
        overrun::a_deletion_that_went_unseen_is_put_right,
        overrun::a_reading_that_failed_is_repeated,
        overrun::a_flap_that_went_unseen_starts_a_claim,
        overrun::an_interface_made_again_unseen_is_found,
        reset::ll_2_5_08_connections_are_reset_before_the_address_goes,
        reset::without_a_reset_the_peer_waits,
        hook::arguments_are_those_of_avahi_autoipd,
        hook::variables_are_those_of_zcip,
        hook::variables_are_those_of_dhcpcd,
        hook::variables_of_our_own_say_more,
        hook::a_lost_address_comes_with_who_has_it,
        hook::surroundings_are_clean,
        hook::hooks_run_by_name_one_after_the_other,
        hook::files_that_others_could_have_written_are_passed_over,
        hook::a_directory_that_others_may_write_to_is_not_used,
        hook::output_and_exit_status_go_to_the_log,
        hook::nothing_outlives_a_killed_daemon,
        hook::a_runner_that_dies_does_not_stop_the_daemon,
        hook::the_hooks_of_the_end_run_although_everybody_is_signalled,
        hook::without_hooks_there_is_one_process,
        handover::ll_1_9_08_open_connections_go_on_beside_a_routable_address,
        handover::connections_last_no_longer_than_the_grace,
        handover::an_address_that_is_needed_again_stays,
        handover::the_source_follows_the_routable_addresses,
        restore::nothing_is_left_after_a_busy_life,
        restore::a_killed_daemon_does_not_stand_in_the_way,
        restore::a_start_after_a_crash_knows_what_the_settings_were,
        restore::a_start_after_a_crash_undoes_what_another_guard_did,
        restore::rules_of_interfaces_that_are_gone_are_removed,
        restore::settings_of_an_administrator_stay,
        restore::each_guard_puts_in_what_is_its_own,
        restore::a_deleted_rule_and_table_are_put_back,
        fault::a_taken_table_name_costs_nothing,
        fault::without_a_filter_the_rest_is_in_force,
        fault::a_filter_that_is_demanded_and_not_to_be_had_ends_the_start,
        fault::a_filter_that_can_be_had_again_is_in_force_again,
        fault::an_interface_that_cannot_be_guarded_leaves_the_guard_to_others,
        fault::an_interface_that_goes_takes_the_guard_from_nobody,
        fault::a_taken_routing_table_leads_nowhere_else,
        fault::nobody_else_can_flush_the_filter,
        arp::ll_2_5_09_replies_are_broadcast,
        arp::ll_2_5_09_replies_of_programs_are_broadcast,
        arp::ll_2_5_11_arp_for_routable_addresses_stays_unicast,
        arp::ll_4_02_a_question_uncovers_two_holders,
        gate::ll_2_2_02_answers_begin_with_the_first_announcement,
        gate::ll_2_2_02_only_claimed_senders_leave,
        gate::addresses_of_others_pass_the_gate,
        gate::frames_of_interfaces_on_top_pass_the_gate,
        gate::an_address_that_cannot_be_announced_is_not_used,
        gate::ll_2_7_04_nobody_answers_for_all_addresses,
        forwarding::ll_2_7_03_nothing_link_local_is_forwarded,
        forwarding::ll_2_7_06_multicast_stays_on_its_link,
        forwarding::ll_2_7_03_rules_stand_in_for_a_filter,
        forwarding::an_exempt_address_is_forwarded,
        routing::ll_2_6_2_02_a_routable_address_reaches_link_local_hosts,
        routing::ll_2_6_2_08_everything_is_sought_on_the_link,
        routing::ll_2_6_2_04_no_router_gets_a_link_local_destination,
        routing::ll_2_6_2_06_a_link_local_source_goes_straight,
        routing::ll_2_6_2_07_without_its_rule_a_source_is_refused,
        routing::ll_2_6_1_01_new_traffic_comes_from_the_routable_address,
        routing::strict_reverse_paths_let_other_networks_talk_to_the_address,
        routing::base_06_an_address_leaves_by_its_own_interface,
        routing::ll_3_4_02_an_interface_does_not_answer_for_another,
        routing::ll_3_2_01_one_address_on_two_links_is_two_peers,
        noise::thirty_thousand_odd_frames_do_no_harm,
        noise::a_conflict_within_noise_is_defended,
        control::client::those_that_do_not_behave_are_dropped,
        control::client::there_is_room_for_so_many_and_no_more,
        control::permission::strangers_read_and_change_nothing,
        control::permission::members_of_the_group_change_things,
        control::service::it_describes_itself,
        control::service::an_independent_client_understands_it,
        control::service::the_socket_comes_and_goes_with_the_daemon,
        control::service::half_closed_connections_get_their_answer,
        control::status::a_status_holds_what_the_kernel_and_the_wire_show,
        control::status::what_is_awaited_or_refused_is_told,
        control::status::conflicts_are_told_with_their_frames,
        control::status::metrics_hold_the_same_counters,
        control::event::events_come_in_the_order_of_what_happens,
        control::event::a_conflict_is_told_before_the_loss_that_it_led_to,
        control::event::interfaces_can_be_watched_alone,
        control::change::interfaces_come_and_go,
        control::change::a_configured_start_does_not_come_before_the_address_held_last,
        control::change::an_interface_is_added_with_settings_of_its_own,
        control::change::what_cannot_be_added_is_refused,
        control::change::a_released_address_stays_away_until_it_is_claimed,
        control::change::any_address_can_be_claimed,
        control::change::claims_that_make_no_sense_are_refused,
        control::change::reannounce_announces_again,
        control::change::reload_reads_the_file_again,
        control::detection::a_probe_finds_out_who_has_an_address,
        control::detection::a_probe_that_cannot_be_is_refused,
        control::detection::a_client_that_leaves_ends_its_probe,
        control::detection::a_watched_address_is_defended_once,
        control::detection::a_watch_takes_no_port_of_this_host_for_a_stranger,
        control::detection::a_watched_address_can_be_kept_for_good,
        control::detection::a_watch_ends_with_its_address,
        control::detection::an_address_is_watched_once_at_a_time,
        control::detection::a_link_local_address_cannot_be_kept_for_good,
        control::detection::a_defence_bears_the_mac_address_that_the_link_has,
        control::detection::a_flood_of_conflicts_ends_no_watch,
        control::detection::a_client_that_comes_back_defends_no_sooner,
        control::detection::probes_that_meet_conflicts_are_limited,
    ])
}
