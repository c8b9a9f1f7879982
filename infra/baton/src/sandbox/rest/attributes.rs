//! The definitions of custom attributes over REST: `/data_attributes` for contacts and
//! companies, and `/conversations/attributes` from 2.16.

use serde_json::{Value, json};

use super::fields::Fields;
use super::{Call, Reply};
use crate::sandbox::attributes::{Attribute, AttributeOption, Model};
use crate::sandbox::error::{Answer, ApiError};
use crate::sandbox::seed::DataType;
use crate::sandbox::workspace::Workspace;

/// How many options of a list cannot be archived.
const OPTIONS_LEAST: usize = 2;

/// What every contact has without anybody defining it: name, label and type.
const STANDARD: [(&str, &str, &str); 10] = [
    ("email", "Email", "string"),
    ("external_id", "User ID", "string"),
    ("name", "Name", "string"),
    ("phone", "Phone", "string"),
    ("role", "Type", "string"),
    ("owner_id", "Owner", "integer"),
    ("created_at", "First seen", "date"),
    ("signed_up_at", "Signed up", "date"),
    ("last_seen_at", "Last seen", "date"),
    ("language_override", "Language override", "string"),
];

/// Lists what contacts and companies can have. Until 2.15 `model=conversation` is answered as
/// well, from 2.16 it has a place of its own.
pub(super) fn list(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let models = match call.query("model") {
        None => vec![Model::Contact, Model::Company],
        Some("conversation") if call.version.is_2_16() => {
            let message = "model=conversation is no longer supported. Use GET /conversations/attributes instead";
            return Err(ApiError::unprocessable("parameter_invalid", message));
        }
        Some(text) => vec![Model::parse(text).ok_or_else(|| ApiError::invalid_field("model", "model is not known"))?],
    };
    let mut data = Vec::new();
    if models.contains(&Model::Contact) {
        data.extend(STANDARD.iter().map(standard));
    }
    let with_archived = call.query("include_archived") == Some("true");
    for model in models {
        let known = workspace.attributes.of(model).filter(|one| with_archived || !one.archived);
        data.extend(known.map(data_attribute));
    }
    Ok(json!({"type": "list", "data": data}).into())
}

pub(super) fn create(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let fields = Fields::parse(call.body)?;
    let name = fields.required_text("name")?.trim();
    let model = match fields.required_text("model")? {
        "contact" => Model::Contact,
        "company" => Model::Company,
        _ => return Err(ApiError::invalid("The Data Attribute model field must be either contact or company")),
    };
    let allowed = |c: char| c.is_alphanumeric() || " -_$€£¥".contains(c);
    if name.is_empty() || !name.chars().all(allowed) {
        let message = "Your name for this attribute must only contain alphanumeric characters, currency symbols, and \
                       hyphens";
        return Err(ApiError::invalid(message));
    }
    for (there, called) in [(Model::Contact, "people"), (Model::Company, "company")] {
        if workspace.attributes.has(there, name) {
            let wanted = if model == Model::Contact { "people" } else { "company" };
            let message = format!(
                "You already have '{name}' in your {called} data. To save this as new {wanted} data, use a different \
                 name."
            );
            return Err(ApiError::invalid(message));
        }
    }
    let options = options(&fields)?;
    let data_type = match fields.required_text("data_type")? {
        "options" => DataType::List,
        "string" if !options.is_empty() => DataType::List,
        "string" => DataType::String,
        "integer" => DataType::Integer,
        "float" => DataType::Decimal,
        "boolean" => DataType::Boolean,
        "date" | "datetime" => DataType::DateTime,
        _ => return Err(ApiError::invalid("Data Type isn't an option")),
    };
    if data_type == DataType::List && options.len() < OPTIONS_LEAST {
        return Err(ApiError::invalid("The Data Attribute options must have at least 2 entries"));
    }
    let mut attribute = new(call, workspace, model, name, data_type);
    attribute.options = options;
    attribute.description = fields.text("description")?.unwrap_or_default().to_owned();
    attribute.messenger_writable = fields.flag("messenger_writable")?.unwrap_or_default();
    let shown = data_attribute(&attribute);
    workspace.attributes.add(attribute);
    Ok(shown.into())
}

fn new(call: &Call<'_>, workspace: &mut Workspace, model: Model, name: &str, data_type: DataType) -> Attribute {
    let id = workspace.counters.thing();
    let now = workspace.clock.now();
    Attribute { admin_id: Some(call.admin_id()), ..Attribute::new(id, model, name, data_type, now) }
}

/// As texts, or, in the form of 2.16, as objects with a `value`.
fn options(fields: &Fields) -> Answer<Vec<AttributeOption>> {
    let Some(given) = fields.get("options") else { return Ok(Vec::new()) };
    let list = given.as_array().ok_or_else(|| ApiError::invalid("Options isn't an array"))?;
    let label = |one: &Value| one.as_str().or_else(|| one.get("value")?.as_str()).map(AttributeOption::new);
    list.iter().map(label).collect::<Option<_>>().ok_or_else(|| ApiError::invalid("Options isn't an array"))
}

