//! What a container has or is to have: memory, cores, and whatever else a cluster counts.

use std::collections::BTreeMap;
use std::fmt;

use crate::proto::yarn::{ResourceInformationProto, ResourceProto, ResourceTypesProto};

const MEMORY: &str = "memory-mb";
const CORES: &str = "vcores";

/// An amount of memory, of virtual cores and of further resources.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash)]
pub struct Resource {
    /// Memory in MiB. Granted sizes are rounded up to a multiple of the cluster's minimum.
    pub memory_mb: i64,
    /// Virtual cores. Most clusters don't enforce them.
    pub vcores: i32,
    /// Further resources by name, each in its own base unit.
    ///
    /// A type that the ResourceManager does not know is **dropped silently** from an ask, so look for it in
    /// [`Registered::resource_types`](crate::client::Registered::resource_types) or in the largest allowed resource first.
    pub other: BTreeMap<String, i64>,
}

impl Resource {
    /// The name under which clusters count GPUs.
    pub const GPU: &str = "yarn.io/gpu";

    /// Memory in MiB and virtual cores.
    pub fn new(memory_mb: i64, vcores: i32) -> Self {
        Self { memory_mb, vcores, other: BTreeMap::new() }
    }

    /// The same with a further resource.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, amount: i64) -> Self {
        self.other.insert(name.into(), amount);
        self
    }

    /// How many GPUs.
    pub fn gpus(&self) -> i64 {
        self.other.get(Self::GPU).copied().unwrap_or(0)
    }

    /// Whether this much is there in every respect.
    pub fn fits_in(&self, room: &Self) -> bool {
        let other = |(name, amount): (&String, &i64)| *amount <= room.other.get(name).copied().unwrap_or(0);
        self.memory_mb <= room.memory_mb && self.vcores <= room.vcores && self.other.iter().all(other)
    }

    /// Servers send memory and cores twice: in fields of their own, which count, and among the named ones, which are left out here.
    pub(crate) fn from_proto(resource: &ResourceProto) -> Self {
        let named = resource.resource_value_map.iter().filter(|entry| entry.key != MEMORY && entry.key != CORES);
        let other = named.map(|entry| (entry.key.clone(), in_base_unit(entry.value(), entry.units()))).collect();
        Self { memory_mb: resource.memory(), vcores: resource.virtual_cores(), other }
    }

    pub(crate) fn to_proto(&self) -> ResourceProto {
        let named = self.other.iter().map(|(name, &amount)| ResourceInformationProto {
            key: name.clone(),
            value: Some(amount),
            units: Some(String::new()),
            r#type: Some(ResourceTypesProto::Countable.into()),
            ..ResourceInformationProto::default()
        });
        ResourceProto {
            memory: Some(self.memory_mb),
            virtual_cores: Some(self.vcores),
            resource_value_map: named.collect(),
        }
    }
}

/// An amount in the unit without prefix. Parts of one are rounded down; what does not fit becomes the largest number.
fn in_base_unit(amount: i64, unit: &str) -> i64 {
    let (base, power): (i64, u32) = match unit {
        "k" => (1000, 1),
        "M" => (1000, 2),
        "G" => (1000, 3),
        "T" => (1000, 4),
        "P" => (1000, 5),
        "Ki" => (1024, 1),
        "Mi" => (1024, 2),
        "Gi" => (1024, 3),
        "Ti" => (1024, 4),
        "Pi" => (1024, 5),
        "m" => return amount / 1000,
        "u" => return amount / 1_000_000,
        "n" => return amount / 1_000_000_000,
        "p" => return amount / 1_000_000_000_000,
        _ => return amount,
    };
    amount.saturating_mul(base.pow(power))
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} MB, {} vcores", self.memory_mb, self.vcores)?;
        self.other.iter().try_for_each(|(name, amount)| write!(f, ", {amount} {name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gpus_travel_as_a_named_resource_and_memory_as_its_own_field() {
        let asked = Resource::new(512, 2).with(Resource::GPU, 1);
        let proto = asked.to_proto();
        assert_eq!((proto.memory(), proto.virtual_cores(), proto.resource_value_map.len()), (512, 2, 1));
        assert_eq!(Resource::from_proto(&proto), asked);
        assert_eq!(asked.to_string(), "512 MB, 2 vcores, 1 yarn.io/gpu");
    }

    #[test]
    fn units_are_counted_out() {
        assert_eq!(in_base_unit(3, "Ki"), 3072);
        assert_eq!(in_base_unit(2500, "m"), 2);
        assert_eq!(in_base_unit(i64::MAX, "P"), i64::MAX);
    }

    #[test]
    fn something_fits_only_when_every_part_does() {
        let room = Resource::new(1024, 4).with(Resource::GPU, 1);
        assert!(Resource::new(1024, 4).with(Resource::GPU, 1).fits_in(&room));
        assert!(!Resource::new(1025, 1).fits_in(&room));
        assert!(!Resource::new(1, 1).with("example/fpga", 1).fits_in(&room));
    }
}
