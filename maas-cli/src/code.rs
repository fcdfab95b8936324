//! The fixed list of error codes: what scripts match on, each with its exit code and meaning.
//!
//! A code is only ever added. `maas_deploy errors` prints this list; the exit code follows from the code by an
//! exhaustive match, so that one failure can't end two programs differently.

use crate::exit;
use std::fmt;
use std::str::FromStr;

macro_rules! codes {
    ($($variant:ident $text:literal $exit:ident $meaning:literal,)*) => {
        /// A code from the fixed list.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $(#[doc = $meaning] $variant,)*
        }

        impl ErrorCode {
            /// All codes, in the order of the list.
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$variant,)*];

            /// The code as it stands in JSON.
            pub fn as_str(self) -> &'static str {
                match self { $(ErrorCode::$variant => $text,)* }
            }
            /// The exit code of a program that ends with it.
            pub fn exit(self) -> u8 {
                match self { $(ErrorCode::$variant => exit::$exit,)* }
            }
            /// What it means, for a person.
            pub fn meaning(self) -> &'static str {
                match self { $(ErrorCode::$variant => $meaning,)* }
            }
        }
    };
}

codes! {
    Defect "defect" DEFECT "a defect of this program",
    Usage "usage" USAGE "the command line or request can't be understood",
    NoZookeeper "no_zookeeper" USAGE "no ZooKeeper address was given anywhere",
    BadConfig "bad_config" USAGE "a configuration file can't be used",
    NeedsAnswer "needs_answer" USAGE "a question would be asked, but there is no terminal",
    NoTool "no_tool" USAGE "a program this one needs is not installed beside it",

    BadName "bad_name" REFUSED "a name or version has characters that are not allowed",
    BadRequest "bad_request" REFUSED "a request can't be carried out as it stands",
    CountMax "count_max" REFUSED "more instances than allowed",
    MemoryMax "memory_max" REFUSED "memory out of range",
    NeverFits "never_fits" REFUSED "no node is large enough, even when empty",
    BadPath "bad_path" REFUSED "a path leaves its root or can't be a path here",
    BadEnv "bad_env" REFUSED "an environment variable or secret can't be used",
    BadArguments "bad_arguments" REFUSED "arguments for a model can't be read",
    NotDirectory "not_directory" REFUSED "the model directory is no directory",
    Empty "empty" REFUSED "the model directory holds no files",
    NoScript "no_script" REFUSED "the model directory has no .sh at the top",
    TwoScripts "two_scripts" REFUSED "the model directory has more than one .sh at the top",
    LinkOut "link_out" REFUSED "a symbolic link leads out of the model directory",
    LinkLoop "link_loop" REFUSED "symbolic links of the model directory form a loop",
    SpecialFile "special_file" REFUSED "the model directory holds a socket, pipe or device",
    NotUtf8 "not_utf8" REFUSED "a file's name in the model directory can't be stored",
    Unreadable "unreadable" REFUSED "a file of the model directory can't be read",
    TooManyFiles "too_many_files" REFUSED "the model directory holds more files than allowed",
    TooDeep "too_deep" REFUSED "the model directory is nested too deep",
    TooLarge "too_large" REFUSED "the model directory is larger than allowed",
    TwoSettings "two_settings" REFUSED "the model directory has maas.json and maas.yaml",
    BadSettings "bad_settings" REFUSED "maas.json or maas.yaml can't be used",
    ChangedWhileRead "changed_while_read" REFUSED "a file changed while it was uploaded",
    BadManifest "bad_manifest" REFUSED "a manifest in the model store can't be used",
    PayloadChanged "payload_changed" REFUSED "a payload's bytes differ from its manifest",
    BadStoreUrl "bad_store_url" REFUSED "the model store's url can't be used",
    StoreNotBuilt "store_not_built" REFUSED "this program was built without that kind of model store",
    ConfigNode "config_node" REFUSED "the configuration node in ZooKeeper can't be used",
    NewerFormat "newer_format" REFUSED "the state in ZooKeeper was written by a newer program",
    BadSensor "bad_sensor" REFUSED "a sensor's configuration can't be used",
    ErrorRecords "error_records" REFUSED "a pipeline wrote error records",
    BadRestore "bad_restore" REFUSED "a file of saved nodes can't be used",
    Findings "findings" REFUSED "there are findings left",

    NoModel "no_model" NOT_FOUND "there is no such model",
    NoVersion "no_version" NOT_FOUND "the model has no such version",
    NoInstance "no_instance" NOT_FOUND "there is no such instance",
    NoRequest "no_request" NOT_FOUND "there is no such request",
    NoPayload "no_payload" NOT_FOUND "there is no such payload in the model store",
    NoEndpoint "no_endpoint" NOT_FOUND "no instance of the model is registered",
    NoFunction "no_function" NOT_FOUND "the model has no such function",
    NoEnrichment "no_enrichment" NOT_FOUND "nothing is known of the indicator",
    NoSensor "no_sensor" NOT_FOUND "there is no such sensor or pipeline",
    NoLogs "no_logs" NOT_FOUND "there are no such logs",
    NoFile "no_file" NOT_FOUND "there is no such file",
    NoMaster "no_master" NOT_FOUND "no master leads",

    TimedOut "timed_out" TIMED_OUT "gave up waiting",
    WaitsForRoom "waits_for_room" TIMED_OUT "it would wait for room",

    ZookeeperUnreachable "zookeeper_unreachable" UNREACHABLE "ZooKeeper can't be reached",
    ZookeeperTooOld "zookeeper_too_old" UNREACHABLE "ZooKeeper is older than 3.6",
    MayBeQueued "may_be_queued" UNREACHABLE "the connection was lost: the request may have been queued",
    ServerUnreachable "server_unreachable" UNREACHABLE "a server that a pipeline reads or writes can't be reached",
    StoreUnreachable "store_unreachable" UNREACHABLE "the model store can't be reached",
    NoSpace "no_space" UNREACHABLE "no space left",
    MasterUnreachable "master_unreachable" UNREACHABLE "the master's HTTP can't be reached",
    EndpointUnreachable "endpoint_unreachable" UNREACHABLE "the model's endpoint can't be reached",
    PortTaken "port_taken" UNREACHABLE "the address to listen on is taken",

    ModelFailed "model_failed" MODEL_FAILED "the model failed",
    NotReady "not_ready" MODEL_FAILED "not all asked for are ready",
    BadAnswer "bad_answer" MODEL_FAILED "the model answered with an error or no JSON object",
    ApplicationFailed "application_failed" MODEL_FAILED "the application failed in the cluster",

    Conflict "conflict" CONFLICT "conflict with what is there",
    ConflictContent "conflict_content" CONFLICT "the version exists with other content",
    ConflictResources "conflict_resources" CONFLICT "the version runs with other resources",
    InUse "in_use" CONFLICT "something still uses it",
    StateDirTaken "state_dir_taken" CONFLICT "another master uses the state directory",
    AnotherLeads "another_leads" CONFLICT "another master leads on this root",

    NotPermitted "not_permitted" NOT_PERMITTED "not permitted",
    Interrupted "interrupted" INTERRUPTED "interrupted",
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that is no code of the list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no error code")]
pub struct UnknownCode(String);

impl FromStr for ErrorCode {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text).ok_or_else(|| UnknownCode(text.to_string()))
    }
}

impl serde::Serialize for ErrorCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_distinct_snake_case_and_read_back() {
        let texts: BTreeSet<&str> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(texts.len(), ErrorCode::ALL.len());
        for code in ErrorCode::ALL {
            assert!(code.as_str().chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'));
            assert_eq!(code.as_str().parse(), Ok(*code));
            assert_ne!(code.exit(), exit::DONE, "{code}");
            assert!(exit::MEANINGS.iter().any(|(exit, _)| *exit == code.exit()), "{code}");
        }
        assert!("nonsense".parse::<ErrorCode>().is_err());
    }
}
