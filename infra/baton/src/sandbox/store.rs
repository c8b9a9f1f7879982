//! `--data`: what a sandbox has, in a directory, over restarts.
//!
//! One embedded database file (redb) with a row for each contact, conversation, part and file,
//! and one for the rest of each workspace, so that a change costs what it changed. What is
//! promised:
//!
//! - Everything answered more than [`SAVED_WITHIN`] ago is on disk, as long as the disk keeps up:
//!   changes are committed together, and once more at the stop. A process that is killed loses
//!   that much at most, and the file is never half of anything: a commit is there as a whole or
//!   not at all, all workspaces and counters at the same moment.
//! - When a directory has a state, it is that state that a sandbox starts with, and the seed it
//!   began with that `POST /_sandbox/reset` goes back to; a seed named at a later start is not
//!   used. A reset forgets the state on disk as well.
//! - A directory of another format is refused and left alone, as is one that another process has
//!   open.
//! - When saving fails, nothing is forgotten: `GET /_sandbox/health` says why, everything is
//!   saved anew as soon as it can be, and a stop that cannot save fails.
//!
//! Not kept: webhooks that wait to be delivered or tried again (Intercom would send them; to a
//! bridge it is as if they were lost on the way, which it has to bear anyway), faults, rate-limit
//! windows, and the logs of requests, deliveries and events, whose numbers do go on for events.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::model::{Contact, Conversation, Part, StoredFile};
use super::parts::Parts;
use super::seed::Seed;
use super::tokens::TokenBook;
use super::workspace::Workspace;

/// How old a change is at most when it is saved; the commit itself comes on top.
pub(crate) const SAVED_WITHIN: Duration = Duration::from_millis(100);
/// The format of the directory. A change of it that older or newer programs misread raises it.
const FORMAT: u32 = 1;
const FILE_NAME: &str = "sandbox.redb";
/// Memory for pages; everything is read once, at the start.
const CACHE_BYTES: usize = 16 * 1024 * 1024;

const GENERAL: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("general");
const WORKSPACES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("workspaces");
const CONTACTS: TableDefinition<'_, (&str, &str), &[u8]> = TableDefinition::new("contacts");
const CONVERSATIONS: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("conversations");
const PARTS: TableDefinition<'_, (&str, u64, u64), &[u8]> = TableDefinition::new("parts");
const FILES: TableDefinition<'_, (&str, u64), (&str, &[u8])> = TableDefinition::new("files");

/// Names in the table of what concerns all workspaces.
const FORMAT_ROW: &str = "format";
const SEED_ROW: &str = "seed";
const CLOCK_ROW: &str = "clock";
const TOKENS_ROW: &str = "tokens";

/// Why a directory cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("data {}: {problem}", directory.display())]
pub struct StoreError {
    directory: PathBuf,
    problem: Problem,
}

#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("{0}")]
    Database(Box<redb::Error>),
    #[error("it is in use by another sandbox")]
    InUse,
    #[error("it has format {0}, this program has format {FORMAT}; use another directory, or the program that wrote it")]
    Format(String),
    #[error("{row} cannot be read by this program ({source}); use another directory, or the program that wrote it")]
    Unreadable { row: String, source: serde_json::Error },
    #[error("{row} cannot be written: {source}")]
    Unwritable { row: String, source: serde_json::Error },
}

impl<E: Into<redb::Error>> From<E> for Problem {
    fn from(error: E) -> Self {
        match error.into() {
            redb::Error::DatabaseAlreadyOpen => Self::InUse,
            other => Self::Database(Box::new(other)),
        }
    }
}

/// What a directory holds.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) seed: Seed,
    pub(crate) clock_ahead: Duration,
    pub(crate) tokens: TokenBook,
    /// By app id. They are not connected to anything yet.
    pub(crate) workspaces: BTreeMap<String, Workspace>,
}

/// What is to be written in one commit.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    general: Vec<(&'static str, Vec<u8>)>,
    workspaces: Vec<WorkspaceChanges>,
}

