//! What must hold of a chat: at every save, and when all has come to rest.
//!
//! Each message of the customer's, from the platform, is in Intercom once and in order, or its refusal was
//! told by its command's id; each message of people's was told once and in order; what the customer wrote
//! through the other door was told, and not taken for the platform's. Where the same words come through both
//! doors while one is in doubt, nobody can tell which is whose; but none is lost and none is told twice. Messages without
//! words, of files alone, are such: how Intercom names a file that it was given is not documented; only
//! how many there are tells them apart.
//!
//! Files are where their message is, each once and in order.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use shared::domain::conversation::{Action, Control, Conversation, OutboxEntry, Progress};
use shared::domain::ids::ConversationId;
use shared::domain::part::Assignee;

use super::chat::{Asked, Chat, Issue};
use crate::check::Births;
use crate::intercom::{Said, Talk, Who, is_bots};
use crate::world::World;

/// Checks a chat's row at its save.
pub fn row(
    world: &World,
    chat: usize,
    before: &Conversation,
    after: &Conversation,
    births: &mut Births,
) -> Vec<String> {
    let mut wrong = Vec::new();
    if after.epoch < before.epoch || after.last_event < before.last_event || after.last_out < before.last_out {
        wrong.push("a number of the row went back".to_owned());
    }
    let numbers: Vec<u64> = after.events.iter().map(|event| event.seq).collect();
    if numbers.windows(2).any(|pair| pair[1] != pair[0] + 1) {
        wrong.push(format!("events are not numbered without gaps: {numbers:?}"));
    }
    let seen = after.seen.part.as_ref().and_then(|part| part.as_str().parse().ok()).unwrap_or(0);
    for entry in &after.outbox {
        if let Entry::Vacant(birth) = births.entry(entry.seq) {
            birth.insert(seen);
            wrong.extend(said_again(world, chat, before, entry));
        }
        let was = before.outbox.iter().find(|other| other.seq == entry.seq);
        if claim_of(entry).is_some() && was.and_then(claim_of) != claim_of(entry) {
            let born = births.get(&entry.seq).copied().unwrap_or(seen);
            wrong.extend(claimed(world, chat, after, entry, (born, seen)));
        }
        let known = |id: u64| after.own_parts.iter().any(|own| own.as_str() == id.to_string());
        let made = |part: &&Said| part.made.as_ref().is_some_and(|made| made.seq == entry.seq);
        let parts = world.chats[chat].talks.iter().flat_map(|talk| &world.talks[*talk].parts);
        if entry.action.adds_a_message() && parts.filter(made).any(|part| known(part.id)) {
            wrong.push(format!("entry {} is known to be in Intercom, and still waits", entry.seq));
        }
    }
    wrong
}

fn claim_of(entry: &OutboxEntry) -> Option<&str> {
    match &entry.progress {
        Progress::Claimed { claim, .. } => Some(claim.as_str()),
        _ => None,
    }
}

fn speaks_for_the_customer(action: &Action) -> bool {
    matches!(action.as_str(), "say" | "relay" | "begin")
}

/// A start that joins what people have says nothing that was said last.
fn said_again(world: &World, chat: usize, before: &Conversation, entry: &OutboxEntry) -> Option<String> {
    let issues = &world.chats[chat].issued;
    let issue = issues.iter().find(|issue| entry.command.as_ref().is_some_and(|id| id.as_str() == &*issue.id))?;
    let last = before.transfer.as_ref().filter(|_| before.control == Control::Human)?;
    let again =
        issue.repeats && speaks_for_the_customer(&entry.action) && last.last_words == issue.words.replace(' ', "");
    again.then(|| format!("command {} joins, and says {:?} again", issue.id, issue.words))
}

/// Nothing is passed on after people have ended the chat and the row knows it.
fn claimed(
    world: &World,
    chat: usize,
    state: &Conversation,
    entry: &OutboxEntry,
    (born, seen): (u64, u64),
) -> Option<String> {
    if !speaks_for_the_customer(&entry.action) {
        return None;
    }
    if entry.epoch != state.epoch {
        return Some(format!("entry {} of epoch {} is claimed in epoch {}", entry.seq, entry.epoch, state.epoch));
    }
    // What was said before the customer ended it still arrives, before our close.
    if state.outbox.iter().any(|other| other.seq > entry.seq && other.action.as_str() == "close") {
        return None;
    }
    let conversation = state.transfer.as_ref().and_then(|transfer| transfer.conversation.as_ref())?;
    let mut talks = world.chats[chat].talks.iter().map(|talk| &world.talks[*talk]);
    let talk = talks.find(|talk| talk.key.conversation_id == *conversation)?;
    let ends = |part: &&Said| part.kind == "close" && part.made.is_none() && part.id > born && part.id <= seen;
    let end = talk.parts.iter().rev().find(ends)?;
    Some(format!("{} {} is begun although part {} ended the chat before", entry.action.as_str(), entry.seq, end.id))
}

