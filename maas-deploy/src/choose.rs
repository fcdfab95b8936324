//! What an ADD changes for callers: which version they get by default, ours and Metron's. Pure.

use maas_client::model::{ModelId, ModelVersion};
use maas_client::picture::{Picture, VersionPicture};

/// What callers that name no version will notice. `before` is the picture before the request.
pub(crate) fn callers_note(before: &Picture, model: &ModelId, is_ready: bool) -> Option<String> {
    let current = before.current(&model.name)?;
    let (name, new, old) = (&model.name, &model.version, &current.model.version);
    if new == old {
        return None;
    }
    let count = current.endpoints.len();
    let still = match count {
        1 => "1 instance of it still runs".to_string(),
        _ => format!("{count} instances of it still run"),
    };
    Some(match (new > old, is_ready) {
        (true, true) => format!("{name} is now {new} (was {old}; {still})"),
        (true, false) => format!("{name} is {new} as soon as an instance is ready (still {old}; {still})"),
        (false, _) => format!("{name} stays {old} for callers that name no version; {new} is older"),
    })
}

/// Warns where Metron's clients, which order versions as text, choose another version than ours.
pub(crate) fn metron_note(picture: &Picture, model: &ModelId) -> Option<String> {
    let there = picture.of(&model.name).filter(|version| is_there(version)).map(|version| &version.model.version);
    let versions: Vec<&ModelVersion> = there.chain([&model.version]).collect();
    let ours = versions.iter().max()?;
    let theirs = versions.iter().max_by_key(|version| version.as_str())?;
    (ours != theirs).then(|| {
        format!(
            "warning: Metron's clients order versions as text and choose {} {theirs}, not {ours}; name the version there",
            model.name
        )
    })
}

fn is_there(version: &VersionPicture) -> bool {
    !version.endpoints.is_empty() || version.wanted() > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use maas_client::picture::Parts;

    fn with(versions: &[(&str, usize)]) -> Picture {
        let endpoints = versions.iter().flat_map(|(version, count)| {
            (0..*count).map(move |number| testing::endpoint("dga", version, &format!("1-{number}-aaaa")))
        });
        Picture::assemble(Parts { endpoints: endpoints.collect(), ..Parts::default() })
    }

    #[test]
    fn a_higher_version_is_announced_with_what_it_replaces() {
        let before = with(&[("1.0", 4)]);
        let two = testing::model("dga", "2.0");
        assert_eq!(callers_note(&before, &two, true).unwrap(), "dga is now 2.0 (was 1.0; 4 instances of it still run)");
        assert!(callers_note(&before, &two, false).unwrap().contains("as soon as"));
        assert!(callers_note(&before, &testing::model("dga", "0.9"), true).unwrap().contains("stays 1.0"));
        assert_eq!(callers_note(&before, &testing::model("dga", "1.0"), true), None);
        assert_eq!(callers_note(&with(&[]), &two, true), None);
    }

    #[test]
    fn where_text_order_chooses_another_version_it_is_said() {
        let note = metron_note(&with(&[("9.0", 1)]), &testing::model("dga", "10.0")).unwrap();
        assert!(note.contains("choose dga 9.0, not 10.0"), "{note}");
        assert_eq!(metron_note(&with(&[("1.0", 1)]), &testing::model("dga", "2.0")), None);
    }
}
