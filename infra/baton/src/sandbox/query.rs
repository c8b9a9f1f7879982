//! Intercom's search grammar, for conversations and contacts alike.
//!
//! A search is a filter `{field, operator, value}` or a group `{operator: AND|OR, value: […]}`
//! of those, nested at most twice. What the fields of a thing are and of which kind, the caller
//! says; the kind decides which operators and values a filter may have. Moments of conversations
//! compare to the second, those of contacts by the day (in UTC).

use std::borrow::Cow;
use std::cmp::Ordering;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::error::{Answer, ApiError};

/// How deep groups may be nested.
const LEVELS: usize = 2;
/// How many filters a group may have.
const FILTERS: usize = 15;
const SECONDS_A_DAY: i64 = 86_400;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    /// Compared word by word, as a message body is.
    Words,
    Integer,
    /// A moment in Unix seconds.
    Date,
    /// A moment in Unix seconds that is compared by the day it is of.
    Day,
    /// Text that is the same or not, and nothing else.
    Same,
    Flag,
    /// A custom attribute, of whichever kind.
    Any,
}

/// A field that can be searched by.
pub(crate) type Field = (&'static str, Kind);

/// A search that has been checked.
#[derive(Debug)]
pub(crate) enum Query {
    All(Vec<Query>),
    Any(Vec<Query>),
    Filter { field: String, kind: Kind, operator: Operator, value: Value },
}

/// What a filter compares by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    In,
    NotIn,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Contains,
    ContainsNot,
    StartsWith,
    EndsWith,
}

impl Query {
    /// Reads a search over the `known` fields.
    ///
    /// # Errors
    /// As Intercom refuses: 400 `parameter_invalid`.
    pub(crate) fn parse(value: &Value, known: &[Field]) -> Answer<Self> {
        Self::parse_level(value, known, 0)
    }

    fn parse_level(value: &Value, known: &[Field], level: usize) -> Answer<Self> {
        let operator = value
            .get("operator")
            .and_then(Value::as_str)
            .ok_or_else(|| ApiError::invalid_field("operator", "operator is required"))?;
        if matches!(operator, "AND" | "OR") {
            if level >= LEVELS {
                return Err(ApiError::invalid("Queries can be nested two levels deep"));
            }
            let members = value
                .get("value")
                .and_then(Value::as_array)
                .filter(|members| (1..=FILTERS).contains(&members.len()))
                .ok_or_else(|| ApiError::invalid("A group has 1 to 15 filters"))?;
            let group =
                members.iter().map(|member| Self::parse_level(member, known, level + 1)).collect::<Answer<Vec<_>>>()?;
            return Ok(if operator == "AND" { Self::All(group) } else { Self::Any(group) });
        }
        let field = value
            .get("field")
            .and_then(Value::as_str)
            .ok_or_else(|| ApiError::invalid_field("field", "field is required"))?;
        let named = known.iter().find(|(name, _)| *name == field).map(|(_, kind)| *kind);
        let kind = match named {
            Some(kind) => kind,
            None if field.starts_with("custom_attributes.") => Kind::Any,
            None => return Err(ApiError::invalid_field("field", format!("Unknown field {field}"))),
        };
        let operator = Operator::parse(operator)?;
        let wanted =
            value.get("value").cloned().ok_or_else(|| ApiError::invalid_field("value", "value is required"))?;
        let wanted = kind.read(wanted);
        kind.check(field, operator, &wanted)?;
        Ok(Self::Filter { field: field.to_owned(), kind, operator, value: wanted })
    }

    /// The values that a field has one of, in lower case, in everything that matches; none when
    /// the search does not say so, or a thing without the field could match.
    pub(crate) fn one_of(&self, wanted: &str) -> Option<Vec<String>> {
        match self {
            Self::All(group) => group.iter().find_map(|member| member.one_of(wanted)),
            Self::Filter { field, operator: Operator::Equal | Operator::In, value, .. } if field == wanted => {
                let id = |value: &Value| (value.is_string() || value.is_number()).then(|| text(value).to_lowercase());
                match value {
                    Value::Array(list) => list.iter().map(id).collect(),
                    single => id(single).map(|id| vec![id]),
                }
            }
            Self::Any(_) | Self::Filter { .. } => None,
        }
    }