pub(super) fn update(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let fields = Fields::parse(call.body)?;
    let (archived, messenger_writable) = (fields.flag("archived")?, fields.flag("messenger_writable")?);
    let description = fields.text("description")?;
    let new_options = options(&fields)?;
    let now = workspace.clock.now();
    let id = call.param("id").parse().ok();
    let found = id.and_then(|id| workspace.attributes.by_id_mut(id));
    let attribute = found.filter(|one| one.model != Model::Conversation).ok_or_else(|| {
        let message = "We couldn't find that data attribute to update";
        ApiError::new(axum::http::StatusCode::NOT_FOUND, "field_not_found", message)
    })?;
    attribute.archived = archived.unwrap_or(attribute.archived);
    attribute.messenger_writable = messenger_writable.unwrap_or(attribute.messenger_writable);
    if let Some(description) = description {
        description.clone_into(&mut attribute.description);
    }
    if !new_options.is_empty() {
        attribute.options = new_options;
    }
    attribute.updated_at = now;
    Ok(data_attribute(attribute).into())
}

fn standard((name, label, data_type): &(&str, &str, &str)) -> Value {
    json!({
        "type": "data_attribute",
        "model": "contact",
        "name": name,
        "full_name": name,
        "label": label,
        "description": "",
        "data_type": data_type,
        "api_writable": true,
        "messenger_writable": false,
        "ui_writable": false,
        "custom": false,
        "archived": false,
    })
}

fn data_attribute(one: &Attribute) -> Value {
    let data_type = match one.data_type {
        DataType::Integer => "integer",
        DataType::Decimal => "float",
        DataType::Boolean => "boolean",
        DataType::DateTime => "date",
        DataType::String | DataType::List | DataType::Relationship | DataType::Files => "string",
    };
    let mut value = json!({
        "type": "data_attribute",
        "id": one.id,
        "model": one.model.name(),
        "name": one.name,
        "full_name": format!("custom_attributes.{}", one.name),
        "label": one.name,
        "description": one.description,
        "data_type": data_type,
        "api_writable": true,
        "messenger_writable": one.messenger_writable,
        "ui_writable": true,
        "custom": true,
        "archived": one.archived,
        "created_at": one.created_at,
        "updated_at": one.updated_at,
    });
    if one.data_type == DataType::List {
        let labels = one.options.iter().filter(|option| !option.archived).map(|option| &option.label);
        value["options"] = json!(labels.collect::<Vec<_>>());
    }
    if let Some(admin_id) = one.admin_id {
        value["admin_id"] = json!(admin_id.to_string());
    }
    value
}

pub(super) fn of_conversations(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let with_archived = call.query("include_archived") == Some("true");
    let known = workspace.attributes.of(Model::Conversation).filter(|one| with_archived || !one.archived);
    let data: Vec<Value> = known.map(|one| conversation_attribute(one, call.admin_id())).collect();
    Ok(json!({"type": "list", "data": data}).into())
}

pub(super) fn of_conversation(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let id = call.param("id").parse().ok();
    let found = workspace.attributes.of(Model::Conversation).find(|one| Some(one.id) == id);
    found.map(|one| conversation_attribute(one, call.admin_id()).into()).ok_or_else(no_attribute)
}

pub(super) fn create_of_conversation(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let fields = Fields::parse(call.body)?;
    let name = fields.required_text("name")?;
    let asked = fields.required_text("data_type")?;
    let data_type = DataType::parse(asked).ok_or_else(|| {
        unprocessable(format!(
            "data_type '{asked}' is not valid. Allowed types: string, integer, list, decimal, boolean, datetime, \
             relationship, files"
        ))
    })?;
    let label = |one: &Fields| one.required_text("label").map(AttributeOption::new);
    let options = fields.objects("options")?.iter().map(label).collect::<Answer<Vec<_>>>()?;
    if data_type == DataType::List && options.len() < OPTIONS_LEAST {
        return Err(too_few_options());
    }
    if workspace.attributes.has(Model::Conversation, name) {
        return Err(unprocessable(format!("An attribute named '{name}' already exists")));
    }
    let reference = fields.get("reference").cloned();
    let mut attribute = new(call, workspace, Model::Conversation, name, data_type);
    attribute.options = options;
    attribute.reference = reference;
    set_of_conversation(&mut attribute, &fields)?;
    let shown = conversation_attribute(&attribute, call.admin_id());
    workspace.attributes.add(attribute);
    Ok(shown.into())
}

