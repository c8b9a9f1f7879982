//! Office hours over REST, from 2.16: schedules of a week, and days that are exceptions.
//!
//! They are kept and answered; nothing in the sandbox opens or closes by them. What is said
//! about an interval that cannot be, or a schedule that is not there, is not documented.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::fields::Fields;
use super::{Call, Reply};
use crate::sandbox::error::{Answer, ApiError};
use crate::sandbox::office_hours::{HoursException, Interval, MINUTES_OF_DAY, MINUTES_OF_WEEK, Schedule};
use crate::sandbox::workspace::Workspace;

pub(super) fn list(_: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let data: Vec<Value> = workspace.office_hours.values().map(schedule).collect();
    Ok(json!({"type": "list", "data": data}).into())
}

pub(super) fn create(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let fields = Fields::parse(call.body)?;
    let name = fields.required_text("name")?.to_owned();
    let time_zone_name = time_zone(fields.required_text("time_zone_name")?)?;
    fields.required("time_intervals")?;
    let time_intervals = intervals(&fields, MINUTES_OF_WEEK)?.unwrap_or_default();
    let id = workspace.counters.thing();
    let now = workspace.clock.now();
    let made = Schedule {
        id,
        name,
        time_zone_name,
        time_intervals,
        exceptions: Default::default(),
        created_at: now,
        updated_at: now,
    };
    let body = schedule(&made);
    workspace.office_hours.insert(id, made);
    Ok(created(body))
}

pub(super) fn get(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let id = id(call, "id")?;
    workspace.office_hours.get(&id).map(|one| schedule(one).into()).ok_or_else(no_schedule)
}

pub(super) fn update(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let now = workspace.clock.now();
    let one = workspace.office_hours.get_mut(&id(call, "id")?).ok_or_else(no_schedule)?;
    let fields = Fields::parse(call.body)?;
    let name = fields.text("name")?;
    let zone = fields.text("time_zone_name")?.map(time_zone).transpose()?;
    if let Some(time_intervals) = intervals(&fields, MINUTES_OF_WEEK)? {
        one.time_intervals = time_intervals;
    }
    if let Some(name) = name {
        name.clone_into(&mut one.name);
    }
    if let Some(zone) = zone {
        one.time_zone_name = zone;
    }
    one.updated_at = now;
    Ok(schedule(one).into())
}

pub(super) fn delete(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let id = id(call, "id")?;
    workspace.office_hours.remove(&id).ok_or_else(no_schedule)?;
    Ok(json!({"id": id.to_string(), "object": "office_hours_schedule", "deleted": true}).into())
}

pub(super) fn exceptions(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let one = workspace.office_hours.get(&id(call, "schedule_id")?).ok_or_else(no_schedule)?;
    let data: Vec<Value> = one.exceptions.values().map(|day| exception(one.id, day)).collect();
    Ok(json!({"type": "list", "data": data}).into())
}

pub(super) fn create_exception(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let schedule_id = id(call, "schedule_id")?;
    let now = workspace.clock.now();
    let new_id = workspace.counters.thing();
    let one = workspace.office_hours.get_mut(&schedule_id).ok_or_else(no_schedule)?;
    let fields = Fields::parse(call.body)?;
    let blank = HoursException {
        id: new_id,
        exception_date: date(fields.required_text("exception_date")?)?,
        is_closed: is_closed(fields.required_text("exception_type")?)?,
        name: None,
        time_intervals: None,
        recurring_annually: false,
        created_at: now,
        updated_at: now,
    };
    let made = changed(blank, &fields)?;
    let body = exception(schedule_id, &made);
    one.exceptions.insert(new_id, made);
    Ok(created(body))
}

pub(super) fn get_exception(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let one = workspace.office_hours.get(&id(call, "schedule_id")?).ok_or_else(no_schedule)?;
    let day = one.exceptions.get(&id(call, "id")?).ok_or_else(no_schedule)?;
    Ok(exception(one.id, day).into())
}

pub(super) fn update_exception(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let now = workspace.clock.now();
    let one = workspace.office_hours.get_mut(&id(call, "schedule_id")?).ok_or_else(no_schedule)?;
    let day = one.exceptions.get_mut(&id(call, "id")?).ok_or_else(no_schedule)?;
    let fields = Fields::parse(call.body)?;
    let mut next = day.clone();
    if let Some(text) = fields.text("exception_date")? {
        next.exception_date = date(text)?;
    }
    if let Some(text) = fields.text("exception_type")? {
        next.is_closed = is_closed(text)?;
    }
    next.updated_at = now;
    *day = changed(next, &fields)?;
    Ok(exception(one.id, day).into())
}

