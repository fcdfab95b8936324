//! The names of the models in ZooKeeper, for completion. They are read by a thread of their own: nobody ever waits for them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use maas_client::registry::Registry;
use maas_client::tree::SharedTree;
use maas_client::zk::{ZkOptions, ZkTree};
use parking_lot::Mutex;
use tokio::sync::mpsc;

/// Names younger than this are not read again.
const FRESH: Duration = Duration::from_secs(2);

/// The names that are known now.
#[derive(Clone, Debug, Default)]
pub(super) struct ModelNames {
    known: Arc<Mutex<Vec<String>>>,
    wanted: Option<mpsc::UnboundedSender<()>>,
}

impl ModelNames {
    /// Begins to read the names; where that can't be done there are none.
    pub(super) fn of(place: (ZkOptions, String)) -> Self {
        let known: Arc<Mutex<Vec<String>>> = Arc::default();
        let (sender, receiver) = mpsc::unbounded_channel();
        let kept = known.clone();
        let thread = std::thread::Builder::new().name("model names".to_owned()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            if let Ok(runtime) = runtime {
                runtime.block_on(follow(place, &kept, receiver));
            }
        });
        Self { known, wanted: thread.is_ok().then_some(sender) }
    }

    /// The names that were read last. Newer ones are read meanwhile, for the next time.
    pub(super) fn known(&self) -> Vec<String> {
        if let Some(wanted) = &self.wanted {
            // Without the thread the names stay what they are.
            let _ = wanted.send(());
        }
        self.known.lock().clone()
    }
}

async fn follow(place: (ZkOptions, String), known: &Mutex<Vec<String>>, mut wanted: mpsc::UnboundedReceiver<()>) {
    let mut registry = None;
    loop {
        let begun = Instant::now();
        if registry.is_none() {
            registry = connect(&place).await;
        }
        if let Some(open) = &registry {
            match open.names().await {
                Ok(names) => *known.lock() = names,
                Err(_) => registry = None,
            }
        }
        // The first wish for names that are no longer fresh.
        loop {
            if wanted.recv().await.is_none() {
                return;
            }
            if begun.elapsed() > FRESH {
                break;
            }
        }
    }
}

async fn connect((how, root): &(ZkOptions, String)) -> Option<Registry> {
    let tree: SharedTree = ZkTree::connect(how.clone()).await.ok()?;
    let roots = maas_client::open(&*tree, root).await.ok()?;
    Some(Registry::new(tree, &roots))
}
