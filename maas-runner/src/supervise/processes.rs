//! The processes of one instance: guard, script and all they started; their memory, and their end.

use crate::cli::Place;
use crate::lifecycle::Event;
use crate::memory::{self, Group, Verdict};
use crate::process_tree::{descendants, descendants_cheaply, kill_below, look, own_pid, reap, signal};
use crate::script::Running;
use maas_client::launch::LaunchSpec;
use rustix::process::Signal;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A cluster's node that watches over memory looks every three seconds by default, and has the word before the runner. One
/// that does not leaves it to the runner.
const NODE_KILLS_WITHIN: Duration = Duration::from_secs(8);
/// How long a guard has to clear up by itself before the runner takes over.
const GUARD_CLEARS_FOR: Duration = Duration::from_millis(500);
/// How long a guard may take to tell that the script has ended.
const GUARD_TELLS_WITHIN: Duration = Duration::from_secs(2);
/// How long the rest of the output is waited for.
const OUTPUT_WITHIN: Duration = Duration::from_secs(1);

/// What runs.
#[derive(Default)]
pub(super) struct Processes {
    /// The script's pid, once the guard has told it.
    pub(super) script: Option<i32>,
    running: Option<Running>,
    group: Option<Group>,
    /// Since when the script has been gone without a word from its guard.
    silent_since: Option<Instant>,
    /// How long more memory than was asked for is borne.
    bears_memory_for: Duration,
    /// Since when there has been more.
    over_memory_since: Option<Instant>,
}

/// What the tree uses, and what follows.
pub(super) struct Usage {
    /// Resident size of the tree, MB.
    pub(super) used_mb: u64,
    /// When it is too much.
    pub(super) event: Option<Event>,
}

impl Processes {
    /// None yet.
    pub(super) fn of(place: Place) -> Processes {
        let bears_memory_for = if place == Place::Container { NODE_KILLS_WITHIN } else { Duration::ZERO };
        Processes { bears_memory_for, ..Processes::default() }
    }

    /// True between start and end of the instance's processes.
    pub(super) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Makes the control group, where one is given; without it memory is watched.
    pub(super) fn confine(&mut self, spec: &LaunchSpec) {
        let Some(parent) = &spec.cgroup else { return };
        match Group::create(parent, &spec.id, spec.resources.memory_mb) {
            Ok(group) => self.group = Some(group),
            Err(error) => {
                tracing::warn!(error = maas_client::reason::chain(&error), "no control group; memory is watched")
            }
        }
    }

    /// The file that puts a process into the control group.
    pub(super) fn group_file(&self) -> Option<PathBuf> {
        self.group.as_ref().map(Group::procs)
    }

    /// Takes over what was started.
    pub(super) fn running(&mut self, running: Running) {
        self.running = Some(running);
    }

    /// Whether the kernel has killed for want of memory.
    pub(super) fn over_memory(&self) -> Option<Event> {
        self.group.as_ref().and_then(|group| event(group.verdict()))
    }

    /// Looks at the whole tree.
    pub(super) fn look_at_memory(&mut self, limit_mb: u64, now: Instant) -> Usage {
        let guard = self.running.as_ref().map(|running| running.guard);
        let mut tree = descendants_cheaply(own_pid());
        tree.retain(|process| Some(process.pid) != guard);
        let used = memory::resident(&tree);
        let event = match &self.group {
            Some(group) => event(group.verdict()),
            None => match memory::judge(used, limit_mb) {
                Verdict::Within => None,
                Verdict::Over { .. } => event(memory::judge(memory::proportional(&tree), limit_mb)),
            },
        };
        if event.is_none() {
            self.over_memory_since = None;
        }
        let event = event.filter(|_| {
            let since = *self.over_memory_since.get_or_insert(now);
            now.saturating_duration_since(since) >= self.bears_memory_for
        });
        Usage { used_mb: used >> 20, event }
    }

    /// Kills a guard that does not tell of the script's end (it was stopped, perhaps): then the runner inherits the
    /// script, and takes its exit code itself.
    pub(super) fn mind_the_guard(&mut self, now: Instant) {
        let gone = self.script.is_some_and(|script| look(script).is_none_or(|process| !process.alive));
        if !gone {
            self.silent_since = None;
        } else if now.saturating_duration_since(*self.silent_since.get_or_insert(now)) >= GUARD_TELLS_WITHIN
            && let Some(guard) = self.running.as_ref().and_then(|running| look(running.guard))
        {
            tracing::warn!("the guard is silent and is killed");
            signal(&guard, Signal::KILL);
        }
    }

    /// SIGTERM to all but the guard; what was stopped is continued, so that it can obey.
    pub(super) fn terminate(&self) {
        let guard = self.running.as_ref().map(|running| running.guard);
        let tree = descendants(own_pid()).unwrap_or_else(|error| {
            // They are killed when their time is up.
            tracing::warn!(%error, "the model's processes can't be seen and are not asked to end");
            Vec::new()
        });
        for process in tree.iter().filter(|process| process.alive && Some(process.pid) != guard) {
            signal(process, Signal::TERM);
            signal(process, Signal::CONT);
        }
    }

    /// Kills until nothing lives below this process, then says so.
    ///
    /// The guard is spared at first: it does the same, and tells how the script ended.
    pub(super) fn kill(&self, done: impl FnOnce() + Send + 'static) {
        if let Some(group) = &self.group {
            group.kill();
        }
        let guard = self.running.as_ref().map(|running| running.guard);
        tokio::spawn(async move {
            let own = own_pid();
            let begun = tokio::time::Instant::now();
            let mut pause = Duration::from_millis(1);
            loop {
                let spared = guard.filter(|_| begun.elapsed() < GUARD_CLEARS_FOR);
                let _looked_at_again = kill_below(own, spared);
                // What can't be looked at just now may live.
                if descendants(own).is_ok_and(|tree| !tree.iter().any(|process| process.alive)) {
                    return done();
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_millis(50));
            }
        });
    }

    /// The last lines of stderr, once nothing runs any more.
    pub(super) fn last_lines(&mut self) -> Vec<String> {
        while reap().is_some() {}
        self.running.take().map(|mut running| running.capture.last_lines(OUTPUT_WITHIN)).unwrap_or_default()
    }
}

fn event(verdict: Verdict) -> Option<Event> {
    match verdict {
        Verdict::Within => None,
        Verdict::Over { used_mb, limit_mb } => Some(Event::OverMemory { used_mb, limit_mb }),
    }
}