pub(super) fn delete_exception(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let one = workspace.office_hours.get_mut(&id(call, "schedule_id")?).ok_or_else(no_schedule)?;
    let id = id(call, "id")?;
    one.exceptions.remove(&id).ok_or_else(no_schedule)?;
    Ok(json!({"id": id.to_string(), "object": "office_hours_exception", "deleted": true}).into())
}

/// What a body says of an exception besides its date and type. A closed day has no hours, and
/// one with hours of its own needs them.
fn changed(day: HoursException, fields: &Fields) -> Answer<HoursException> {
    let name = fields.text("name")?.map(str::to_owned).or(day.name);
    let given = intervals(fields, MINUTES_OF_DAY)?;
    let time_intervals = if day.is_closed { None } else { given.or(day.time_intervals) };
    if !day.is_closed && time_intervals.is_none() {
        return Err(ApiError::missing("time_intervals"));
    }
    let recurring_annually = fields.flag("recurring_annually")?.unwrap_or(day.recurring_annually);
    Ok(HoursException { name, time_intervals, recurring_annually, ..day })
}

/// `time_intervals`, each on quarters of an hour within `minutes`.
fn intervals(fields: &Fields, minutes: u64) -> Answer<Option<Vec<Interval>>> {
    let wrong = || {
        let message = "time_intervals must be a list of {start_minute, end_minute} on a 15-minute boundary";
        ApiError::invalid_field("time_intervals", message)
    };
    let Some(given) = fields.get("time_intervals") else { return Ok(None) };
    let read = |one: &Value| {
        let minute = |name: &str| one.get(name)?.as_u64().filter(|minute| minute % 15 == 0 && *minute <= minutes);
        let interval = Interval { start_minute: minute("start_minute")?, end_minute: minute("end_minute")? };
        (interval.start_minute < interval.end_minute).then_some(interval)
    };
    let list = given.as_array().ok_or_else(wrong)?;
    list.iter().map(read).collect::<Option<Vec<_>>>().map(Some).ok_or_else(wrong)
}

fn time_zone(name: &str) -> Answer<String> {
    let known = name == "UTC" || (name.contains('/') && !name.contains(char::is_whitespace));
    if known {
        return Ok(name.to_owned());
    }
    Err(ApiError::invalid_field("time_zone_name", "time_zone_name must be the name of an IANA time zone"))
}

fn date(text: &str) -> Answer<String> {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    if shape == "0000-00-00" {
        return Ok(text.to_owned());
    }
    Err(ApiError::invalid_field("exception_date", "exception_date must be YYYY-MM-DD"))
}

fn is_closed(text: &str) -> Answer<bool> {
    match text {
        "closed" => Ok(true),
        "custom_hours" => Ok(false),
        _ => Err(ApiError::invalid_field("exception_type", "exception_type must be closed or custom_hours")),
    }
}

fn id(call: &Call<'_>, name: &str) -> Answer<u64> {
    call.param(name).parse().map_err(|_| no_schedule())
}

fn no_schedule() -> ApiError {
    ApiError::no_resource()
}

fn created(body: Value) -> Reply {
    Reply { status: StatusCode::CREATED, ..Reply::from(body) }
}

fn schedule(one: &Schedule) -> Value {
    let intervals: Vec<Value> = one
        .time_intervals
        .iter()
        .map(|interval| {
            json!({
                "start_minute": interval.start_minute,
                "end_minute": interval.end_minute,
                "day_of_week": interval.start_minute / MINUTES_OF_DAY,
            })
        })
        .collect();
    json!({
        "type": "office_hours_schedule",
        "id": one.id.to_string(),
        "name": one.name,
        "time_zone_name": one.time_zone_name,
        "time_intervals": intervals,
        "twenty_four_seven": one.is_always_open(),
        "created_at": one.created_at,
        "updated_at": one.updated_at,
    })
}

fn exception(schedule_id: u64, day: &HoursException) -> Value {
    json!({
        "type": "office_hours_exception",
        "id": day.id.to_string(),
        "office_hours_schedule_id": schedule_id.to_string(),
        "exception_date": day.exception_date,
        "exception_type": if day.is_closed { "closed" } else { "custom_hours" },
        "name": day.name,
        "time_intervals": day.time_intervals,
        "recurring_annually": day.recurring_annually,
        "created_at": day.created_at,
        "updated_at": day.updated_at,
    })
}
