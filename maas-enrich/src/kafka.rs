//! What Kafka's source and sink share: where the brokers are, how to talk to them, and what the client says when it can't.

use std::path::Path;
use std::time::{Duration, Instant};

use maas_cli::{ErrorCode, Failure};
use parking_lot::Mutex;
use rdkafka::ClientConfig;
use rdkafka::client::{Client, ClientContext};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::Metadata;
use rdkafka::types::{RDKafkaConfRes, RDKafkaRespErr};

/// The header of a record that was put aside: the guid of the document that its line becomes.
pub(crate) const GUID_HEADER: &str = "maas_guid";
/// How long the brokers are waited for at the start.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// How long one question to them takes at most: between two of them it is heard what the client says.
const QUESTION: Duration = Duration::from_millis(500);
/// The same trouble is logged so often.
const REPEATS: Duration = Duration::from_secs(30);
/// The member of a group that keeps its partitions while it starts anew; each worker is one.
const MEMBER: &str = "group.instance.id";

/// Settings of a client, named as librdkafka names them.
#[derive(Debug, Clone, Default)]
pub struct Properties(Vec<(String, String)>);

impl Properties {
    /// Reads a file of `name=value` lines; `#` begins a comment. Secrets belong there: they are neither shown nor logged.
    pub fn from_file(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        let unusable = |why: &str| Failure::new(ErrorCode::BadConfig, format!("{shown} {why}"));
        let text = std::fs::read_to_string(path).map_err(|error| unusable("can't be read").because(&error))?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let pair = |line: &str| {
            let (name, value) = line.split_once('=')?;
            Some((name.trim().to_owned(), value.trim().to_owned()))
        };
        let pairs = lines.map(pair).collect::<Option<_>>();
        let read =
            Self(pairs.ok_or_else(|| unusable("has a line that is no name=value, such as security.protocol=ssl"))?);
        match read.client("", &[]).create_native_config() {
            Ok(_) => Ok(read),
            Err(error) => Err(unusable(&format!("can't be used: {}", unshown(&error)))),
        }
    }

    /// The same for one of several workers: what names a member of a group names each of them apart.
    #[must_use]
    pub fn of_worker(&self, worker: usize) -> Self {
        let own = |(name, value): &(String, String)| match name.as_str() {
            MEMBER if worker > 0 => (name.clone(), format!("{value}-{worker}")),
            _ => (name.clone(), value.clone()),
        };
        Self(self.0.iter().map(own).collect())
    }

    /// A client's configuration with these brokers and these settings, where the file says nothing else.
    pub(crate) fn client(&self, brokers: &str, defaults: &[(&str, &str)]) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set_log_level(RDKafkaLogLevel::Warning);
        config.set("bootstrap.servers", brokers).set("client.id", "maas_enrich");
        for (name, value) in defaults {
            config.set(*name, *value);
        }
        for (name, value) in &self.0 {
            config.set(name, value);
        }
        config
    }
}

/// What a client last said of its troubles. That a certificate is not trusted, or a password wrong, is told here and nowhere else.
#[derive(Debug, Default)]
pub(crate) struct Heard(Mutex<Said>);

#[derive(Debug, Default)]
struct Said {
    /// The last trouble, and when it was logged: the client repeats itself many times a second.
    last: Option<(String, Instant)>,
    /// That of a certificate or password, which says more than what follows from it.
    security: Option<String>,
    denied: bool,
}

impl Heard {
    /// The client logs something.
    pub(crate) fn log(&self, level: RDKafkaLogLevel, text: &str) {
        tracing::debug!(target: "librdkafka", "{text}");
        if (level as i32) <= (RDKafkaLogLevel::Error as i32) {
            self.0.lock().tell(plain(text));
        }
    }

    /// The client failed at something that it goes on trying.
    pub(crate) fn error(&self, error: &KafkaError, reason: &str) {
        let mut said = self.0.lock();
        match error.rdkafka_error_code() {
            // It says less than why one of them is; and that a partition ends is no trouble.
            Some(RDKafkaErrorCode::AllBrokersDown | RDKafkaErrorCode::PartitionEOF) => return,
            Some(RDKafkaErrorCode::Authentication | RDKafkaErrorCode::SaslAuthenticationFailed) => {
                said.denied = true;
                said.security = Some(plain(reason).to_owned());
            }
            Some(RDKafkaErrorCode::SSL) => said.security = Some(plain(reason).to_owned()),
            _ => {}
        }
        said.tell(plain(reason));
    }

