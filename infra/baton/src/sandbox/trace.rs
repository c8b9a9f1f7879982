//! What a bridge says about its own decisions, step by step, to be shown beside what it sent.
//!
//! A local runner posts these; the sandbox keeps the newest, for each conversation and in all,
//! and understands none of them. A reset forgets them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value};

/// How many steps of one conversation are kept.
const STEPS_OF_ONE: usize = 500;
/// How many steps are kept in all.
const STEPS_KEPT: usize = 20_000;
/// How many steps are taken at once.
const STEPS_AT_ONCE: usize = 1_000;
/// How many fields a step may have.
const FIELDS: usize = 40;
/// How long a text in a step may be.
const TEXT_BYTES: usize = 8_000;
/// How many texts a list may have.
const LIST: usize = 50;

/// Which conversation a step is about: workspace and id.
pub(crate) type Place = (String, u64);

#[derive(Debug)]
struct Step {
    n: u64,
    fields: Map<String, Value>,
}

#[derive(Debug, Default)]
struct Kept {
    last: u64,
    by_place: HashMap<Place, VecDeque<Step>>,
    /// The places of all steps, oldest first. A step that its conversation has dropped before
    /// is still counted here, which only lets others go earlier.
    order: VecDeque<Place>,
}

/// The steps that are kept.
#[derive(Debug, Default)]
pub(crate) struct Traces(Mutex<Kept>);

impl Traces {
    /// Keeps steps, all or none of them, and says which conversations they are about.
    ///
    /// # Errors
    /// When one is not a step; the text names it and says why.
    pub(crate) fn add(&self, steps: Vec<Value>) -> Result<Vec<Place>, String> {
        if steps.len() > STEPS_AT_ONCE {
            return Err(format!("steps has more than {STEPS_AT_ONCE} entries"));
        }
        let checked: Result<Vec<_>, String> = steps
            .into_iter()
            .enumerate()
            .map(|(at, step)| checked(step).map_err(|problem| format!("steps[{at}]: {problem}")))
            .collect();
        let mut kept = self.kept();
        let mut places = Vec::new();
        for (place, fields) in checked? {
            kept.add(place.clone(), fields);
            if !places.contains(&place) {
                places.push(place);
            }
        }
        Ok(places)
    }

    /// The steps of a conversation after a number, oldest first as they came.
    pub(crate) fn after(&self, place: &Place, n: u64) -> Vec<(u64, Value)> {
        let kept = self.kept();
        let steps = kept.by_place.get(place).into_iter().flatten();
        steps.filter(|step| step.n > n).map(|step| (step.n, Value::Object(step.fields.clone()))).collect()
    }

