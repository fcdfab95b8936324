//! Reading the databases and asking them.

use std::fs::File;
use std::io::Read;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use maxminddb::{Reader, geoip2};
use serde_json::{Map as JsonMap, Value as Json};

use crate::services::report::{Failure, Outcome};
use crate::services::settings::{SettingsError, local_file, text};
use crate::services::watched::{LOOK, Unusable, Watched};

/// Bytes of a database; the largest that MaxMind sells is below a third of it.
const LARGEST: u64 = 1 << 30;

type Database = Reader<Vec<u8>>;

/// The databases that an installation has.
#[derive(Debug, Default)]
pub struct Databases {
    places: Option<Watched<Database>>,
    networks: Option<Watched<Database>>,
}

/// Where an address is. What the database does not know is none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Place {
    /// GeoNames' number of the city.
    pub city_id: Option<u32>,
    /// ISO 3166-1 code of the country.
    pub country: Option<String>,
    /// English name of the city.
    pub city: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// Number of the metropolitan area, in the USA.
    pub metro_code: Option<u16>,
    /// Degrees north.
    pub latitude: Option<f64>,
    /// Degrees east.
    pub longitude: Option<f64>,
}

/// Whose network an address is in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// Number of the autonomous system.
    pub number: Option<u32>,
    /// Who runs it.
    pub organization: Option<String>,
}

impl Databases {
    /// Those of a global configuration: `geo.file` and `asn.file`, or Metron's `geo.hdfs.file` and `asn.hdfs.file` where they name a file of this machine.
    pub fn from_globals(globals: &JsonMap<String, Json>) -> Result<Self, SettingsError> {
        Ok(Self {
            places: file(globals, "geo.file", "geo.hdfs.file")?.map(|path| Watched::new(path, LOOK, read_places)),
            networks: file(globals, "asn.file", "asn.hdfs.file")?.map(|path| Watched::new(path, LOOK, read_networks)),
        })
    }

    /// Databases in these files, looked at again at each question or at most this often.
    #[cfg(test)]
    pub(super) fn at(places: Option<PathBuf>, networks: Option<PathBuf>, every: std::time::Duration) -> Self {
        Self {
            places: places.map(|path| Watched::new(path, every, read_places)),
            networks: networks.map(|path| Watched::new(path, every, read_networks)),
        }
    }

    /// Where an address is; none where the database does not know it. `trouble` is told when a new file can't be used and the one before stays in use.
    pub fn place(&self, address: IpAddr, trouble: impl FnOnce(&Failure)) -> Result<Option<Place>, Failure> {
        let database = open(&self.places, "geo.file", "GeoLite2-City.mmdb", trouble)?;
        let Some(found) = ask::<geoip2::City<'_>>(&database, address)? else { return Ok(None) };
        Ok(Some(Place {
            city_id: found.city.geoname_id,
            country: found.country.iso_code.map(str::to_owned),
            city: found.city.names.english.map(str::to_owned),
            postal_code: found.postal.code.map(str::to_owned),
            metro_code: found.location.metro_code,
            latitude: found.location.latitude,
            longitude: found.location.longitude,
        }))
    }

    /// Whose network an address is in; none where the database does not know it. `trouble` as with [`Self::place`].
    pub fn network(&self, address: IpAddr, trouble: impl FnOnce(&Failure)) -> Result<Option<Network>, Failure> {
        let database = open(&self.networks, "asn.file", "GeoLite2-ASN.mmdb", trouble)?;
        let Some(found) = ask::<geoip2::Asn<'_>>(&database, address)? else { return Ok(None) };
        Ok(Some(Network {
            number: found.autonomous_system_number,
            organization: found.autonomous_system_organization.map(str::to_owned),
        }))
    }
}

/// An address that a database could know: none for texts that are no address, and for addresses that are nowhere, such as private ones.
pub(crate) fn public_address(text: &str) -> Option<IpAddr> {
    let address: IpAddr = text.parse().ok()?;
    let nowhere = match address {
        IpAddr::V4(v4) => v4.is_private(),
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
    };
    let special = address.is_unspecified() || address.is_loopback() || address.is_multicast();
    (!nowhere && !special).then_some(address)
}

fn file(
    globals: &JsonMap<String, Json>,
    ours: &'static str,
    metrons: &'static str,
) -> Result<Option<PathBuf>, SettingsError> {
    if let Some(written) = text(globals, ours)? {
        let instead = "give the path of the .mmdb file";
        return local_file(written, instead).map(Some).map_err(|reason| SettingsError::unusable(ours, reason));
    }
    let Some(written) = text(globals, metrons)? else { return Ok(None) };
    // A path without a host is in HDFS for Metron, and on this machine here: where it isn't, the first question says so.
    match local_file(written, "") {
        Ok(path) => Ok(Some(path)),
        // What is in HDFS only must not keep an installed configuration from being used for all else.
        Err(_) => Ok(Some(PathBuf::from(written))),
    }
}

fn open(
    database: &Option<Watched<Database>>,
    key: &'static str,
    example: &str,
    trouble: impl FnOnce(&Failure),
) -> Result<std::sync::Arc<Database>, Failure> {
    let Some(database) = database else {
        let message = format!("no database is known; set {key} in global.json to the path of a {example}");
        return Err(Failure { outcome: Outcome::Refused, about: key.into(), message });
    };
    let failure = |unusable: &Unusable| Failure {
        outcome: Outcome::Unreadable,
        about: unusable.path.display().to_string(),
        message: unusable.to_string(),
    };
    database.get(|unusable| trouble(&failure(unusable))).map_err(|unusable| failure(&unusable))
}

fn ask<'de, T: serde::Deserialize<'de>>(database: &'de Database, address: IpAddr) -> Result<Option<T>, Failure> {
    // Such a database has no room for longer addresses, and says so by an error.
    if address.is_ipv6() && database.metadata().ip_version == 4 {
        return Ok(None);
    }
    let found = database.lookup(address).and_then(|found| found.decode());
    found.map_err(|error| Failure {
        outcome: Outcome::BadAnswer,
        about: database.metadata().database_type.clone(),
        message: format!("the database is damaged at {address}: {error}"),
    })
}

fn read_places(path: &Path) -> Result<Database, Unusable> {
    read(path, &["City", "Country", "Enterprise", "Insights"])
}

fn read_networks(path: &Path) -> Result<Database, Unusable> {
    read(path, &["ASN", "ISP"])
}

/// Reads a database of one of these kinds.
fn read(path: &Path, kinds: &[&str]) -> Result<Database, Unusable> {
    let unusable = |reason: String| Unusable::new(path, reason);
    if !path.is_absolute() {
        return Err(unusable(
            "is no file of this machine; copy it here and set geo.file or asn.file to its path".into(),
        ));
    }
    let packed = path.extension().is_some_and(|extension| extension == "gz" || extension == "tgz");
    if packed {
        return Err(unusable("is packed; unpack it and give the path of the .mmdb file in it".into()));
    }
    let cant_read = |error: std::io::Error| unusable(format!("can't be read: {error}"));
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes)).map_err(cant_read)?;
    if bytes.len() as u64 > LARGEST {
        return Err(unusable(format!("has more than {LARGEST} bytes")));
    }
    let database = Reader::from_source(bytes).map_err(|error| unusable(format!("is no MaxMind database: {error}")))?;
    let kind = &database.metadata().database_type;
    if !kinds.iter().any(|wanted| kind.contains(wanted)) {
        return Err(unusable(format!("is a database of kind {kind}; one of {} is needed", kinds.join(", "))));
    }
    Ok(database)
}