/// What changed in one workspace; a thing without content is gone.
#[derive(Debug)]
pub(crate) struct WorkspaceChanges {
    app_id: String,
    /// Whether nothing that was saved before is to stay.
    anew: bool,
    rest: Vec<u8>,
    contacts: Vec<(String, Option<Vec<u8>>)>,
    conversations: Vec<(u64, Option<Vec<u8>>)>,
    parts: Vec<((u64, u64), Vec<u8>)>,
    files: Vec<(u64, Option<StoredFile>)>,
}

/// The open directory.
#[derive(Debug)]
pub(crate) struct Store {
    directory: PathBuf,
    database: Database,
}

impl Store {
    /// Opens a directory, which is made when there is none, and reads what it holds.
    ///
    /// # Errors
    /// When it cannot be read and written, is in use, or has another format.
    pub(crate) fn open(directory: &Path) -> Result<(Self, Option<Stored>), StoreError> {
        let open = || -> Result<_, Problem> {
            std::fs::create_dir_all(directory)?;
            let database = Database::builder().set_cache_size(CACHE_BYTES).create(directory.join(FILE_NAME))?;
            let stored = read(&database)?;
            Ok((Self { directory: directory.to_owned(), database }, stored))
        };
        open().map_err(|problem| StoreError { directory: directory.to_owned(), problem })
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Writes changes, all or none of them.
    pub(crate) fn write(&self, changes: Changes) -> Result<(), StoreError> {
        write(&self.database, changes).map_err(|problem| self.error(problem))
    }

    fn error(&self, problem: Problem) -> StoreError {
        StoreError { directory: self.directory.clone(), problem }
    }

    /// Names the directory in what went wrong before anything was written.
    pub(crate) fn unwritable(&self, Unwritable { row, source }: Unwritable) -> StoreError {
        self.error(Problem::Unwritable { row, source })
    }
}

/// Something that has no JSON.
#[derive(Debug)]
pub(crate) struct Unwritable {
    row: String,
    source: serde_json::Error,
}

fn json(row: &str, thing: &impl Serialize) -> Result<Vec<u8>, Unwritable> {
    serde_json::to_vec(thing).map_err(|source| Unwritable { row: row.to_owned(), source })
}

impl Changes {
    pub(crate) fn is_empty(&self) -> bool {
        self.general.is_empty() && self.workspaces.is_empty()
    }

    pub(crate) fn add_seed(&mut self, seed: &Seed) -> Result<(), Unwritable> {
        self.general.push((FORMAT_ROW, FORMAT.to_string().into_bytes()));
        self.general.push((SEED_ROW, json(SEED_ROW, seed)?));
        Ok(())
    }

    pub(crate) fn add_clock(&mut self, ahead: Duration) -> Result<(), Unwritable> {
        self.general.push((CLOCK_ROW, json(CLOCK_ROW, &ahead)?));
        Ok(())
    }

    pub(crate) fn add_tokens(&mut self, tokens: Vec<u8>) {
        self.general.push((TOKENS_ROW, tokens));
    }