    /// Whether a thing matches; `fields` gives the values of one of its fields.
    pub(crate) fn matches(&self, fields: &dyn Fn(&str) -> Vec<Value>) -> bool {
        match self {
            Self::All(group) => group.iter().all(|member| member.matches(fields)),
            Self::Any(group) => group.iter().any(|member| member.matches(fields)),
            Self::Filter { field, kind, operator, value } => {
                let actual = fields(field);
                match kind {
                    Kind::Words => operator.holds(&words(&actual), value),
                    Kind::Day => operator.holds(&actual.iter().map(day).collect::<Vec<_>>(), &day(value)),
                    _ => operator.holds(&actual, value),
                }
            }
        }
    }
}

/// The words of texts, in lower case.
fn words(texts: &[Value]) -> Vec<Value> {
    let split = |text: &Value| -> Vec<Value> {
        let text = text.as_str().unwrap_or_default().to_lowercase();
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        words.map(|word| json!(word)).collect()
    };
    texts.iter().flat_map(split).collect()
}

impl Kind {
    /// A value as its kind has it. The descriptions give a search no truth values, and Intercom's
    /// client for Python sends 1 for `True`; that it is taken for one is a guess.
    fn read(self, wanted: Value) -> Value {
        match (self, wanted.as_u64()) {
            (Self::Flag, Some(0)) => Value::Bool(false),
            (Self::Flag, Some(1)) => Value::Bool(true),
            _ => wanted,
        }
    }

    /// Refuses an operator that the kind does not have, and a value of another kind.
    fn check(self, field: &str, operator: Operator, wanted: &Value) -> Answer<()> {
        use Operator::{Contains, ContainsNot, EndsWith, Greater, GreaterOrEqual, Less, LessOrEqual, StartsWith};
        let fits = match operator {
            Greater | Less => matches!(self, Self::Integer | Self::Date | Self::Day | Self::Any),
            GreaterOrEqual | LessOrEqual => matches!(self, Self::Integer | Self::Date | Self::Any),
            Contains | ContainsNot | StartsWith | EndsWith => matches!(self, Self::Text | Self::Words | Self::Any),
            Operator::Equal => true,
            Operator::NotEqual => self != Self::Day,
            Operator::In | Operator::NotIn => !matches!(self, Self::Day | Self::Same),
        };
        if !fits {
            let problem = format!("The operator does not fit the type of {field}");
            return Err(ApiError::invalid_field("operator", problem));
        }
        let fits = match (operator, wanted) {
            (Operator::In | Operator::NotIn, Value::Array(list)) => list.iter().all(|one| self.takes(one)),
            (Operator::In | Operator::NotIn, _) => false,
            (_, single) => self.takes(single),
        };
        if fits {
            return Ok(());
        }
        Err(ApiError::invalid_field("value", format!("The value does not fit the type of {field}")))
    }

    fn takes(self, value: &Value) -> bool {
        match (self, value) {
            (_, Value::Object(_) | Value::Array(_)) => false,
            // What is not set is searched for with null, whichever its kind.
            (_, Value::Null) | (Self::Any, _) => true,
            // Ids are text, and come as numbers as well.
            (Self::Text | Self::Words | Self::Same, value) => value.is_string() || value.is_u64(),
            (Self::Integer | Self::Date | Self::Day, value) => number(value).is_some(),
            (Self::Flag, Value::Bool(_)) => true,
            (Self::Flag, value) => matches!(value.as_str(), Some("true" | "false")),
        }
    }
}

impl Operator {
    fn parse(text: &str) -> Answer<Self> {
        match text {
            "=" => Ok(Self::Equal),
            "!=" => Ok(Self::NotEqual),
            "IN" => Ok(Self::In),
            "NIN" => Ok(Self::NotIn),
            ">" => Ok(Self::Greater),
            ">=" => Ok(Self::GreaterOrEqual),
            "<" => Ok(Self::Less),
            "<=" => Ok(Self::LessOrEqual),
            "~" => Ok(Self::Contains),
            "!~" => Ok(Self::ContainsNot),
            "^" => Ok(Self::StartsWith),
            "$" => Ok(Self::EndsWith),
            other => Err(ApiError::invalid_field("operator", format!("Unknown operator {other}"))),
        }
    }