/// Something that the customer said, in Intercom: when, and by which action of ours, if by one.
struct Word<'a> {
    at: u64,
    text: &'a Rc<str>,
    files: &'a [String],
    made: Option<&'a crate::intercom::Made>,
    conversation: String,
    part: u64,
    /// Whether nobody may have seen it: deleted, or in a conversation that is not the chat's any more, or never was.
    lost: bool,
}

/// What the customer said in the chat's conversations, in order.
fn words<'a>(world: &'a World, chat: &Chat, conversation: Option<&ConversationId>) -> Vec<Word<'a>> {
    let mut words = Vec::new();
    for talk in chat.talks.iter().map(|talk| &world.talks[*talk]) {
        let gone = talk.deleted || conversation != Some(&talk.key.conversation_id);
        let conversation = talk.key.conversation_id.to_string();
        if talk.starter == Who::Customer {
            let (at, made) = (talk.begun_after, talk.begun_by.as_ref());
            words.push(Word {
                at,
                text: &talk.first,
                files: &talk.first_files,
                made,
                conversation: conversation.clone(),
                part: 0,
                lost: talk.deleted,
            });
        }
        let said = |part: &&Said| part.who == Who::Customer && part.says_something();
        for part in talk.parts.iter().filter(said) {
            let lost = gone || part.redacted;
            let (at, made, conversation) = (part.id, part.made.as_ref(), conversation.clone());
            let (text, files) = (&part.text, &part.files[..]);
            words.push(Word { at, text, files, made, conversation, part: part.id, lost });
        }
    }
    words.sort_by_key(|word| word.at);
    words
}

/// Checks a chat at rest.
#[must_use]
pub fn at_rest(world: &World, number: usize, died: &[Rc<str>]) -> Vec<String> {
    let chat = &world.chats[number];
    let state = world.rows.get(&chat.key).map(|row| row.state.clone()).unwrap_or_default();
    let mut wrong = Vec::new();
    if !state.outbox.is_empty() || !state.events.is_empty() || !chat.outgoing.is_empty() {
        wrong.push(format!("at rest {} actions and {} events still wait", state.outbox.len(), state.events.len()));
    }
    let conversation = state.transfer.as_ref().and_then(|transfer| transfer.conversation.as_ref());
    let said = words(world, chat, conversation);
    results(chat, &said, &mut wrong);
    passed_on(world, chat, &said, died, &mut wrong);
    other_door(chat, &said, &mut wrong);
    // Where Intercom refused to tell who the customer is, people begin conversations with somebody of whom no chat is known.
    let is_unknown = state.transfer.as_ref().is_some_and(|transfer| transfer.contact.is_none());
    for talk in chat.talks.iter().filter(|_| !is_unknown).map(|talk| &world.talks[*talk]) {
        told_to_one(world, number, talk, &mut wrong);
        people(world, chat, talk, conversation == Some(&talk.key.conversation_id), &mut wrong);
    }
    opened_once(world, chat, &mut wrong);
    let astray = if is_unknown { Vec::new() } else { world.astray(number) };
    wrong.extend(astray.into_iter().map(|key| format!("row {key} does not lead to the chat")));
    agrees(world, chat, &state, &mut wrong);
    wrong
}

