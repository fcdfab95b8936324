//! Whole-system scenarios against a real ZooKeeper.
