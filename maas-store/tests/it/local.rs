//! The contract on the stores that need no server.

mod file {
    use crate::contract::{Subject, contract};
    use maas_store::FileStore;
    use std::sync::Arc;

    fn subject() -> Subject {
        let dir = tempfile::tempdir().unwrap();
        Subject { store: Arc::new(FileStore::new(dir.path())), behind: Box::new(dir) }
    }

    contract!(subject);
}

mod memory {
    use crate::contract::{Subject, contract};
    use maas_store::ObjectStore;
    use maas_store::blobs::MemoryBlobs;
    use std::sync::Arc;

    fn subject() -> Subject {
        let blobs = Arc::new(MemoryBlobs::default());
        Subject { store: Arc::new(ObjectStore::new(blobs.clone())), behind: Box::new(blobs) }
    }

    contract!(subject);
}
