//! Where configurations keep their expressions.

use std::path::Path;

use super::json::Node;
use super::script::assignment;
use super::{Expression, script};
use crate::error::Span;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A parser's configuration: field transformations and the filter.
    Parser,
    /// An enrichment's configuration: Stellar enrichments of both stages and triage rules.
    Enrichment,
    /// global.json: field validations.
    Global,
    /// A configuration without expressions, such as one of indexing.
    Other,
    /// A file of expressions, as the shell reads them.
    Script,
}

impl Kind {
    /// What the file is by its path, as configurations lie in their directories, and where that says nothing, by what it holds.
    pub fn of(path: &Path, text: &str) -> Self {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let directory = path.parent().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or_default();
        match directory {
            _ if !name.ends_with(".json") => Self::Script,
            _ if name == "global.json" => Self::Global,
            "parsers" => Self::Parser,
            "enrichments" => Self::Enrichment,
            "indexing" => Self::Other,
            _ => Node::of_file(text).map_or(Self::Other, |root| Self::of_content(&root)),
        }
    }

    fn of_content(root: &Node<'_>) -> Self {
        let has = |names: &[&str]| names.iter().any(|name| root.get(name).is_some());
        if has(&["fieldTransformations", "parserClassName", "parserConfig", "sensorTopic"]) {
            Self::Parser
        } else if has(&["enrichment", "threatIntel"]) {
            Self::Enrichment
        } else if has(&["fieldValidations"]) {
            Self::Global
        } else {
            Self::Other
        }
    }
}

/// What is wrong with a configuration itself: a place that should hold an expression and doesn't.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Misfit {
    pub key: String,
    pub span: Span,
    pub message: String,
}

/// What was found in a file.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub expressions: Vec<Expression>,
    pub misfits: Vec<Misfit>,
}

/// The expressions of a file.
pub(super) fn find(kind: Kind, text: &str) -> Result<Found, serde_json::Error> {
    let mut found = Found::default();
    if kind == Kind::Script {
        found.expressions = script::expressions(text);
        return Ok(found);
    }
    let root = Node::of_file(text)?;
    if !root.is_object() {
        found.misfit(&root, "an object");
        return Ok(found);
    }
    match kind {
        Kind::Parser => found.parser(&root),
        Kind::Enrichment => found.enrichment(&root),
        Kind::Global => found.global(&root),
        Kind::Other | Kind::Script => {}
    }
    Ok(found)
}

impl Found {
    fn misfit(&mut self, node: &Node<'_>, wanted: &str) {
        let message = format!("expected {wanted}, found {}", node.describe());
        self.misfits.push(Misfit { key: node.key.clone(), span: node.span(), message });
    }

    fn text(&mut self, node: &Node<'_>) {
        match node.expression() {
            Some(expression) => self.expressions.push(expression),
            None => self.misfit(node, "an expression as a text"),
        }
    }

    fn optional(&mut self, node: Option<Node<'_>>) {
        if let Some(node) = node.filter(|node| !node.is_null()) {
            self.text(&node);
        }
    }

    fn parser(&mut self, root: &Node<'_>) {
        for transformation in root.get("fieldTransformations").iter().flat_map(Node::items) {
            let name = transformation.get("transformation").and_then(|name| name.as_text()).unwrap_or_default();
            let config = transformation.get("config");
            match name.as_str() {
                "STELLAR" => {
                    for (_, expression) in config.iter().flat_map(Node::members) {
                        self.text(&expression);
                    }
                }
                "REMOVE" => self.optional(config.and_then(|config| config.get("condition"))),
                _ => {}
            }
        }
        let filter = root.get("filterClassName").and_then(|name| name.as_text());
        if filter.is_none_or(|name| name == "STELLAR" || name.ends_with(".StellarFilter")) {
            self.optional(root.at(&["parserConfig", "filter.query"]));
        }
    }

    fn enrichment(&mut self, root: &Node<'_>) {
        for stage in ["enrichment", "threatIntel"] {
            if let Some(config) = root.at(&[stage, "fieldMap", "stellar", "config"]) {
                self.statements(&config, true);
            }
        }
        let rules = root.at(&["threatIntel", "triageConfig", "riskLevelRules"]);
        for rule in rules.iter().flat_map(Node::items) {
            match rule.get("rule") {
                Some(condition) => self.text(&condition),
                None => self.misfit(&rule, "a rule with the key rule"),
            }
            self.optional(rule.get("reason"));
            self.optional(rule.get("score").filter(|score| !score.is_number()));
        }
    }

    /// A map of names to expressions, a list of assignments, or, at the top, a map in which groups of these have names.
    fn statements(&mut self, node: &Node<'_>, groups: bool) {
        if node.is_list() {
            for item in node.items() {
                self.assigned(&item);
            }
        } else if node.is_object() {
            for (_, member) in node.members() {
                if groups && (member.is_object() || member.is_list()) {
                    self.statements(&member, false);
                } else {
                    self.text(&member);
                }
            }
        } else if !node.is_null() {
            self.misfit(node, "a map of expressions or a list of name := expression");
        }
    }