/// Each command has one result, and what was called refused was.
fn results(chat: &Chat, said: &[Word<'_>], wrong: &mut Vec<String>) {
    for issue in &chat.issued {
        let results: Vec<&str> = issue.results.iter().map(|(result, _)| *result).collect();
        // Of a chat that is not known nothing is remembered: what comes again then is judged anew.
        if issue.results.first().is_some_and(|(_, why)| why == "unknown_conversation") {
            continue;
        }
        if results.len() != 1 {
            wrong.push(format!("command {} ({:?}) has these results: {results:?}", issue.id, issue.asked));
        }
        if !issue.asked.speaks() {
            continue;
        }
        // One that people deleted before it was known whose it was is opened again.
        let made = |word: &&Word<'_>| {
            let is_gone = word.lost && word.part == 0;
            !is_gone && word.made.is_some_and(|made| made.command.as_deref() == Some(&*issue.id))
        };
        let (_, behind) = placed(issue);
        let speaks = |word: &&Word<'_>| {
            !(word.text.is_empty() && !behind.is_empty() && word.files.iter().eq(behind.iter().copied()))
        };
        let parts = said.iter().filter(made).filter(speaks).count();
        let twins = || {
            chat.doubted.contains(&issue.id)
                && said.iter().any(|word| {
                    let as_many = !issue.words.is_empty() || word.files.len() == issue.files.len();
                    as_many && word.made.is_none() && *word.text == crate::world::kept(&issue.words)
                })
        };
        let sent: Vec<&String> = said.iter().filter(made).flat_map(|word| word.files).collect();
        let as_many_behind = || {
            let files = |word: &Word<'_>| word.text.is_empty() && word.files.len() == behind.len();
            let are_there = !behind.is_empty() && chat.doubted.contains(&issue.id);
            are_there && said.iter().any(|word| word.made.is_none() && files(word))
        };
        // Of what was deleted, and of the same words, or as many files without, through both doors nobody can tell.
        if !(is_lost(said) || twins() || as_many_behind()) {
            files(chat, issue, &sent, parts, wrong);
        }
        // A start that was given up and comes back late joins the chat that another start has begun with these
        // words.
        let joins = || {
            let by_another = |word: &Word<'_>| word.made.is_some() && *word.text == crate::world::kept(&issue.words);
            matches!(issue.asked, Asked::Start) && said.iter().any(by_another)
        };
        let fits = match results.first() {
            Some(&"done") => parts == 1 || (parts == 0 && (issue.repeats || twins() || joins() || is_lost(said))),
            _ => parts == 0 || is_lost(said),
        };
        if !fits {
            wrong.push(format!("command {} ({:?}) is {results:?}, and made {parts} parts", issue.id, issue.asked));
        }
        let refused = issue.results.iter().find(|(result, _)| *result == "rejected").map(|(_, why)| why.as_str());
        let ours = ["unavailable", "unknown_conversation"];
        if let Some(why) = refused.filter(|why| !ours.contains(why) && !chat.refused.contains(&issue.id)) {
            wrong.push(format!("command {} was refused ({why}), and Intercom did not refuse it", issue.id));
        }
    }
}

/// The files that a command sends with its words, and those that come behind them: a conversation cannot be opened with
/// files that are fetched.
fn placed(issue: &Issue) -> (Vec<&String>, Vec<&String>) {
    let is_bare = issue.words.is_empty() && issue.files.iter().all(|name| name.starts_with("fetched"));
    let is_behind = |name: &&String| issue.asked == Asked::Start && !is_bare && name.starts_with("fetched");
    issue.files.iter().partition(|name| !is_behind(name))
}

/// The files that a command sent are in Intercom once and in order, where its words are. Those that come behind a
/// start's words may be refused, or overtaken.
fn files(chat: &Chat, issue: &Issue, sent: &[&String], parts: usize, wrong: &mut Vec<String>) {
    let (first, behind) = placed(issue);
    let whole: Vec<&String> = first.iter().chain(&behind).copied().collect();
    let joined: Vec<&String> = issue.files.iter().collect();
    let may_lack =
        issue.asked == Asked::Start && (chat.refused.contains(&issue.id) || chat.heard.kinds.contains_key("closed"));
    let is_good = sent == whole || sent == joined || (may_lack && sent == first) || (parts == 0 && sent.is_empty());
    if !is_good {
        wrong.push(format!("of the files {:?} of command {} these are in Intercom: {sent:?}", issue.files, issue.id));
    }
}

