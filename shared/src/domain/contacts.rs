//! Which of the contacts that Intercom knows a customer is, and what of the customer is new to it.
//!
//! The company's own id decides; then the e-mail address; then the phone number. Who has another id
//! of the company's is somebody else, whatever else is the same: two people may share an address. Who
//! is found by the number alone must not have another address. What is left is put in order: users
//! before leads, who was seen last before others, and the id, so that everybody decides the same.
//!
//! What people have entered is never overwritten: only what is missing is new.

use std::cmp::Reverse;

use serde_json::{Map, Value};

use super::transfer::Customer;

/// A contact, as Intercom shows it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Known {
    /// Intercom's id.
    pub id: String,
    /// Whether it is a lead: somebody who has not signed up, with an id of Intercom's in the place of
    /// the company's.
    pub is_lead: bool,
    /// The company's id.
    pub external_id: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Phone number.
    pub phone: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Custom attributes that have a value.
    pub attributes: Map<String, Value>,
    /// When they were last seen, in Unix seconds.
    pub last_seen_at: u64,
}

/// By what somebody was told to be the customer, the surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sign {
    ExternalId,
    Email,
    Phone,
}

/// The customer among those who were found, if it is one of them.
#[must_use]
pub fn choose<'a>(customer: &Customer, found: &'a [Known]) -> Option<&'a Known> {
    let signed = found.iter().filter_map(|known| Some((sign(customer, known)?, known)));
    let best = signed.min_by_key(|(sign, known)| (*sign, known.is_lead, Reverse(known.last_seen_at), &known.id));
    best.map(|(_, known)| known)
}

fn sign(customer: &Customer, known: &Known) -> Option<Sign> {
    let both = |one: &Option<String>, other: &Option<String>, same: fn(&str, &str) -> bool| {
        one.as_deref().zip(other.as_deref()).map(|(one, other)| same(one, other))
    };
    let by_id = both(&customer.external_id, &known.external_id, |one, other| one == other);
    let by_email = both(&customer.email, &known.email, same_email);
    let by_phone = both(&customer.phone, &known.phone, same_phone);
    match (by_id, by_email, by_phone) {
        (Some(true), ..) => Some(Sign::ExternalId),
        (Some(false), ..) if !known.is_lead => None,
        (_, Some(true), _) => Some(Sign::Email),
        (_, None, Some(true)) => Some(Sign::Phone),
        _ => None,
    }
}

fn same_email(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

/// Whether two numbers are the same, however they are written.
fn same_phone(one: &str, other: &str) -> bool {
    let digits = |number: &str| {
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        digits.strip_prefix("00").map(str::to_owned).unwrap_or(digits)
    };
    let (one, other) = (digits(one), digits(other));
    !one.is_empty() && one == other
}

/// What of the customer a contact lacks; attributes included.
#[must_use]
pub fn news(customer: &Customer, known: &Known) -> Customer {
    let new = |theirs: &Option<String>, there: &Option<String>| theirs.clone().filter(|_| there.is_none());
    let attributes = customer.attributes.iter().filter(|(name, _)| !known.attributes.contains_key(*name));
    Customer {
        // A lead's is Intercom's own.
        external_id: new(&customer.external_id, &known.external_id).filter(|_| !known.is_lead),
        email: new(&customer.email, &known.email),
        phone: new(&customer.phone, &known.phone),
        name: new(&customer.name, &known.name),
        attributes: attributes.map(|(name, value)| (name.clone(), value.clone())).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned()).filter(|text| !text.is_empty())
    }

    fn customer(external_id: &str, email: &str, phone: &str) -> Customer {
        Customer { external_id: some(external_id), email: some(email), phone: some(phone), ..Customer::default() }
    }

    fn user(id: &str, external_id: &str, email: &str, phone: &str) -> Known {
        let (external_id, email, phone) = (some(external_id), some(email), some(phone));
        Known { id: id.to_owned(), external_id, email, phone, ..Known::default() }
    }

    fn lead(id: &str, email: &str, phone: &str) -> Known {
        Known { is_lead: true, ..user(id, "3ecf64d0", email, phone) }
    }

    #[test]
    fn the_surest_sign_decides_and_who_contradicts_it_is_somebody_else() {
        let all = [
            user("by-id", "c1", "old@a.example", ""),
            user("other-id", "c2", "ann@a.example", ""),
            user("no-id", "", "Ann@A.example ", "+49 30 1"),
            lead("lead", "ann@a.example", ""),
            user("by-phone", "", "", "0049301"),
            user("phone-of-another", "", "bob@a.example", "+49301"),
        ];
        let chosen = |external_id, email, phone| {
            choose(&customer(external_id, email, phone), &all).map(|known| known.id.as_str())
        };
        assert_eq!(chosen("c1", "ann@a.example", "+49301"), Some("by-id"));
        assert_eq!(chosen("c3", "ann@a.example", ""), Some("no-id"), "c2 has the address too, and is somebody else");
        assert_eq!(chosen("", "ann@a.example", ""), Some("no-id"), "the first by id");
        assert_eq!(chosen("", "", "+49-30-1"), Some("by-phone"));
        assert_eq!(chosen("", "new@a.example", "+49301"), Some("by-phone"), "nobody with another address");
        assert_eq!(chosen("c3", "nobody@a.example", "-"), None);
        assert_eq!(chosen("", "", ""), None, "who says nothing is nobody");
        assert_eq!(choose(&customer("c3", "ann@a.example", ""), &all[3..4]).unwrap().id, "lead");
    }

    #[test]
    fn of_several_the_user_and_who_was_seen_last_is_taken_in_whatever_order_they_are_found() {
        let seen = |known: Known, last_seen_at| Known { last_seen_at, ..known };
        let mut all = vec![
            seen(lead("a", "x@a.example", ""), 99),
            seen(user("b", "", "x@a.example", ""), 1),
            seen(user("d", "", "x@a.example", ""), 7),
            seen(user("c", "", "x@a.example", ""), 7),
        ];
        for _ in 0..4 {
            all.rotate_left(1);
            assert_eq!(choose(&customer("", "x@a.example", ""), &all).unwrap().id, "c");
        }
    }

    #[test]
    fn only_what_is_missing_is_new() {
        let mut customer = customer("c1", "ann@a.example", "+491");
        customer.name = some("Ann");
        customer.attributes = json!({"plan": "pro", "seats": 3}).as_object().unwrap().clone();
        let mut known = user("k", "", "", "+492");
        known.attributes = json!({"plan": "free"}).as_object().unwrap().clone();
        let new = news(&customer, &known);
        assert_eq!((new.external_id.as_deref(), new.email.as_deref()), (Some("c1"), Some("ann@a.example")));
        assert_eq!((new.phone.as_deref(), new.name.as_deref()), (None, Some("Ann")));
        assert_eq!(Value::Object(new.attributes), json!({"seats": 3}));
        assert_eq!(news(&customer, &Known { is_lead: true, ..known }).external_id, None, "a lead's is Intercom's own");
    }
}