/// What can be set when an attribute is made, and later.
fn set_of_conversation(attribute: &mut Attribute, fields: &Fields) -> Answer<()> {
    if let Some(description) = fields.text("description")? {
        description.clone_into(&mut attribute.description);
    }
    attribute.required = fields.flag("required")?.unwrap_or(attribute.required);
    attribute.multiline = fields.flag("multiline")?.unwrap_or(attribute.multiline);
    if let Some(Value::Array(teams)) = fields.get("visible_to_team_ids") {
        let text = |id: &Value| id.as_str().map_or_else(|| id.to_string(), str::to_owned);
        attribute.visible_to_team_ids = teams.iter().map(text).collect();
    }
    Ok(())
}

pub(super) fn update_of_conversation(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let fields = Fields::parse(call.body)?;
    let name = fields.text("name")?.map(str::to_owned);
    change(call, workspace, |attribute| {
        attribute.name = name.unwrap_or_else(|| attribute.name.clone());
        set_of_conversation(attribute, &fields)
    })
}

pub(super) fn archive_of_conversation(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    change(call, workspace, |attribute| {
        attribute.archived = true;
        Ok(())
    })
}

pub(super) fn add_option(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let fields = Fields::parse(call.body)?;
    change(call, workspace, |attribute| {
        check_is_list(attribute)?;
        attribute.options.push(AttributeOption::new(&option_label(fields)?));
        Ok(())
    })
}

pub(super) fn rename_option(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let fields = Fields::parse(call.body)?;
    change(call, workspace, |attribute| {
        option(attribute, call.param("option_id"))?.label = option_label(fields)?;
        Ok(())
    })
}

pub(super) fn archive_option(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    change(call, workspace, |attribute| {
        option(attribute, call.param("option_id"))?.archived = true;
        match attribute.options.iter().filter(|one| !one.archived).count() {
            0..OPTIONS_LEAST => Err(too_few_options()),
            _ => Ok(()),
        }
    })
}

/// Changes the attribute of the path, if the change is one that can be made.
fn change(
    call: &Call<'_>,
    workspace: &mut Workspace,
    change: impl FnOnce(&mut Attribute) -> Answer<()>,
) -> Answer<Reply> {
    let now = workspace.clock.now();
    let found = call.param("id").parse().ok().and_then(|id| workspace.attributes.by_id_mut(id));
    let attribute = found.filter(|one| one.model == Model::Conversation).ok_or_else(no_attribute)?;
    let mut changed = attribute.clone();
    change(&mut changed)?;
    changed.updated_at = now;
    *attribute = changed;
    Ok(conversation_attribute(attribute, call.admin_id()).into())
}

fn option<'a>(attribute: &'a mut Attribute, id: &str) -> Answer<&'a mut AttributeOption> {
    check_is_list(attribute)?;
    let not_found = || {
        let status = axum::http::StatusCode::NOT_FOUND;
        ApiError::new(status, "conversation_attribute_not_found", "List option not found")
    };
    attribute.options.iter_mut().find(|one| one.id == id).ok_or_else(not_found)
}

fn check_is_list(attribute: &Attribute) -> Answer<()> {
    match attribute.data_type {
        DataType::List => Ok(()),
        _ => Err(unprocessable("Options can only be managed on list attributes")),
    }
}

fn option_label(fields: Fields) -> Answer<String> {
    let mut members = fields.into_map();
    let label = members.remove("label");
    match label {
        _ if !members.is_empty() => Err(unprocessable("only 'label' is accepted")),
        None | Some(Value::Null) => Err(unprocessable("label is required")),
        Some(Value::String(label)) => Ok(label),
        Some(_) => Err(unprocessable("label must be a string")),
    }
}

fn too_few_options() -> ApiError {
    unprocessable("A list attribute must have at least 2 active options")
}

fn no_attribute() -> ApiError {
    let status = axum::http::StatusCode::NOT_FOUND;
    ApiError::new(status, "conversation_attribute_not_found", "Conversation attribute not found")
}

fn unprocessable(message: impl Into<String>) -> ApiError {
    ApiError::unprocessable("parameter_invalid", message)
}

/// `owner` stands in for the maker of an attribute that came with the workspace.
fn conversation_attribute(one: &Attribute, owner: u64) -> Value {
    let mut value = json!({
        "type": "conversation_attribute",
        "id": one.id,
        "name": one.name,
        "description": one.description,
        "data_type": one.data_type.name(),
        "required": one.required,
        "visible_to_team_ids": one.visible_to_team_ids,
        "archived": one.archived,
        "created_at": one.created_at,
        "updated_at": one.updated_at,
        "admin_id": one.admin_id.unwrap_or(owner).to_string(),
    });
    match one.data_type {
        DataType::String => value["multiline"] = json!(one.multiline),
        DataType::List => {
            let option = |one: &AttributeOption| json!({"id": one.id, "label": one.label, "archived": one.archived});
            value["options"] = one.options.iter().map(option).collect();
        }
        DataType::Relationship => value["reference"] = json!(one.reference),
        _ => {}
    }
    value
}
