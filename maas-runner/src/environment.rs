//! The environment a model is started with: named variables of the runner's own, then what was asked for, nothing else.
//!
//! Pure but for the reading of secrets, which stand in files and never in arguments, logs or errors.

use maas_client::launch::LaunchSpec;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

/// What a model inherits when the runner has it.
pub(crate) const INHERITED: [&str; 8] =
    ["PATH", "HOME", "USER", "LANG", "TZ", "JAVA_HOME", "HADOOP_CONF_DIR", "HADOOP_HOME"];
/// Variable by which a process is known to belong to an instance, whoever its parent is.
pub(crate) const INSTANCE_VARIABLE: &str = "MAAS_INSTANCE_ID";
/// The longest secret, bytes.
const MAX_SECRET: u64 = 128 << 10;

/// Why there is no environment.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("secret {name} can't be read from {path}: {source}")]
    Secret { name: String, path: String, source: std::io::Error },
    #[error("secret {name} in {path} has more than {MAX_SECRET} bytes")]
    SecretTooLong { name: String, path: String },
    #[error("secret {name} in {path} holds a NUL byte or is no UTF-8; an environment variable can't hold it")]
    SecretBytes { name: String, path: String },
    #[error("variable {name:?} can't be set: a name is not empty and has no '=', and neither name nor value a NUL")]
    Variable { name: String },
}

/// Reads the secrets' files; a newline at the end is cut.
pub(crate) fn read_secrets(files: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Error> {
    let mut secrets = BTreeMap::new();
    for (name, path) in files {
        let mut bytes = Vec::new();
        std::fs::File::open(path)
            .and_then(|file| file.take(MAX_SECRET + 1).read_to_end(&mut bytes))
            .map_err(|source| Error::Secret { name: name.clone(), path: path.clone(), source })?;
        if bytes.len() as u64 > MAX_SECRET {
            return Err(Error::SecretTooLong { name: name.clone(), path: path.clone() });
        }
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
            bytes.pop_if(|byte| *byte == b'\r');
        }
        let value = String::from_utf8(bytes)
            .ok()
            .filter(|value| !value.contains('\0'))
            .ok_or_else(|| Error::SecretBytes { name: name.clone(), path: path.clone() })?;
        secrets.insert(name.clone(), value);
    }
    Ok(secrets)
}

/// Puts the environment together; later ones win.
pub(crate) fn build(
    inherited: impl Fn(&str) -> Option<String>,
    spec: &LaunchSpec,
    settings_env: &BTreeMap<String, String>,
    secrets: BTreeMap<String, String>,
    temporary: &Path,
) -> Result<BTreeMap<String, String>, Error> {
    let mut environment: BTreeMap<String, String> =
        INHERITED.iter().filter_map(|name| Some((name.to_string(), inherited(name)?))).collect();
    environment.insert("TMPDIR".to_string(), temporary.to_string_lossy().into_owned());
    for layer in [&spec.service_env, settings_env, &spec.env, &secrets] {
        environment.extend(layer.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    let indices: Vec<String> = spec.gpu_indices.iter().map(u32::to_string).collect();
    for (name, value) in [
        ("MAAS_MODEL_NAME", spec.model.name.to_string()),
        ("MAAS_MODEL_VERSION", spec.model.version.to_string()),
        (INSTANCE_VARIABLE, spec.id.clone()),
        ("MAAS_MEMORY_MB", spec.resources.memory_mb.to_string()),
        ("MAAS_GPUS", spec.resources.gpus.to_string()),
        // Empty for a model without: it shall not take what was given to another.
        ("CUDA_VISIBLE_DEVICES", indices.join(",")),
    ] {
        environment.insert(name.to_string(), value);
    }
    let wrong =
        |(name, value): &(&String, &String)| name.is_empty() || name.contains(['=', '\0']) || value.contains('\0');
    if let Some((name, _)) = environment.iter().find(wrong) {
        return Err(Error::Variable { name: name.clone() });
    }
    Ok(environment)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(name: &str, path: &Path) -> BTreeMap<String, String> {
        BTreeMap::from([(name.to_string(), path.to_string_lossy().into_owned())])
    }

    #[test]
    fn a_secret_loses_one_newline_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        for (content, value) in [("a b\n", "a b"), ("a\r\n", "a"), ("a\n\n", "a\n"), ("a", "a"), ("", "")] {
            std::fs::write(&path, content).unwrap();
            assert_eq!(read_secrets(&files("T", &path)).unwrap()["T"], value);
        }
    }

    #[test]
    fn a_secret_that_cannot_be_used_is_named_without_its_content() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        let error = read_secrets(&files("T", &path)).unwrap_err().to_string();
        assert!(error.contains("secret T") && error.contains("No such file"), "{error}");
        std::fs::write(&path, b"hush\0hush").unwrap();
        let error = read_secrets(&files("T", &path)).unwrap_err().to_string();
        assert!(error.contains("NUL") && !error.contains("hush"), "{error}");
        std::fs::write(&path, vec![b'x'; 200 << 10]).unwrap();
        assert!(matches!(read_secrets(&files("T", &path)), Err(Error::SecretTooLong { .. })));
    }
}
