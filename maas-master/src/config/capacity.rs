//! What models may use of this machine: `--capacity`, and what is found where it says nothing.

use maas_client::api::Amounts;
use std::path::Path;
use std::str::FromStr;

/// `memory=MB,vcores=N,gpus=N`, each optional.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CapacityGiven {
    /// Memory, MB.
    pub memory_mb: Option<u64>,
    /// Cores.
    pub vcores: Option<u32>,
    /// GPUs.
    pub gpus: Option<u32>,
}

impl FromStr for CapacityGiven {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut given = CapacityGiven::default();
        for part in text.split(',').map(str::trim) {
            let Some((key, value)) = part.split_once('=') else {
                return Err(format!("{part:?} is not KEY=NUMBER; keys are memory, vcores, gpus"));
            };
            let number: u32 = value
                .trim()
                .parse()
                .map_err(|_| format!("{key}={value}: a whole number from 0 to {} is needed", u32::MAX))?;
            let twice = match key.trim() {
                "memory" => given.memory_mb.replace(u64::from(number)).is_some(),
                "vcores" => given.vcores.replace(number).is_some(),
                "gpus" => given.gpus.replace(number).is_some(),
                other => return Err(format!("{other:?} is not known; keys are memory, vcores, gpus")),
            };
            if twice {
                return Err(format!("{key} is given twice"));
            }
        }
        Ok(given)
    }
}

impl<'de> serde::Deserialize<'de> for CapacityGiven {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl CapacityGiven {
    /// What models may use: what is given, else 80 % of the machine's memory, all its cores, its GPUs.
    pub fn on(self, machine: Machine) -> Amounts {
        Amounts {
            memory_mb: self.memory_mb.unwrap_or(machine.memory_mb / 5 * 4),
            vcores: self.vcores.unwrap_or(machine.cores),
            gpus: self.gpus.unwrap_or(machine.gpus),
        }
    }
}

/// What this machine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    /// Memory, MB.
    pub memory_mb: u64,
    /// Cores this process may use.
    pub cores: u32,
    /// NVIDIA GPUs.
    pub gpus: u32,
}

impl Machine {
    /// Looks at `/proc`, the cgroup's limit and `/dev`.
    pub fn found() -> Machine {
        let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let physical = memory_total_mb(&meminfo).unwrap_or(1024);
        let limits = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
        let limit = limits
            .iter()
            .filter_map(|path| std::fs::read_to_string(path).ok()?.trim().parse::<u64>().ok())
            .map(|bytes| bytes >> 20)
            .min();
        let cores = std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(u32::MAX));
        Machine { memory_mb: physical.min(limit.unwrap_or(u64::MAX)), cores, gpus: gpu_count(Path::new("/dev")) }
    }
}

fn memory_total_mb(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes >> 10)
}

fn gpu_count(dev: &Path) -> u32 {
    let Ok(entries) = std::fs::read_dir(dev) else { return 0 };
    let is_gpu = |name: &str| {
        name.strip_prefix("nvidia").is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
    };
    let count = entries.flatten().filter(|entry| entry.file_name().to_str().is_some_and(is_gpu)).count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_given_is_taken_from_the_machine() {
        let machine = Machine { memory_mb: 1000, cores: 4, gpus: 1 };
        let given: CapacityGiven = "vcores=2, gpus=0".parse().unwrap();
        assert_eq!(given.on(machine), Amounts { memory_mb: 800, vcores: 2, gpus: 0 });
    }

    #[test]
    fn amounts_that_are_none_are_refused() {
        for bad in
            ["", "memory", "memory=", "memory=-1", "memory=1.5", "ram=1", "vcores=1,vcores=2", "memory=9999999999"]
        {
            assert!(bad.parse::<CapacityGiven>().is_err(), "{bad}");
        }
    }

    #[test]
    fn only_whole_gpus_are_counted() {
        let dev = tempfile::tempdir().unwrap();
        for name in ["nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm", "null"] {
            std::fs::write(dev.path().join(name), "").unwrap();
        }
        assert_eq!(gpu_count(dev.path()), 2);
        assert_eq!(memory_total_mb("MemTotal:       2048 kB\nMemFree: 1 kB\n"), Some(2));
    }
}
