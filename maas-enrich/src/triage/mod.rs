//! Threat triage: whether a message is an alert, which rules it meets, and the score that comes of them.
//!
//! `aggregate` makes one number of many. [`Triage::apply`] writes what the original's code writes; the level that its documentation names is added by the
//! pipeline.

mod aggregate;

use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};
use serde::Deserialize;
use serde::de::IgnoredAny;
use stellar_fns::value::Text;
use stellar_fns::{Environment, Value};

use crate::config::{Compile, Error};
use crate::expression::{Expression, Failed, Scope};
use crate::message::Message;

use aggregate::Aggregator;

/// Whether a message is an alert.
const IS_ALERT: &str = "is_alert";
/// The field of the score.
pub const SCORE: &str = "threat.triage.score";
/// What the fields of rules begin with.
pub const RULES: &str = "threat.triage.rules.";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RawTriage {
    risk_level_rules: Option<Vec<RawRule>>,
    aggregator: Option<String>,
    aggregation_config: Option<Message>,
    #[serde(flatten)]
    rest: IndexMap<String, IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct RawRule {
    name: Option<String>,
    comment: Option<String>,
    rule: Option<String>,
    score: Option<serde_json::Value>,
    reason: Option<String>,
    #[serde(flatten)]
    rest: IndexMap<String, IgnoredAny>,
}

/// The rules of a sensor.
#[derive(Debug, Default)]
pub struct Triage {
    rules: Vec<Rule>,
    aggregator: Aggregator,
    /// Whether any negative score makes the whole negative infinity.
    negatives_trump: bool,
    /// What the fields of the rules that fire are called, by their number.
    fields: Vec<Fields>,
}

#[derive(Debug)]
struct Rule {
    name: Value,
    comment: Value,
    rule: Expression,
    score: Expression,
    /// The expression, not its value, is what is written, as in the original.
    score_text: Value,
    reason: Option<Expression>,
}

/// Names of the fields of a rule that fired.
#[derive(Debug)]
struct Fields {
    name: Text,
    comment: Text,
    score: Text,
    reason: Text,
}

impl Fields {
    fn of(number: usize) -> Self {
        let field = |what: &str| Text::from(format!("{RULES}{number}.{what}"));
        Self { name: field("name"), comment: field("comment"), score: field("score"), reason: field("reason") }
    }
}

struct Fired<'a> {
    rule: &'a Rule,
    reason: Value,
}

impl Triage {
    pub(crate) fn compile(key: &str, raw: Option<RawTriage>, with: &mut Compile) -> Result<Self, Error> {
        let Some(raw) = raw else { return Ok(Self::default()) };
        let known = &["riskLevelRules", "aggregator", "aggregationConfig"];
        with.unknown_keys(key, raw.rest.keys().map(String::as_str), known);
        let mut texts = IndexSet::new();
        let mut rules = Vec::new();
        for (index, raw) in raw.risk_level_rules.unwrap_or_default().into_iter().enumerate() {
            let key = format!("{key}.riskLevelRules[{index}]");
            let known = &["name", "comment", "rule", "score", "reason"];
            with.unknown_keys(&key, raw.rest.keys().map(String::as_str), known);
            let source = raw.rule.ok_or_else(|| Error::value(&key, "has no rule; write an expression"))?;
            let rule = with.expressions.compile(&format!("{key}.rule"), &source)?;
            let score = match raw.score {
                Some(serde_json::Value::String(expression)) => expression,
                Some(serde_json::Value::Number(number)) => score_text(&number),
                _ => return Err(Error::value(&key, "has no score; a number, or an expression as text")),
            };
            let score = with.expressions.compile(&format!("{key}.score"), &score)?;
            let reason = raw.reason.filter(|reason| !reason.trim().is_empty());
            let reason =
                reason.map(|reason| with.expressions.compile(&format!("{key}.reason"), &reason)).transpose()?;
            if texts.insert(source) {
                let score_text = Value::text(score.source());
                rules.push(Rule {
                    name: raw.name.into(),
                    comment: raw.comment.into(),
                    rule,
                    score,
                    score_text,
                    reason,
                });
            } else {
                with.warn(key, "an earlier rule has the same expression, this one is dropped");
            }
        }
        let aggregator = match raw.aggregator {
            None => Aggregator::default(),
            Some(name) => Aggregator::named(&name).ok_or_else(|| {
                let hint = maas_cli::suggest::hint(&name, Aggregator::NAMES.iter().copied());
                let message = format!("{name:?} is no aggregator; {}{hint}", Aggregator::NAMES.join(", "));
                Error::value(format!("{key}.aggregator"), message)
            })?,
        };
        let negatives = raw.aggregation_config.unwrap_or_default();
        let negatives_trump = negatives.get("negativeValuesTrump").is_none_or(Value::to_boolean);
        let fields = (0..rules.len()).map(Fields::of).collect();
        Ok(Self { rules, aggregator, negatives_trump, fields })
    }

    /// Sees whether the message is an alert and, if it is, weighs it. Gives the score, where any rule fired.
    ///
    /// When a rule fails no field of triage is written; the message stays an alert.
    pub async fn apply(
        &self,
        message: &mut Message,
        around: &[&Message],
        environment: &Arc<Environment>,
    ) -> Result<Option<f64>, Failed> {
        if !is_alert(message) {
            message.remove(IS_ALERT);
            return Ok(None);
        }
        message.set(IS_ALERT, Value::text("true"));
        let mut fired = Vec::new();
        let mut scores = Vec::new();
        {
            let scope = Scope::new(std::iter::once(&*message).chain(around.iter().copied()));
            for rule in &self.rules {
                if !rule.rule.holds(&scope, environment).await? {
                    continue;
                }
                let reason = match &rule.reason {
                    None => Value::Null,
                    Some(reason) => match reason.value(&scope, environment).await? {
                        Value::Null => Value::Null,
                        value => Value::from(value.to_string()),
                    },
                };
                let score = rule.score.value(&scope, environment).await?;
                scores.push(score.to_double().ok_or_else(|| rule.score.wrong("the score is no number"))?);
                fired.push(Fired { rule, reason });
            }
        }
        if fired.is_empty() {
            return Ok(None);
        }
        let score = self.aggregator.aggregate(&scores, self.negatives_trump);
        message.set(SCORE, Value::Double(score));
        for (Fired { rule, reason }, fields) in fired.into_iter().zip(&self.fields) {
            message.set(fields.name.clone(), rule.name.clone());
            message.set(fields.comment.clone(), rule.comment.clone());
            message.set(fields.score.clone(), rule.score_text.clone());
            message.set(fields.reason.clone(), reason);
        }
        Ok(Some(score))
    }
}

/// `is_alert` decides where there is one; else any field that threat intelligence set makes an alert.
fn is_alert(message: &Message) -> bool {
    match message.get(IS_ALERT) {
        Some(value) => value.to_boolean(),
        None => message.iter().any(|(name, _)| name.starts_with("threatintels") && !name.ends_with(".ts")),
    }
}

/// A number as Java writes it: that is the text of the score.
fn score_text(number: &serde_json::Number) -> String {
    match number.as_f64() {
        Some(double) if number.is_f64() => stellar_fns::value::double_text(double),
        _ => number.to_string(),
    }
}
