//! Paths into a JSON document: `$.events[*]`, `$..host`, `$['a b'][0, -1]`, `$.events[?(@.kind == 'dns' && @.n > 2)]`.
//!
//! As much of the usual notation as picks messages out of a document. Reading a path and following it, both pure.

use std::cmp::Ordering;

use stellar_fns::Value;

/// Values that a step may lead to. A line of the greatest length has fewer, but a path with `..` in it twice meets the same ones many times.
pub(super) const MOST_FOUND: usize = 1 << 20;

/// A path.
#[derive(Debug, PartialEq)]
pub(super) struct Path(Vec<Step>);

#[derive(Debug, PartialEq)]
enum Step {
    /// Entries of these names.
    Names(Vec<String>),
    /// Elements at these places; from the end where they are negative.
    Places(Vec<i64>),
    /// Elements from one place to before another.
    Range(Option<i64>, Option<i64>),
    /// All entries or elements.
    All,
    /// The value itself and everything below it.
    Below,
    /// Those for which one of these is fulfilled, each of which is several conditions.
    Where(Vec<Vec<Condition>>),
}

#[derive(Debug, PartialEq)]
struct Condition {
    /// Entries below the element.
    path: Vec<String>,
    /// None: that there is such an entry.
    compared: Option<(Comparison, Value)>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Comparison {
    Equal,
    Different,
    Less,
    AtMost,
    More,
    AtLeast,
}

/// Longer signs before those that they begin with.
const COMPARISONS: &[(&str, Comparison)] = &[
    ("==", Comparison::Equal),
    ("!=", Comparison::Different),
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("<", Comparison::Less),
    (">", Comparison::More),
];

impl Path {
    /// Reads a path; else what is wrong with it.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let mut reader = Reader { text, at: 0 };
        reader.wants("$")?;
        let mut steps = Vec::new();
        while !reader.rest().is_empty() {
            if reader.takes("..") {
                steps.push(Step::Below);
                if !reader.rest().starts_with('[') {
                    steps.push(reader.name_or_all()?);
                }
            } else if reader.takes(".") {
                steps.push(reader.name_or_all()?);
            }
            if reader.takes("[") {
                steps.push(reader.bracket()?);
            } else if !matches!(reader.rest().chars().next(), None | Some('.')) {
                return Err(reader.wrong("one of . .. [ is missing"));
            }
        }
        Ok(Self(steps))
    }

    /// Whether it leads to one value at most.
    pub(super) fn is_single(&self) -> bool {
        self.0.iter().all(|step| match step {
            Step::Names(names) => names.len() == 1,
            Step::Places(places) => places.len() == 1,
            Step::Range(..) | Step::All | Step::Below | Step::Where(_) => false,
        })
    }

    /// The values it leads to, in their order; none where they are more than [`MOST_FOUND`] on the way.
    pub(super) fn follow(&self, document: Value) -> Option<Vec<Value>> {
        let mut found = vec![document];
        for step in &self.0 {
            let mut next = Vec::new();
            for value in &found {
                next.extend(step.follow(value));
                if next.len() > MOST_FOUND {
                    return None;
                }
            }
            found = next;
        }
        Some(found)
    }
}

impl Step {
    fn follow(&self, value: &Value) -> Vec<Value> {
        match (self, value) {
            (Self::Names(names), Value::Map(map)) => names.iter().filter_map(|name| map.get_text(name)).collect(),
            (Self::Places(places), Value::List(list)) => {
                let list = list.read();
                places.iter().filter_map(|at| list.get(place(*at, list.len())?)).cloned().collect()
            }
            (Self::Range(from, to), Value::List(list)) => {
                let list = list.read();
                let bound = |at: i64| {
                    if at < 0 { place(at, list.len()).unwrap_or(0) } else { usize::try_from(at).unwrap_or(usize::MAX) }
                };
                let (from, to) = (from.map_or(0, bound), to.map_or(list.len(), bound).min(list.len()));
                list.iter().take(to).skip(from).cloned().collect()
            }
            (Self::All, value) => children(value),
            (Self::Below, value) => {
                let (mut all, mut waiting) = (Vec::new(), vec![value.clone()]);
                while let Some(value) = waiting.pop() {
                    // The last is taken first: the order of the document.
                    waiting.extend(children(&value).into_iter().rev());
                    all.push(value);
                }
                all
            }
            (Self::Where(alternatives), value) => {
                let holds = |value: &Value| alternatives.iter().any(|all| all.iter().all(|one| one.holds(value)));
                children(value).into_iter().filter(holds).collect()
            }
            _ => Vec::new(),
        }
    }
}

