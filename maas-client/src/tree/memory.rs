//! The memory tree: ZooKeeper's contract without a server, for tests.