    pub(crate) fn add_workspace(&mut self, changes: WorkspaceChanges) {
        self.workspaces.push(changes);
    }
}

/// The tokens as they are written, to compare with what was.
pub(crate) fn tokens_row(tokens: &TokenBook) -> Result<Vec<u8>, Unwritable> {
    json(TOKENS_ROW, tokens)
}

impl WorkspaceChanges {
    /// Takes what changed in a workspace since the last time; nothing when that is nothing.
    /// `rest` is what was last written of all but the kept maps.
    ///
    /// # Errors
    /// When something has no JSON. What changed is then lost from the account of it.
    pub(crate) fn take(workspace: &mut Workspace, rest: &mut Vec<u8>) -> Result<Option<Self>, Unwritable> {
        let now = json("a workspace", workspace)?;
        let anew = workspace.take_anew();
        let mut changes = Self {
            app_id: workspace.app_id.clone(),
            anew,
            rest: Vec::new(),
            contacts: Vec::new(),
            conversations: Vec::new(),
            parts: Vec::new(),
            files: Vec::new(),
        };
        for id in workspace.contacts.take_unsaved() {
            let contact = workspace.contacts.get(&id).map(|one| json("a contact", one)).transpose()?;
            changes.contacts.push((id, contact));
        }
        for id in workspace.conversations.take_unsaved() {
            let Some(one) = workspace.conversations.get_to_save(&id) else {
                changes.conversations.push((id, None));
                continue;
            };
            changes.conversations.push((id, Some(json("a conversation", one)?)));
            for part in one.parts.take_unsaved() {
                changes.parts.push(((id, part.id), json("a part", part)?));
            }
        }
        for id in workspace.files.take_unsaved() {
            changes.files.push((id, workspace.files.get(&id).cloned()));
        }
        let nothing = changes.contacts.is_empty() && changes.conversations.is_empty() && changes.files.is_empty();
        if nothing && !anew && now == *rest {
            return Ok(None);
        }
        rest.clone_from(&now);
        Ok(Some(Self { rest: now, ..changes }))
    }
}

fn write(database: &Database, changes: Changes) -> Result<(), Problem> {
    let transaction = database.begin_write()?;
    {
        let mut general = transaction.open_table(GENERAL)?;
        for (name, value) in &changes.general {
            general.insert(name, value.as_slice())?;
        }
        let mut workspaces = transaction.open_table(WORKSPACES)?;
        let mut contacts = transaction.open_table(CONTACTS)?;
        let mut conversations = transaction.open_table(CONVERSATIONS)?;
        let mut parts = transaction.open_table(PARTS)?;
        let mut files = transaction.open_table(FILES)?;
        for changed in &changes.workspaces {
            let app = changed.app_id.as_str();
            if changed.anew {
                // No app id has a control character, so that this is behind all that it has.
                contacts.retain_in((app, "")..=(app, "\u{10ffff}"), |_, _| false)?;
                conversations.retain_in((app, 0)..=(app, u64::MAX), |_, _| false)?;
                parts.retain_in((app, 0, 0)..=(app, u64::MAX, u64::MAX), |_, _| false)?;
                files.retain_in((app, 0)..=(app, u64::MAX), |_, _| false)?;
            }
            workspaces.insert(app, changed.rest.as_slice())?;
            for (id, contact) in &changed.contacts {
                match contact {
                    Some(contact) => drop(contacts.insert((app, id.as_str()), contact.as_slice())?),
                    None => drop(contacts.remove((app, id.as_str()))?),
                }
            }
            for (id, conversation) in &changed.conversations {
                match conversation {
                    Some(conversation) => drop(conversations.insert((app, *id), conversation.as_slice())?),
                    None => {
                        conversations.remove((app, *id))?;
                        parts.retain_in((app, *id, 0)..=(app, *id, u64::MAX), |_, _| false)?;
                    }
                }
            }
            for ((conversation, id), part) in &changed.parts {
                parts.insert((app, *conversation, *id), part.as_slice())?;
            }
            for (id, file) in &changed.files {
                match file {
                    Some((kind, bytes)) => drop(files.insert((app, *id), (kind.as_str(), bytes.as_slice()))?),
                    None => drop(files.remove((app, *id))?),
                }
            }
        }
    }
    transaction.commit()?;
    Ok(())
}

/// What a database holds; nothing when it is new.
fn read(database: &Database) -> Result<Option<Stored>, Problem> {
    let transaction = database.begin_read()?;
    if transaction.list_tables()?.next().is_none() {
        return Ok(None);
    }
    let general = transaction.open_table(GENERAL)?;
    let row = |name: &str| -> Result<Vec<u8>, Problem> {
        Ok(general.get(name)?.map(|row| row.value().to_vec()).unwrap_or_default())
    };
    let format = row(FORMAT_ROW)?;
    if format != FORMAT.to_string().as_bytes() {
        return Err(Problem::Format(String::from_utf8_lossy(&format).into_owned()));
    }
    let mut workspaces = BTreeMap::new();
    for entry in transaction.open_table(WORKSPACES)?.iter()? {
        let (app, rest) = entry?;
        let app = app.value();
        let mut workspace: Workspace = parsed("workspace", app, rest.value())?;
        let mut contacts = Vec::new();
        for entry in transaction.open_table(CONTACTS)?.range((app, "")..=(app, "\u{10ffff}"))? {
            let (id, contact) = entry?;
            let id = id.value().1;
            contacts.push((id.to_owned(), parsed::<Contact>("contact", id, contact.value())?));
        }
        workspace.contacts = contacts.into_iter().collect();
        let parts = transaction.open_table(PARTS)?;
        let mut conversations = Vec::new();
        for entry in transaction.open_table(CONVERSATIONS)?.range((app, 0)..=(app, u64::MAX))? {
            let (id, conversation) = entry?;
            let id = id.value().1;
            let mut conversation: Conversation = parsed("conversation", id, conversation.value())?;
            let mut list = Vec::new();
            for entry in parts.range((app, id, 0)..=(app, id, u64::MAX))? {
                let (part, content) = entry?;
                list.push(parsed::<Part>("part", part.value().2, content.value())?);
            }
            conversation.parts = Parts::saved(list);
            conversations.push((id, conversation));
        }
        workspace.conversations = conversations.into_iter().collect();
        let mut files = Vec::new();
        for entry in transaction.open_table(FILES)?.range((app, 0)..=(app, u64::MAX))? {
            let (id, file) = entry?;
            let (kind, bytes) = file.value();
            files.push((id.value().1, (kind.to_owned(), bytes.to_vec())));
        }
        workspace.files = files.into_iter().collect();
        workspaces.insert(app.to_owned(), workspace);
    }
    Ok(Some(Stored {
        seed: parsed("the", SEED_ROW, &row(SEED_ROW)?)?,
        clock_ahead: parsed("the", CLOCK_ROW, &row(CLOCK_ROW)?)?,
        tokens: parsed("the", TOKENS_ROW, &row(TOKENS_ROW)?)?,
        workspaces,
    }))
}

fn parsed<T: DeserializeOwned>(kind: &str, name: impl std::fmt::Display, row: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(row).map_err(|source| Problem::Unreadable { row: format!("{kind} {name}"), source })
}

#[cfg(test)]
mod tests {
    use super::{FILE_NAME, FORMAT_ROW, GENERAL, Store};