    fn assigned(&mut self, item: &Node<'_>) {
        match item.expression() {
            Some(statement) => match assignment(&statement.text) {
                Some(assigned) => {
                    let part = statement.part(item.key.clone(), assigned.at);
                    self.expressions.push(part);
                }
                None => self.misfits.push(Misfit {
                    key: item.key.clone(),
                    span: item.span(),
                    message: format!("expected name := expression, found {:?}", statement.text),
                }),
            },
            None => self.misfit(item, "name := expression as a text"),
        }
    }

    fn global(&mut self, root: &Node<'_>) {
        for validation in root.get("fieldValidations").iter().flat_map(Node::items) {
            let name = validation.get("validation").and_then(|name| name.as_text());
            if name.as_deref() == Some("STELLAR") {
                self.optional(validation.at(&["config", "condition"]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(kind: Kind, text: &str) -> Vec<(String, String)> {
        let found = find(kind, text).unwrap();
        assert_eq!(found.misfits, []);
        found.expressions.into_iter().map(|expression| (expression.key, expression.text)).collect()
    }

    fn keys(kind: Kind, text: &str) -> Vec<String> {
        found(kind, text).into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn a_parser_has_transformations_and_a_filter() {
        let text = r#"{"fieldTransformations": [
            {"transformation": "STELLAR", "output": ["a"], "config": {"a": "1", "b": "2"}},
            {"transformation": "REMOVE", "output": "c", "config": {"condition": "exists(c)"}},
            {"transformation": "RENAME", "config": {"d": "not an expression"}}],
          "parserConfig": {"filter.query": "exists(a)", "columns": {"x": 0}}, "filterClassName": "STELLAR"}"#;
        assert_eq!(
            keys(Kind::Parser, text),
            [
                "/fieldTransformations/0/config/a",
                "/fieldTransformations/0/config/b",
                "/fieldTransformations/1/config/condition",
                "/parserConfig/filter.query"
            ]
        );
    }

    #[test]
    fn enrichments_come_as_maps_lists_and_groups() {
        let text = r#"{"enrichment": {"fieldMap": {"geo": ["ip"], "stellar": {"config": {
              "a": "1", "first": {"b": "2"}, "second": ["c := 3", " d.e:=4"]}}}},
          "threatIntel": {"fieldMap": {"stellar": {"config": ["f := null"]}},
            "triageConfig": {"riskLevelRules": [{"rule": "f == 1", "score": 10}, {"rule": "g", "score": "5 + 5", "reason": "'h'", "name": "x"}]}}}"#;
        let found = found(Kind::Enrichment, text);
        let texts: Vec<&str> = found.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["1", "2", "3", "4", "null", "f == 1", "g", "'h'", "5 + 5"]);
        assert_eq!(found[3].0, "/enrichment/fieldMap/stellar/config/second/1");
        assert_eq!(found[8].0, "/threatIntel/triageConfig/riskLevelRules/1/score");
    }

    #[test]
    fn global_settings_have_validations() {
        let text = r#"{"es.ip": "x", "fieldValidations": [{"validation": "STELLAR", "config": {"condition": "a"}}, {"validation": "IP"}]}"#;
        assert_eq!(keys(Kind::Global, text), ["/fieldValidations/0/config/condition"]);
    }

    #[test]
    fn what_should_be_an_expression_and_is_none_is_said() {
        let text = r#"{"enrichment": {"fieldMap": {"stellar": {"config": ["x = 1", 2]}}}, "threatIntel": {"triageConfig": {"riskLevelRules": [{"score": true}]}}}"#;
        let messages: Vec<String> =
            find(Kind::Enrichment, text).unwrap().misfits.into_iter().map(|misfit| misfit.message).collect();
        assert_eq!(
            messages,
            [
                "expected name := expression, found \"x = 1\"",
                "expected name := expression as a text, found a number",
                "expected a rule with the key rule, found an object",
                "expected an expression as a text, found a boolean"
            ]
        );
    }

    #[test]
    fn files_are_known_by_their_place_and_else_by_what_they_hold() {
        for (path, text, kind) in [
            ("x/parsers/squid.json", "{}", Kind::Parser),
            ("x/enrichments/squid.json", "{}", Kind::Enrichment),
            ("x/global.json", "{}", Kind::Global),
            ("x/indexing/squid.json", "{}", Kind::Other),
            ("squid.json", r#"{"sensorTopic": "squid"}"#, Kind::Parser),
            ("squid.json", r#"{"threatIntel": {}}"#, Kind::Enrichment),
            ("x.stellar", "1 + 1", Kind::Script),
        ] {
            assert_eq!(Kind::of(Path::new(path), text), kind, "{path}");
        }
    }
}