impl Condition {
    fn holds(&self, value: &Value) -> bool {
        let found = self.path.iter().try_fold(value.clone(), |value, name| match value {
            Value::Map(map) => map.get_text(name),
            _ => None,
        });
        let Some(found) = found else { return false };
        let Some((comparison, wanted)) = &self.compared else { return true };
        let order = match (found.as_number(), wanted.as_number(), &found, wanted) {
            (Some(one), Some(other), ..) => one.to_double().partial_cmp(&other.to_double()),
            (_, _, Value::Text(one), Value::Text(other)) => Some(one.as_str().cmp(other.as_str())),
            (_, _, one, other) => (one == other).then_some(Ordering::Equal),
        };
        match comparison {
            Comparison::Equal => order == Some(Ordering::Equal),
            Comparison::Different => order != Some(Ordering::Equal),
            Comparison::Less => order == Some(Ordering::Less),
            Comparison::AtMost => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            Comparison::More => order == Some(Ordering::Greater),
            Comparison::AtLeast => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        }
    }
}

/// Where in a list of so many elements; none where it is outside.
fn place(at: i64, length: usize) -> Option<usize> {
    let from_start = if at < 0 { i64::try_from(length).ok()? + at } else { at };
    usize::try_from(from_start).ok()
}

fn children(value: &Value) -> Vec<Value> {
    match value {
        Value::Map(map) => map.read().iter().map(|(_, value)| value.clone()).collect(),
        Value::List(list) => list.read().iter().cloned().collect(),
        _ => Vec::new(),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn takes(&mut self, token: &str) -> bool {
        let takes = self.rest().starts_with(token);
        self.at += if takes { token.len() } else { 0 };
        takes
    }

    /// The same with blanks around it.
    fn takes_apart(&mut self, token: &str) -> bool {
        self.skip_blanks();
        let takes = self.takes(token);
        self.skip_blanks();
        takes
    }

    fn skip_blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn wants(&mut self, token: &str) -> Result<(), String> {
        if self.takes_apart(token) { Ok(()) } else { Err(self.wrong(&format!("{token} is missing"))) }
    }

    fn wrong(&self, what: &str) -> String {
        format!("{:?}: {what}, at character {}", self.text, self.text[..self.at].chars().count())
    }

    fn while_char(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|char| !belongs(char)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn name_or_all(&mut self) -> Result<Step, String> {
        if self.takes("*") {
            return Ok(Step::All);
        }
        Ok(Step::Names(vec![self.name()?]))
    }

    fn name(&mut self) -> Result<String, String> {
        match self.while_char(|char| char.is_alphanumeric() || "_-$@:".contains(char)) {
            "" => Err(self.wrong("a name is missing")),
            name => Ok(name.to_owned()),
        }
    }

    /// What stands in brackets, and the closing one.
    fn bracket(&mut self) -> Result<Step, String> {
        self.skip_blanks();
        let step = if self.takes("*") {
            Step::All
        } else if self.takes("?") {
            self.wants("(")?;
            let mut alternatives = vec![self.conditions()?];
            while self.takes_apart("||") {
                alternatives.push(self.conditions()?);
            }
            self.wants(")")?;
            Step::Where(alternatives)
        } else if self.rest().starts_with(['\'', '"']) {
            let mut names = vec![self.quoted()?];
            while self.takes_apart(",") {
                names.push(self.quoted()?);
            }
            Step::Names(names)
        } else {
            self.places()?
        };
        self.skip_blanks();
        if self.takes("]") { Ok(step) } else { Err(self.wrong("] is missing")) }
    }

    fn places(&mut self) -> Result<Step, String> {
        let first = self.number()?;
        if self.takes_apart(":") {
            let last = self.number()?;
            return Ok(Step::Range(first, last));
        }
        let missing = "a place, a name in quotes, * or ?( is missing";
        let mut places = vec![first.ok_or_else(|| self.wrong(missing))?];
        while self.takes_apart(",") {
            places.push(self.number()?.ok_or_else(|| self.wrong(missing))?);
        }
        Ok(Step::Places(places))
    }

    fn number(&mut self) -> Result<Option<i64>, String> {
        let text = self.while_char(|char| char.is_ascii_digit() || char == '-');
        if text.is_empty() {
            return Ok(None);
        }
        text.parse().map(Some).map_err(|_| self.wrong("this is no place"))
    }

    fn quoted(&mut self) -> Result<String, String> {
        let quote = self.rest().chars().next().filter(|char| matches!(char, '\'' | '"'));
        let Some(quote) = quote else { return Err(self.wrong("a name in quotes is missing")) };
        let inner = &self.rest()[1..];
        let mut text = String::new();
        let mut chars = inner.char_indices();
        while let Some((at, char)) = chars.next() {
            match char {
                '\\' => text.extend(chars.next().map(|(_, char)| char)),
                char if char == quote => {
                    self.at += at + 2;
                    return Ok(text);
                }
                char => text.push(char),
            }
        }
        Err(self.wrong("the quote is not closed"))
    }

    /// Conditions that must all be fulfilled.
    fn conditions(&mut self) -> Result<Vec<Condition>, String> {
        let mut all = vec![self.condition()?];
        while self.takes_apart("&&") {
            all.push(self.condition()?);
        }
        Ok(all)
    }

    fn condition(&mut self) -> Result<Condition, String> {
        self.wants("@")?;
        let mut path = Vec::new();
        loop {
            if self.takes(".") {
                path.push(self.name()?);
            } else if self.takes("[") {
                path.push(self.quoted()?);
                self.wants("]")?;
            } else {
                break;
            }
        }
        self.skip_blanks();
        let comparison = COMPARISONS.iter().find(|(sign, _)| self.takes(sign));
        let compared = match comparison {
            None => None,
            Some((_, comparison)) => {
                self.skip_blanks();
                Some((*comparison, self.literal()?))
            }
        };
        Ok(Condition { path, compared })
    }

    fn literal(&mut self) -> Result<Value, String> {
        if self.rest().starts_with(['\'', '"']) {
            return self.quoted().map(Value::from);
        }
        let word = self.while_char(|char| char.is_alphanumeric() || "+-.".contains(char));
        match word {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            "null" => Ok(Value::Null),
            number => number
                .parse()
                .map(Value::Double)
                .map_err(|_| self.wrong("a number, a text in quotes, true, false or null is missing")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::FromJson;

    const DOCUMENT: &str =
        r#"{"a":[{"k":"x","n":1},{"deep":{"k":"z"},"k":"y","n":2.5},{"n":3}],"b c":{"d":true},"e":null}"#;

    fn found(path: &str) -> Vec<String> {
        let FromJson(document) = serde_json::from_str(DOCUMENT).unwrap();
        let path = Path::read(path).unwrap();
        path.follow(document)
            .unwrap()
            .iter()
            .map(|value| serde_json::to_string(&crate::message::AsJson(value)).unwrap())
            .collect()
    }

    #[test]
    fn paths_lead_where_they_say() {
        for (path, wanted) in [
            ("$", &[DOCUMENT][..]),
            ("$.a[0].k", &[r#""x""#]),
            ("$.a[-1]", &[r#"{"n":3}"#]),
            ("$.a[*].n", &["1", "2.5", "3"]),
            ("$.a[0, 2].n", &["1", "3"]),
            ("$.a[1:].n", &["2.5", "3"]),
            ("$.a[:-1].n", &["1", "2.5"]),
            ("$['b c', \"e\"]", &[r#"{"d":true}"#, "null"]),
            ("$['b c'].*", &["true"]),
            ("$..k", &[r#""x""#, r#""y""#, r#""z""#]),
            ("$..[0].n", &["1"]),
            ("$.a[?(@.k)].n", &["1", "2.5"]),
            ("$.a[?(@.k == 'y' && @.n > 2 || @.n >= 3)].n", &["2.5", "3"]),
            ("$.a[?(@.deep.k != 'q')].n", &["2.5"]),
            ("$.none.at.all", &[]),
            ("$.a[9]", &[]),
        ] {
            assert_eq!(found(path), wanted, "{path}");
        }
        assert!(Path::read("$.a[0]['b']").unwrap().is_single());
        assert!(!Path::read("$.a[*]").unwrap().is_single());
    }

    #[test]
    fn everything_below_is_found_in_time_that_grows_with_the_document() {
        const ITEMS: usize = 200_000;
        let document = Value::list((0..ITEMS).map(|_| Value::list(vec![Value::Int(1)])));
        assert_eq!(Path::read("$..[0]").unwrap().follow(document).unwrap().len(), ITEMS + 1);
    }

    #[test]
    fn a_path_that_meets_everything_many_times_is_given_up() {
        let nested = |inside: Value, _| Value::list(vec![inside, Value::list(vec![Value::Int(1); 100])]);
        let document = (0..100).fold(Value::Int(1), nested);
        assert!(Path::read("$..*").unwrap().follow(document.clone()).is_some());
        assert!(Path::read("$..*..*..*").unwrap().follow(document).is_none());
    }

    #[test]
    fn what_is_no_path_is_told_with_its_place() {
        for (path, at) in [
            ("a", 0),
            ("$a", 1),
            ("$.", 2),
            ("$.a[", 4),
            ("$.a['b", 4),
            ("$.a[?(@.b ==)]", 12),
            ("$.a[?(@.b", 9),
            ("$.a[x]", 4),
        ] {
            let wrong = Path::read(path).unwrap_err();
            assert!(wrong.ends_with(&format!("at character {at}")), "{wrong}");
        }
    }
}