    fn holds(self, actual: &[Value], wanted: &Value) -> bool {
        let has = |wanted: &Value| actual.iter().any(|one| text(one).eq_ignore_ascii_case(&text(wanted)));
        let compared = |test: fn(Ordering) -> bool| {
            let pairs = actual.iter().filter_map(|one| Some((number(one)?, number(wanted)?)));
            pairs.into_iter().any(|(one, wanted)| test(one.cmp(&wanted)))
        };
        let has_one_of = || match wanted {
            Value::Array(list) => list.iter().any(has),
            single => has(single),
        };
        let some = |test: fn(&str, &str) -> bool| {
            let wanted = text(wanted).to_lowercase();
            actual.iter().any(|one| test(&text(one).to_lowercase(), &wanted))
        };
        match self {
            Self::Equal => has(wanted),
            Self::NotEqual => !has(wanted),
            Self::In => has_one_of(),
            Self::NotIn => !has_one_of(),
            Self::Greater => compared(Ordering::is_gt),
            Self::GreaterOrEqual => compared(Ordering::is_ge),
            Self::Less => compared(Ordering::is_lt),
            Self::LessOrEqual => compared(Ordering::is_le),
            Self::Contains => some(|one, wanted| one.contains(wanted)),
            Self::ContainsNot => !some(|one, wanted| one.contains(wanted)),
            Self::StartsWith => some(|one, wanted| one.starts_with(wanted)),
            Self::EndsWith => some(|one, wanted| one.ends_with(wanted)),
        }
    }
}

/// Ids come as numbers and as strings, and both mean the same.
fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

/// The day of a moment, counted from 1970; what is not set stays that.
fn day(moment: &Value) -> Value {
    number(moment).map_or(Value::Null, |seconds| json!(seconds.div_euclid(SECONDS_A_DAY)))
}

fn number(value: &Value) -> Option<i64> {
    if let Value::Number(number) = value {
        return number.as_i64();
    }
    text(value).parse().ok()
}

/// In which order a search answers.
#[derive(Debug)]
pub(crate) struct Sort {
    pub(crate) field: String,
    pub(crate) descending: bool,
}

impl Sort {
    /// Reads `{field, order}` over the `known` fields.
    ///
    /// # Errors
    /// 400 `parameter_invalid`, the code that other members of a search are refused with.
    pub(crate) fn parse(value: &Value, known: &[Field]) -> Answer<Self> {
        let member = |name: &str| value.get(name).map(|value| value.as_str().unwrap_or_default());
        let field = member("field").filter(|field| known.iter().any(|(name, _)| name == field));
        let field = field.ok_or_else(|| ApiError::invalid_field("sort", "sort.field is not a field to sort by"))?;
        let descending = match member("order") {
            None | Some("descending") => true,
            Some("ascending") => false,
            Some(_) => {
                return Err(ApiError::invalid_field("sort", "sort.order must be ascending or descending"));
            }
        };
        Ok(Self { field: field.to_owned(), descending })
    }
}

/// Which page of a list is asked for.
#[derive(Debug)]
pub(crate) struct Paging {
    per_page: usize,
    page: u64,
    after: Option<String>,
}

impl Paging {
    pub(crate) fn new(per_page: Option<u64>, starting_after: Option<&str>, default: usize) -> Answer<Self> {
        let per_page = per_page.map_or(Ok(default), |asked| {
            usize::try_from(asked)
                .ok()
                .filter(|asked| (1..=150).contains(asked))
                .ok_or_else(|| ApiError::invalid_field("per_page", "per_page is from 1 to 150"))
        })?;
        let Some(cursor) = starting_after else {
            return Ok(Self { per_page, page: 1, after: None });
        };
        let (id, page) = STANDARD
            .decode(cursor)
            .ok()
            .and_then(|json| serde_json::from_slice::<(String, u64)>(&json).ok())
            .ok_or_else(|| ApiError::invalid_field("starting_after", "starting_after is not a cursor"))?;
        Ok(Self { per_page, page, after: Some(id) })
    }

