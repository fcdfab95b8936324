//! The contract of [`maas_client::tree::Tree`], run over the memory tree and over a real ZooKeeper.
//!
//! The real server's address is read from `MAAS_TEST_ZK`; start one with `scripts/services/zookeeper.sh start`.

mod access;
mod proxy;
mod reaching;
mod resolving;
mod rules;
mod world;

use maas_client::tree::SharedTree;
use world::{MemoryWorld, World, ZkWorld};

macro_rules! over_both {
    ($($name:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test] async fn $name() { super::rules::$name(super::MemoryWorld::new()).await; })*
        }
        mod zookeeper {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
              async fn $name() { super::rules::$name(super::ZkWorld::new().await).await; })*
        }
    };
}

over_both!(
    reads_see_what_was_written,
    a_transaction_is_done_whole_or_not_at_all_and_names_what_failed,
    sequences_count_up_and_begin_again_with_their_parent,
    watches_fire_once_on_change_and_on_creation,
    watches_fire_when_the_connection_is_lost,
    a_recursive_watch_tells_paths_and_says_resync_after_a_reconnection,
    a_session_lives_through_a_short_outage_with_its_ephemerals,
    ephemerals_are_gone_after_expiry_and_a_new_session_follows,
    closing_takes_ephemerals_at_once,
    too_much_is_refused_before_it_is_sent,
    a_lost_answer_leaves_the_write_done_or_not_and_says_unknown,
    a_new_session_replaces_its_old_ones_node_in_one_transaction,
    the_queue_survives_its_roots_end_and_counts_what_waits,
    the_registry_lists_good_endpoints_and_names_bad_ones,
    counting_by_version_through_lost_answers_loses_and_doubles_nothing,
    trimming_takes_the_oldest_under_the_fence,
);