    /// A new empty directory, which goes when the value does.
    struct Directory(std::path::PathBuf);

    impl Directory {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("baton-store-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).unwrap();
        }
    }

    #[test]
    fn a_directory_of_another_format_is_refused_with_both_formats_and_left_alone() {
        let directory = Directory::new("format");
        let file = directory.0.join(FILE_NAME);
        let database = redb::Database::create(&file).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction.open_table(GENERAL).unwrap().insert(FORMAT_ROW, "99".as_bytes()).unwrap();
        transaction.commit().unwrap();
        drop(database);
        let refused = Store::open(&directory.0).unwrap_err().to_string();
        assert!(refused.contains(&directory.0.display().to_string()), "{refused}");
        assert!(refused.contains("it has format 99, this program has format 1"), "{refused}");
        assert!(Store::open(&directory.0).is_err(), "it still has the other format");
    }

    #[test]
    fn a_file_that_is_no_database_and_a_path_that_is_no_directory_are_refused() {
        let directory = Directory::new("nonsense");
        let file = directory.0.join(FILE_NAME);
        std::fs::write(&file, "no database ".repeat(1_000)).unwrap();
        assert!(Store::open(&directory.0).is_err());
        assert!(Store::open(&file).is_err());
    }

    #[test]
    fn a_directory_has_one_sandbox_at_a_time() {
        let directory = Directory::new("in-use");
        let (first, stored) = Store::open(&directory.0).unwrap();
        assert!(stored.is_none());
        let refused = Store::open(&directory.0).unwrap_err().to_string();
        assert!(refused.contains("in use by another sandbox"), "{refused}");
        drop(first);
        assert!(Store::open(&directory.0).is_ok());
    }
}