    /// What is wrong, as far as it was said.
    pub(crate) fn why(&self) -> Option<String> {
        let said = self.0.lock();
        said.security.clone().or_else(|| said.last.as_ref().map(|(text, _)| text.clone()))
    }
}

impl Said {
    fn tell(&mut self, text: &str) {
        let is_known = |(last, when): &(String, Instant)| last == text && when.elapsed() < REPEATS;
        if self.last.as_ref().is_some_and(is_known) {
            return;
        }
        tracing::warn!("{text}");
        self.last = Some((text.to_owned(), Instant::now()));
    }
}

/// Without the client's thread and broker at the beginning, and without the state of its machinery at the end.
fn plain(text: &str) -> &str {
    let text = text.strip_prefix("[thrd:").and_then(|rest| Some(rest.split_once("]: ")?.1)).unwrap_or(text);
    text.rfind(" (after ").map_or(text, |end| &text[..end])
}

/// Brokers or a topic that can't be used.
#[derive(Debug)]
pub(crate) struct Unusable {
    /// Whether that is by permission: a wrong password, a topic that is others'.
    pub(crate) denied: bool,
    /// What is wrong.
    pub(crate) message: String,
}

impl From<KafkaError> for Unusable {
    fn from(error: KafkaError) -> Self {
        Self { denied: false, message: unshown(&error) }
    }
}

/// An error in words, without the value of a setting: that may be a secret.
fn unshown(error: &KafkaError) -> String {
    match error {
        KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, _, name, _) => {
            format!("{name} is no setting of librdkafka")
        }
        KafkaError::ClientConfig(_, _, name, _) => format!("the setting {name} does not take its value"),
        error => error.to_string(),
    }
}

/// Asks the brokers for a topic until they answer or it is clear that they won't. `serve` lets the client say what it has to say.
pub(crate) fn reach<C: ClientContext>(
    client: &Client<C>,
    topic: &str,
    heard: &Heard,
    serve: impl Fn(),
) -> Result<Metadata, Unusable> {
    let started = Instant::now();
    loop {
        let asked = client.fetch_metadata(Some(topic), QUESTION);
        serve();
        let (denied, is_insecure) = {
            let said = heard.0.lock();
            (said.denied, said.security.is_some())
        };
        let patience = if is_insecure { QUESTION * 2 } else { PATIENCE };
        match asked {
            Ok(metadata) => return admitted(metadata),
            Err(error) if denied || started.elapsed() >= patience => {
                let message = heard.why().unwrap_or_else(|| error.to_string());
                return Err(Unusable { denied, message });
            }
            Err(_) => {}
        }
    }
}

/// The answer, unless it is that one may not see the topic.
fn admitted(metadata: Metadata) -> Result<Metadata, Unusable> {
    let refused = metadata
        .topics()
        .iter()
        .any(|topic| topic.error() == Some(RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED));
    if refused {
        return Err(Unusable { denied: true, message: "this user may not use the topic".into() });
    }
    Ok(metadata)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_client_says_is_cut_to_what_people_can_use() {
        let said = "[thrd:ssl://h:1/bootstrap]: ssl://h:1/bootstrap: SSL handshake failed: no (after 5ms in state SSL_HANDSHAKE)";
        assert_eq!(plain(said), "ssl://h:1/bootstrap: SSL handshake failed: no");
        assert_eq!(plain("as it is"), "as it is");
    }

    #[test]
    fn a_setting_that_is_not_taken_is_named_without_its_value() {
        let refusal = |line: &str| {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            std::io::Write::write_all(&mut file, line.as_bytes()).unwrap();
            let failure = Properties::from_file(file.path()).unwrap_err();
            assert_eq!(failure.exit(), ErrorCode::BadConfig.exit());
            failure.to_string()
        };
        for (line, named) in [
            ("sasl.passphrase=geheim", "sasl.passphrase is no setting of librdkafka"),
            ("security.protocol=geheim", "security.protocol does not take its value"),
        ] {
            let said = refusal(line);
            assert!(said.contains(named) && !said.contains("geheim"), "{said}");
        }
    }

    #[test]
    fn each_worker_is_a_member_of_its_own() {
        let properties = Properties(vec![(MEMBER.into(), "a".into()), ("x".into(), "y".into())]);
        assert_eq!(properties.of_worker(0).0, properties.0);
        assert_eq!(properties.of_worker(2).0[0].1, "a-2");
    }
}
