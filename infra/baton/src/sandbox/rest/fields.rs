//! Members of a JSON request body, read one by one as leniently as Intercom reads them.
//!
//! Ids come as strings and as numbers. A member of the wrong type is refused under its name;
//! members nobody asked for are ignored.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::sandbox::error::{Answer, ApiError};
use crate::sandbox::model::{Attachment, QuickReplyOption};
use crate::sandbox::workspace::Workspace;

/// How many attachments of a kind a message may have.
const ATTACHMENTS: usize = 10;
/// How many uploaded files a workspace keeps, the newest.
const FILES_KEPT: usize = 200;

/// A request body.
#[derive(Debug)]
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    /// # Errors
    /// 400 `parameter_invalid` when the body is not a JSON object.
    pub(crate) fn parse(body: &[u8]) -> Answer<Self> {
        if body.is_empty() {
            return Ok(Self(Map::new()));
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(map)) => Ok(Self(map)),
            Ok(_) => Err(ApiError::invalid("The request body must be a JSON object")),
            Err(error) => Err(ApiError::invalid(format!("Invalid JSON: {error}"))),
        }
    }

    /// A member, unless it is absent or null.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn required(&self, name: &'static str) -> Answer<&Value> {
        self.get(name).ok_or_else(|| ApiError::missing(name))
    }

    pub(crate) fn object(&self, name: &'static str) -> Answer<Option<Self>> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(Self(map.clone()))),
            Some(_) => Err(wrong_type(name, "an object")),
        }
    }

    pub(crate) fn into_map(self) -> Map<String, Value> {
        self.0
    }

    pub(crate) fn text(&self, name: &'static str) -> Answer<Option<&str>> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(wrong_type(name, "a string")),
        }
    }

    /// A text that null clears: none when it is absent.
    pub(crate) fn clearable_text(&self, name: &'static str) -> Answer<Option<Option<String>>> {
        let text = self.text(name)?.map(str::to_owned);
        Ok(self.0.contains_key(name).then_some(text))
    }

    /// A whole number that null clears: none when it is absent.
    pub(crate) fn clearable_number(&self, name: &'static str) -> Answer<Option<Option<u64>>> {
        let number = self.number(name)?;
        Ok(self.0.contains_key(name).then_some(number))
    }

    /// A list of objects.
    pub(crate) fn objects(&self, name: &'static str) -> Answer<Vec<Self>> {
        let member =
            |value: &Value| value.as_object().cloned().map(Self).ok_or_else(|| wrong_type(name, "a list of objects"));
        self.list(name, usize::MAX)?.iter().map(member).collect()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(crate) fn required_text(&self, name: &'static str) -> Answer<&str> {
        self.text(name)?.ok_or_else(|| ApiError::missing(name))
    }

    pub(crate) fn flag(&self, name: &'static str) -> Answer<Option<bool>> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(wrong_type(name, "a boolean")),
        }
    }

    /// An id, as the text that it is in answers.
    pub(crate) fn id(&self, name: &'static str) -> Answer<Option<String>> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(_) => Err(wrong_type(name, "an id")),
        }
    }

    pub(crate) fn required_id(&self, name: &'static str) -> Answer<String> {
        self.id(name)?.ok_or_else(|| ApiError::missing(name))
    }

    /// A moment or another whole number.
    pub(crate) fn number(&self, name: &'static str) -> Answer<Option<u64>> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => value.as_u64().map(Some).ok_or_else(|| wrong_type(name, "a whole number")),
        }
    }

    /// The acting teammate, who has to exist.
    pub(crate) fn admin(&self, workspace: &Workspace) -> Answer<u64> {
        self.required_id("admin_id")?
            .parse()
            .ok()
            .filter(|id| workspace.admins.contains_key(id))
            .ok_or_else(ApiError::no_admin)
    }

    pub(crate) fn quick_reply_options(&self) -> Answer<Vec<QuickReplyOption>> {
        let mut options = Vec::new();
        for option in self.list("reply_options", usize::MAX)? {
            let member = |name: &str| option.get(name).and_then(Value::as_str);
            let (Some(text), Some(uuid)) = (member("text"), member("uuid")) else {
                return Err(wrong_type("reply_options", "a list of {text, uuid}"));
            };
            options.push(QuickReplyOption { text: text.to_owned(), uuid: uuid.to_owned() });
        }
        Ok(options)
    }

    /// `attachment_urls` and `attachment_files`. Files are kept for a while and served below
    /// `base_url`; addresses are taken as they are and not fetched.
    pub(crate) fn attachments(&self, workspace: &mut Workspace, base_url: &str) -> Answer<Vec<Attachment>> {
        let mut attachments = Vec::new();
        for url in self.list("attachment_urls", ATTACHMENTS)? {
            let url = url
                .as_str()
                .filter(|url| url.starts_with("http://") || url.starts_with("https://"))
                .ok_or_else(|| wrong_type("attachment_urls", "a list of addresses"))?;
            attachments.push(attachment_at(url));
        }
        for file in self.list("attachment_files", ATTACHMENTS)? {
            let member = |name: &str| file.get(name).and_then(Value::as_str);
            let (Some(name), Some(content_type), Some(data)) = (member("name"), member("content_type"), member("data"))
            else {
                let shape = "a list of {name, content_type, data}";
                return Err(wrong_type("attachment_files", shape));
            };
            let bytes = STANDARD.decode(data).map_err(|_| wrong_type("attachment_files", "a list of base64 data"))?;
            let filesize = bytes.len() as u64;
            let id = keep_file(workspace, content_type, bytes);
            attachments.push(Attachment {
                name: name.to_owned(),
                url: format!("{base_url}/_sandbox/{}/files/{id}", workspace.app_id),
                content_type: content_type.to_owned(),
                filesize,
            });
        }
        Ok(attachments)
    }

    fn list(&self, name: &'static str, limit: usize) -> Answer<&[Value]> {
        match self.get(name) {
            None => Ok(&[]),
            Some(Value::Array(list)) if list.len() <= limit => Ok(list),
            Some(Value::Array(_)) => {
                Err(ApiError::invalid_field(name, format!("{name} has more than {limit} entries")))
            }
            Some(_) => Err(wrong_type(name, "a list")),
        }
    }
}

/// A file that lies elsewhere, described by its address alone.
pub(crate) fn attachment_at(url: &str) -> Attachment {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let name = path.rsplit('/').next().unwrap_or_default();
    let extension = name.rsplit('.').next().unwrap_or_default();
    let content_type = match extension.to_ascii_lowercase().as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "pdf" => "application/pdf",
        "mp4" => "video/mp4",
        "mp3" => "audio/mpeg",
        "txt" => "text/plain",
        _ => "application/octet-stream",
    };
    Attachment { name: name.to_owned(), url: url.to_owned(), content_type: content_type.to_owned(), filesize: 0 }
}

/// Keeps a file and gives its number.
pub(crate) fn keep_file(workspace: &mut Workspace, content_type: &str, bytes: Vec<u8>) -> u64 {
    let id = workspace.counters.file();
    workspace.files.insert(id, (content_type.to_owned(), bytes));
    if workspace.files.len() > FILES_KEPT {
        workspace.files.pop_first();
    }
    id
}

fn wrong_type(name: &'static str, wanted: &str) -> ApiError {
    ApiError::invalid_field(name, format!("{name} must be {wanted}"))
}
