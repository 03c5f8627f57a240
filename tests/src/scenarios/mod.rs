//! Scenarios that must hold on any cluster. Each has topics and groups of its own, so all can run at once.

pub mod beginnings;
pub mod consume;
pub mod delay;
pub mod limits;
pub mod logical;
pub mod members;
pub mod moved;
pub mod namespace;
pub mod order;
pub mod pop;
pub mod pull;
pub mod refused;
pub mod replay;
pub mod request;
pub mod retry;
pub mod send;
pub mod starter;
pub mod tools;
pub mod trace;
pub mod transaction;
pub mod with_java;
pub mod with_spring;

/// Every scenario, by its module, for a macro that makes a test of each.
#[macro_export]
macro_rules! every_scenario {
    ($each:ident) => {
        $each! {
            send: one_by_one one_way batch batch_by_keys batch_over_the_limit by_key to_a_queue compressed lingering;
            refused: illegal_topic empty_body body_over_the_limit body_over_the_brokers_limit body_over_a_frame unknown_queue;
            consume: each_message_once several_at_once in_batches part_of_a_batch_again in_batches_of_a_thousand batches_stored_as_one concurrency_changed by_tags by_each_spelling_of_all by_sql
                topics_come_and_go from_where from_the_committed_offset a_shutdown_waits_for_handlers from_first a_young_queue_from_its_beginning;
            beginnings: pushed_while_a_group_starts popped_while_a_group_starts polled_while_a_group_starts
                broadcast_while_a_member_starts;
            retry: until_it_is_done by_the_ladder after_a_panic after_a_timeout dead_letter_after_the_maximum dead_letter_at_once;
            limits: retried dead_lettered dead_lettered_in_order popped;
            delay: by_level by_timer recalled a_handler_of_a_minute;
            order: per_key retry_in_place a_queue_rests_as_told dead_letter_after_the_maximum dead_letter_at_once
                while_members_change;
            members: queues_follow_the_members one_name_twice a_member_that_vanishes brief_heartbeats of_a_unit broadcasting more_queues each_strategy;
            pull: lite_subscribe lite_by_sql lite_broadcasting lite_assign_and_seek lite_assigned_anew lite_commit_by_hand classic long_poll offsets;
            pop: by_sql a_consumer_that_dies renewed in_order pushed concurrency_changed;
            tools: queries queries_by_time running_info running_info_of_pullers handlers_at_work consumed_directly dead_letter_resent;
            replay: by_time by_offset backlog_skipped while_nobody_runs;
            namespace: names_are_wrapped brokers_reach_the_group queries in_every_request;
            transaction: decided_by_the_sender decided_by_the_checker decided_by_another_member;
            starter: listeners_and_template a_batch_of_items;
            trace: sends_and_handlers transactions lite_in_the_cloud;
            request: answered in_the_order_of_a_key after_a_delay unanswered a_reply_to_nothing;
        }
    };
}