    /// Forgets all steps. Their numbers go on.
    pub(crate) fn clear(&self) {
        let mut kept = self.kept();
        kept.by_place.clear();
        kept.order.clear();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn add(&mut self, place: Place, fields: Map<String, Value>) {
        self.last += 1;
        let n = self.last;
        if self.order.len() == STEPS_KEPT {
            self.drop_oldest();
        }
        self.order.push_back(place.clone());
        let steps = self.by_place.entry(place).or_default();
        if steps.len() == STEPS_OF_ONE {
            steps.pop_front();
        }
        steps.push_back(Step { n, fields });
    }

    fn drop_oldest(&mut self) {
        let Some(place) = self.order.pop_front() else {
            return;
        };
        let Some(steps) = self.by_place.get_mut(&place) else {
            return;
        };
        steps.pop_front();
        if steps.is_empty() {
            self.by_place.remove(&place);
        }
    }
}

fn checked(step: Value) -> Result<(Place, Map<String, Value>), String> {
    let Value::Object(mut fields) = step else {
        return Err("is not an object".to_owned());
    };
    if fields.len() > FIELDS {
        return Err(format!("has more than {FIELDS} fields"));
    }
    if fields.get("at_ms").and_then(Value::as_u64).is_none() {
        return Err("at_ms must be Unix milliseconds".to_owned());
    }
    for name in ["app_id", "function", "outcome"] {
        if !fields.get(name).is_some_and(Value::is_string) {
            return Err(format!("{name} must be a text"));
        }
    }
    let level = fields.entry("level").or_insert_with(|| Value::from("info"));
    if !matches!(level.as_str(), Some("info" | "warn" | "error")) {
        return Err("level must be info, warn or error".to_owned());
    }
    for (name, value) in &fields {
        check(value, name, 0).map_err(|problem| format!("{name} {problem}"))?;
    }
    let app_id = fields.get("app_id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let id = match fields.get("conversation_id") {
        Some(Value::String(text)) => text.parse().ok(),
        Some(number) => number.as_u64(),
        None => None,
    };
    let id: u64 = id.ok_or("conversation_id must be a decimal id")?;
    fields.insert("conversation_id".to_owned(), Value::from(id.to_string()));
    Ok(((app_id, id), fields))
}

/// Scalars anywhere, a list of texts in `decisions`, an object of scalars in `row`.
fn check(value: &Value, name: &str, depth: u8) -> Result<(), String> {
    match value {
        Value::String(text) if text.len() > TEXT_BYTES => Err(format!("is longer than {TEXT_BYTES} bytes")),
        Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => Ok(()),
        Value::Array(list) if depth == 0 && name == "decisions" => {
            if list.len() > LIST || list.iter().any(|one| !one.is_string()) {
                return Err(format!("must be a list of at most {LIST} texts"));
            }
            list.iter().try_for_each(|one| check(one, name, 1))
        }
        Value::Object(object) if depth == 0 && name == "row" && object.len() <= FIELDS => {
            object.values().try_for_each(|one| check(one, name, 1))
        }
        Value::Array(_) | Value::Object(_) => Err("must be a text, a number, a truth value or null".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{STEPS_KEPT, STEPS_OF_ONE, Traces};

    fn step(id: u64, at_ms: u64) -> Value {
        json!({"at_ms": at_ms, "app_id": "a", "conversation_id": id, "function": "f", "outcome": "done"})
    }

    #[test]
    fn what_is_no_step_is_refused_by_name_and_nothing_is_kept() {
        let traces = Traces::default();
        let cases = [
            (json!(1), "is not an object"),
            (json!({}), "at_ms must be Unix milliseconds"),
            (json!({"at_ms": 1, "app_id": "a", "function": "f"}), "outcome must be a text"),
            (
                json!({"at_ms": 1, "app_id": "a", "function": "f", "outcome": "x", "conversation_id": "x"}),
                "conversation_id must be a decimal id",
            ),
        ];
        for (bad, problem) in cases {
            let refused = traces.add(vec![step(1, 1), bad]).unwrap_err();
            assert_eq!(refused, format!("steps[1]: {problem}"));
        }
        for (name, value) in [
            ("level", json!("loud")),
            ("other", json!([1])),
            ("decisions", json!([1])),
            ("why", json!("x".repeat(8_001))),
        ] {
            let mut bad = step(1, 1);
            bad[name] = value;
            assert!(traces.add(vec![bad]).unwrap_err().contains(name));
        }
        assert!(traces.after(&("a".to_owned(), 1), 0).is_empty());
    }

    #[test]
    fn the_newest_are_kept_for_each_conversation_and_in_all() {
        let traces = Traces::default();
        let first = ("a".to_owned(), 1);
        traces.add((0..=STEPS_OF_ONE as u64).map(|at| step(1, at)).collect()).unwrap();
        let kept = traces.after(&first, 0);
        assert_eq!((kept.len(), &kept[0].1["at_ms"]), (STEPS_OF_ONE, &json!(1)));
        assert_eq!(traces.after(&first, STEPS_OF_ONE as u64).len(), 1);
        for id in 0..STEPS_KEPT as u64 {
            traces.add(vec![step(id + 2, id)]).unwrap();
        }
        assert!(traces.after(&first, 0).is_empty());
        traces.clear();
        assert!(traces.after(&("a".to_owned(), 1_000), 0).is_empty());
    }
}