    /// The page of that number, where no cursor says otherwise. The descriptions have cursors
    /// only, but Intercom's clients count the pages of notes, until one is empty.
    pub(crate) fn numbered(self, page: Option<u64>) -> Self {
        let first = self.after.is_none();
        Self { page: page.filter(|page| first && *page > 0).unwrap_or(self.page), ..self }
    }

    /// The members of the page, and the `pages` object that goes with them.
    pub(crate) fn cut<'a, T>(&self, all: &'a [T], id: impl Fn(&T) -> String) -> (&'a [T], Value) {
        let start = match &self.after {
            None => usize::try_from(self.page.saturating_sub(1)).unwrap_or(usize::MAX).saturating_mul(self.per_page),
            // A thing that is gone since ends the list, as there is no place to go on from.
            Some(after) => all.iter().position(|one| id(one) == *after).map_or(all.len(), |at| at + 1),
        };
        let end = all.len().min(start.saturating_add(self.per_page));
        let page = all.get(start..end).unwrap_or_default();
        let more = page.last().filter(|_| end < all.len()).map(id);
        (page, self.pages(all.len(), more))
    }

    /// How many things a page has.
    pub(crate) fn per_page(&self) -> usize {
        self.per_page
    }

    /// The id of the thing that the page follows.
    pub(crate) fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    /// The `pages` object of a list of so many; `last` is the id of the page's last thing when
    /// there are more after it.
    pub(crate) fn pages(&self, total: usize, last: Option<String>) -> Value {
        let mut pages = json!({
            "type": "pages",
            "page": self.page,
            "per_page": self.per_page,
            "total_pages": total.div_ceil(self.per_page),
        });
        if let Some(last) = last {
            let cursor = STANDARD.encode(json!([last, self.page + 1]).to_string());
            pages["next"] = json!({"per_page": self.per_page, "starting_after": cursor});
        }
        pages
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Field, Kind, Paging, Query, Sort};

    const KNOWN: [Field; 6] = [
        ("state", Kind::Text),
        ("updated_at", Kind::Date),
        ("tag_ids", Kind::Text),
        ("admin_assignee_id", Kind::Integer),
        ("open", Kind::Flag),
        ("source.body", Kind::Words),
    ];

    fn fields(name: &str) -> Vec<Value> {
        match name {
            "state" => vec![json!("open")],
            "updated_at" => vec![json!(1_700_000_000)],
            "tag_ids" => vec![json!("1"), json!("2")],
            "open" => vec![json!(true)],
            "source.body" => vec![json!("I need Support!")],
            _ => vec![Value::Null],
        }
    }

    fn holds(query: Value) -> bool {
        Query::parse(&query, &KNOWN).unwrap().matches(&fields)
    }

    #[test]
    fn filters_compare_ids_as_text_and_moments_as_numbers() {
        assert!(holds(json!({"field": "tag_ids", "operator": "=", "value": 2})));
        assert!(holds(json!({"field": "tag_ids", "operator": "IN", "value": ["9", "1"]})));
        assert!(holds(json!({"field": "tag_ids", "operator": "NIN", "value": ["9"]})));
        assert!(holds(json!({"field": "updated_at", "operator": ">", "value": "1699999999"})));
        assert!(!holds(json!({"field": "updated_at", "operator": "<", "value": 1_700_000_000})));
        assert!(holds(json!({"field": "updated_at", "operator": "<=", "value": 1_700_000_000})));
        assert!(holds(json!({"field": "admin_assignee_id", "operator": "=", "value": null})));
        assert!(!holds(json!({"field": "admin_assignee_id", "operator": ">", "value": 0})));
        assert!(holds(json!({"field": "open", "operator": "=", "value": "true"})));
        assert!(holds(json!({"field": "open", "operator": "=", "value": 1})));
        assert!(!holds(json!({"field": "open", "operator": "=", "value": 0})));
    }

    #[test]
    fn a_body_is_searched_word_by_word() {
        assert!(holds(json!({"field": "source.body", "operator": "=", "value": "support"})));
        assert!(holds(json!({"field": "source.body", "operator": "~", "value": "Supp"})));
        assert!(!holds(json!({"field": "source.body", "operator": "=", "value": "need support"})));
    }

    #[test]
    fn operators_and_values_must_fit_the_field() {
        for (field, operator, value) in [
            ("state", ">", json!("a")),
            ("updated_at", "~", json!("1")),
            ("updated_at", "=", json!("foobar")),
            ("updated_at", "IN", json!(5)),
            ("open", "<", json!(true)),
            ("open", "=", json!("maybe")),
            ("open", "=", json!(2)),
            ("state", "=", json!({"a": 1})),
            ("state", "=", json!(["a"])),
            ("state", "LIKE", json!("a")),
            ("nonsense", "=", json!("a")),
        ] {
            let query = json!({"field": field, "operator": operator, "value": value});
            assert!(Query::parse(&query, &KNOWN).is_err(), "{query}");
        }
        assert!(Sort::parse(&json!({"field": "updated_at", "order": "up"}), &KNOWN).is_err());
        assert!(Sort::parse(&json!({"order": "ascending"}), &KNOWN).is_err());
        assert!(!Sort::parse(&json!({"field": "updated_at", "order": "ascending"}), &KNOWN).unwrap().descending);
    }

    #[test]
    fn a_search_says_which_values_alone_can_match() {
        let one_of = |query: Value| Query::parse(&query, &KNOWN).unwrap().one_of("tag_ids");
        let tags = json!({"field": "tag_ids", "operator": "IN", "value": ["A9", 1]});
        let state = json!({"field": "state", "operator": "=", "value": "open"});
        let ids = Some(vec!["a9".to_owned(), "1".to_owned()]);
        assert_eq!(one_of(tags.clone()), ids);
        assert_eq!(one_of(json!({"operator": "AND", "value": [state, tags]})), ids);
        assert_eq!(one_of(json!({"operator": "OR", "value": [state, tags]})), None);
        assert_eq!(one_of(json!({"field": "tag_ids", "operator": "=", "value": null})), None);
        assert_eq!(one_of(json!({"field": "tag_ids", "operator": "!=", "value": "1"})), None);
    }

    #[test]
    fn moments_of_contacts_are_asked_by_day() {
        let known = [("created_at", Kind::Day), ("tag_id", Kind::Same)];
        let at = |seconds: u64| move |_: &str| vec![json!(seconds)];
        let asked = |operator: &str, value: Value| {
            let query = json!({"field": "created_at", "operator": operator, "value": value});
            Query::parse(&query, &known)
        };
        let noon = 1_577_880_000_u64;
        assert!(asked("=", json!(1_577_836_800)).unwrap().matches(&at(noon)));
        assert!(!asked(">", json!("1577836800")).unwrap().matches(&at(noon)));
        assert!(asked(">", json!(1_577_836_800)).unwrap().matches(&at(noon + 43_200)));
        assert!(!asked("<", json!(noon + 1)).unwrap().matches(&at(noon)));
        assert!(asked("!=", json!(noon)).is_err());
        assert!(asked(">=", json!(noon)).is_err());
        assert!(asked("=", json!("yesterday")).is_err());
        let tags = json!({"field": "tag_id", "operator": "IN", "value": ["1"]});
        assert!(Query::parse(&tags, &known).is_err());
    }

    #[test]
    fn groups_nest_twice_and_no_deeper() {
        let filter = json!({"field": "state", "operator": "~", "value": "OP"});
        let inner = json!({"operator": "OR", "value": [filter]});
        assert!(holds(json!({"operator": "AND", "value": [inner]})));
        let deeper = json!({"operator": "AND", "value": [{"operator": "AND", "value": [inner]}]});
        assert!(Query::parse(&deeper, &KNOWN).is_err());
    }

    #[test]
    fn pages_follow_their_cursors_to_the_end() {
        let all = ["a", "b", "c"];
        let first = Paging::new(Some(2), None, 20).unwrap();
        let (page, pages) = first.cut(&all, |id| (*id).to_owned());
        assert_eq!(page, ["a", "b"]);
        let cursor = pages["next"]["starting_after"].as_str();
        let second = Paging::new(Some(2), cursor, 20).unwrap();
        let (page, pages) = second.cut(&all, |id| (*id).to_owned());
        assert_eq!((page, pages["page"].as_u64()), (&["c"][..], Some(2)));
        assert!(pages.get("next").is_none());
    }
}