/// Whether something was deleted: what was on the wire then nobody can look for any more.
fn is_lost(said: &[Word<'_>]) -> bool {
    said.iter().any(|word| word.lost && word.part == 0)
}

/// What was passed on is in Intercom once, in order.
fn passed_on(world: &World, chat: &Chat, said: &[Word<'_>], died: &[Rc<str>], wrong: &mut Vec<String>) {
    let place = |id: &str| chat.issued.iter().position(|issue| *issue.id == *id);
    let (mut last, mut seen) = (0, BTreeSet::new());
    for word in said {
        let Some(made) = word.made.filter(|_| !(word.lost && word.part == 0)) else { continue };
        if !seen.insert(made.seq) {
            wrong.push(format!("action {} is twice in Intercom: {:?}", made.seq, word.text));
        }
        let Some(command) = made.command.as_deref() else { continue };
        if died.iter().any(|body| body.contains(&format!("\"{command}\""))) {
            continue;
        }
        let place = place(command).unwrap_or(0);
        // What was refused because nobody knew the chat, and is given again under its old id, comes late.
        let again = chat.issued.get(place).and_then(|issue| issue.results.first());
        if again.is_some_and(|(_, why)| why == "unknown_conversation") {
            continue;
        }
        if place < last {
            wrong.push(format!("command {command} is in Intercom after command {last}"));
        }
        last = last.max(place);
    }
    // Nothing else of ours is twice there either.
    for talk in chat.talks.iter().map(|talk| &world.talks[*talk]) {
        let mut notes = BTreeSet::new();
        let by_bot = |part: &&Said| part.who == Who::Bot && part.kind == "note";
        for made in talk.parts.iter().filter(by_bot).filter_map(|part| part.made.as_ref()) {
            if !notes.insert(made.seq) {
                wrong.push(format!("note {} is twice in Intercom", made.seq));
            }
        }
    }
}

/// What the customer wrote in Intercom was told, each message once. The same words through both doors are
/// counted together.
fn other_door(chat: &Chat, said: &[Word<'_>], wrong: &mut Vec<String>) {
    let told =
        |word: &Word<'_>| chat.heard.other_door.iter().any(|(of, part)| *of == word.conversation && *part == word.part);
    // Without words their number tells files apart.
    let how_many = |text: &str, files: usize| if text.is_empty() { files } else { 0 };
    let mut by_words: BTreeMap<(&str, usize), Vec<&Word<'_>>> = BTreeMap::new();
    for word in said {
        by_words.entry((&word.text[..], how_many(word.text, word.files.len()))).or_default().push(word);
        if told(word)
            && word.part > 0
            && chat.heard.files.get(&(word.conversation.clone(), word.part)).map(Vec::as_slice) != Some(word.files)
        {
            wrong.push(format!("message {} was not told with its files {:?}", word.part, word.files));
        }
    }
    for ((text, number), all) in by_words {
        let ours: Vec<_> = all.iter().filter(|word| word.made.is_some()).collect();
        let theirs: Vec<_> = all.iter().filter(|word| word.made.is_none()).collect();
        // How many messages of a command look so: a start's files that come behind its words are one of their own.
        let alike = |issue: &Issue| {
            let (first, behind) = placed(issue);
            let is_so = *crate::world::kept(&issue.words) == *text
                && [first.len(), issue.files.len()].iter().any(|files| how_many(text, *files) == number);
            let is_behind = text.is_empty() && number > 0 && behind.len() == number;
            if issue.asked.speaks() { usize::from(is_so) + usize::from(is_behind) } else { 0 }
        };
        let issues = || chat.issued.iter().filter(|issue| alike(issue) > 0);
        // While ours are in doubt nobody can tell which is whose.
        let is_both = issues().any(|issue| chat.doubted.contains(&issue.id)) && !theirs.is_empty();
        let done = issues().filter(|issue| issue.results.first().is_some_and(|(result, _)| *result == "done"));
        let done: usize = done.map(alike).sum();
        let told_of = all.iter().filter(|word| told(word)).count();
        let lost = all.iter().filter(|word| word.lost && word.made.is_none()).count();
        if !is_both {
            for word in ours.iter().filter(|word| told(word)) {
                wrong.push(format!("part {} is the platform's own, and was told as the other door's", word.at));
            }
        }
        // Then it shows only in their number whether one was lost or told twice.
        let fewer = told_of + lost < theirs.len() && !(is_both && told_of + lost + done >= all.len());
        if told_of > theirs.len() || fewer {
            let least = theirs.len();
            wrong.push(format!("{text:?} came {least} times through the other door, and was told {told_of} times"));
        }
    }
}

/// What people, and machines of Intercom's, said to the customer was told once, unless the chat had ended
/// and was to stay with the bot.
fn people(world: &World, chat: &Chat, talk: &Talk, is_its_last: bool, wrong: &mut Vec<String>) {
    let conversation = talk.key.conversation_id.as_str();
    let told = |part: u64| chat.heard.people.iter().filter(|(of, one)| of == conversation && *one == part).count();
    let mut ended = false;
    for part in &talk.parts {
        let is_theirs = part.is_seen() && !matches!(part.who, Who::Customer | Who::Bot);
        let times = told(part.id);
        let stays = ended && (world.setting.stays || part.who == Who::Workflow);
        // What people say beside the chat is passed on as well, and in a conversation that it has left.
        let is_ours = match world.rows.get(&talk.key) {
            Some(row) => row.state.moved_to.is_some(),
            None => talk.starter.is_person(),
        };
        let beside = part.who.is_person() && is_ours;
        let least = usize::from(is_theirs && !stays && !talk.deleted && (is_its_last || beside));
        let most = usize::from(part.who != Who::Customer && part.who != Who::Bot && part.says_something());
        let told_with = chat.heard.files.get(&(conversation.to_owned(), part.id)).filter(|_| times > 0);
        if told_with.is_some_and(|files| *files != part.files) {
            wrong.push(format!(
                "message {} of {:?} was told with {told_with:?}, and has {:?}",
                part.id, part.who, part.files
            ));
        }
        if times < least || times > most {
            wrong.push(format!("message {} of {:?} was told {times} times", part.id, part.who));
        }
        if part.kind == "note" && times > 0 {
            wrong.push(format!("note {} was told", part.id));
        }
        // From here on it may be over: closed, given back, ended or timed out.
        ended |= part.kind == "close" || part.who == Who::Bot || part.to.as_ref().is_some_and(is_bots);
    }
}

/// What was said in a conversation of a chat's was told to no other chat, and what people began it with once.
fn told_to_one(world: &World, number: usize, talk: &Talk, wrong: &mut Vec<String>) {
    let conversation = talk.key.conversation_id.as_str();
    for (other, chat) in world.chats.iter().enumerate().filter(|(other, _)| *other != number) {
        let told = chat.heard.people.iter().chain(&chat.heard.other_door).find(|(of, _)| of == conversation);
        if let Some((_, part)) = told.filter(|_| chat.workspace == world.chats[number].workspace) {
            wrong.push(format!("message {part} of {conversation}, the chat {number}'s, was told to the chat {other}"));
        }
    }
    if talk.starter.is_person() {
        let is_it = |(of, part): &&(String, u64)| *part == 0 && crate::world::kept(of) == talk.first;
        let times = world.chats.iter().flat_map(|chat| &chat.heard.people).filter(is_it).count();
        // Where people gave it to the bot, which takes it as one of Intercom's own, that is told of it so.
        let is_bots = world.rows.get(&talk.key).is_some_and(|row| row.state.moved_to.is_none());
        if times > 1 || (times == 0 && !talk.deleted && !talk.first_redacted && !is_bots) {
            wrong.push(format!("{:?}, with which people began {conversation}, was told {times} times", talk.first));
        }
    }
}

/// A chat has one conversation, unless people deleted it or began one themselves.
fn opened_once(world: &World, chat: &Chat, wrong: &mut Vec<String>) {
    let talks = || chat.talks.iter().map(|talk| &world.talks[*talk]);
    let begun = talks().filter(|talk| talk.begun_by.is_some()).count();
    let gone = talks().filter(|talk| talk.deleted).count();
    if begun > 1 + gone {
        wrong.push(format!("{begun} conversations were opened for one chat"));
    }
}

/// What the platform believes, what the row says and what Intercom shows are one.
fn agrees(world: &World, chat: &Chat, state: &Conversation, wrong: &mut Vec<String>) {
    if state.transfer.is_none() {
        return;
    }
    let relays = state.control == Control::Human;
    if chat.heard.over == relays && !chat.heard.unsure {
        wrong.push(format!("the platform believes over={}, the row says {:?}", chat.heard.over, state.control));
    }
    let conversation = state.transfer.as_ref().and_then(|transfer| transfer.conversation.as_ref());
    let talk = chat.talks.iter().map(|talk| &world.talks[*talk]);
    let Some(talk) = conversation.and_then(|id| talk.clone().find(|talk| talk.key.conversation_id == *id)) else {
        return;
    };
    if relays && !talk.face.open && !talk.deleted {
        wrong.push("the chat is relayed into a closed conversation".to_owned());
    }
    let holder = talk.face.admin.as_ref().filter(|admin| !is_bots(&Assignee::Teammate((*admin).clone())));
    if let (true, Some(holder)) = (relays, holder)
        && chat.heard.agent.as_deref() != Some(holder.as_str())
    {
        wrong.push(format!("{holder} has the chat, and the platform knows of {:?}", chat.heard.agent));
    }
}

/// How many messages of customers and of people a chat had.
#[must_use]
pub fn messages(world: &World, chat: &Chat) -> u64 {
    let asked = chat.issued.iter().filter(|issue| issue.asked.speaks()).count();
    let talks = chat.talks.iter().map(|talk| &world.talks[*talk]);
    let said = talks.flat_map(|talk| &talk.parts).filter(|part| part.is_seen() && part.made.is_none()).count();
    (asked + said) as u64
}

/// Whether a command asks for something that is no message.
#[must_use]
pub fn is_quiet(asked: Asked) -> bool {
    !asked.speaks()
}
