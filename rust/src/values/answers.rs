//! The answers of the operations. A field that a newer service adds is ignored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::inbox::{Feedback, Moved, Similar};
use super::{Attributes, MemoryType, words};
use crate::instant::Instant;

words! {
    /// What became of one write.
    Outcome {
        /// A new memory or revision is on disk.
        Stored,
        /// The same scope already has the same text.
        DuplicateOf,
        /// Stored, and the memories in `supersedes` have ended.
        Superseded,
        /// Nothing was written.
        Rejected,
    }
}

words! {
    /// Who wrote something, by the way it came in.
    Actor {
        /// The command line, or REST with a person's key.
        Person,
        /// A program or a model.
        Agent,
        /// A file or an archive.
        Import,
        /// Derived by the service from a memory.
        Extraction,
        /// A rule that acts by itself.
        Policy,
        /// Written by a version that did not record it.
        Unknown,
    }
}

#[allow(clippy::derivable_impls)]
impl Default for Actor {
    fn default() -> Self {
        Self::Unknown
    }
}

/// Whether a stored memory can already be found lexically and semantically.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Searchable {
    /// Lexically.
    pub words: bool,
    /// Semantically; false until it has a vector.
    pub meaning: bool,
}

/// What became of one write, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// What became of it.
    pub outcome: Outcome,
    /// The memory; none where the write was rejected.
    pub memory_id: Option<String>,
    /// Its current revision, from 1.
    pub revision: Option<u64>,
    /// Who wrote the memory's current revision.
    pub actor: Option<Actor>,
    /// The memories that ended by it.
    pub supersedes: Vec<String>,
    /// When the memory lapses; `None` for never.
    #[serde(default)]
    pub expires_at: Option<Instant>,
    /// Of a rejected write: the stable code of the refusal, such as `forgotten` or `invalid_input`.
    pub code: Option<String>,
    /// Why, as a sentence.
    pub reason: Option<String>,
    /// How it can already be found.
    pub searchable: Searchable,
    /// For a duplicate: the fields whose given value differs from the stored one; nothing was changed.
    pub differs: Vec<String>,
    /// A warning: the forgotten memories whose text is in what was stored, among other words or as its title, source or attribute.
    pub contains_forgotten: Vec<String>,
    /// Of a stored text that the same scope had before and retired: the newest of those memories, which stays retired.
    pub was_retired: Option<Retirement>,
    /// The stored memories that it copies, restates, updates, contradicts or extends, the surest first.
    #[serde(default)]
    pub similar: Vec<Similar>,
}

/// That a text which is current again was retired before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Retirement {
    /// The memory that was retired.
    pub memory_id: String,
    /// When.
    pub retired_at: Instant,
    /// The reason that was given.
    pub reason: Option<String>,
}

/// One receipt per memory, in the order given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Receipts {
    /// The receipts.
    pub receipts: Vec<Receipt>,
    /// How many had each outcome, by the outcome's name.
    pub counts: BTreeMap<String, u64>,
}

/// One revision of a memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemoryRecord {
    /// The memory's id (`mem_…`).
    pub id: String,
    /// Its namespace.
    pub namespace: String,
    /// The user that it belongs to.
    pub user: Option<String>,
    /// The agent that it belongs to.
    pub agent: Option<String>,
    /// The conversation that it is part of.
    pub session: Option<String>,
    /// What kind of memory it is.
    #[serde(rename = "type")]
    pub kind: MemoryType,
    /// Its context path; empty at the root.
    pub context: String,
    /// Its heading.
    pub title: Option<String>,
    /// Who wrote or said it.
    pub author: Option<String>,
    /// A name of the caller's own for the fact; at any moment a user has one value for a key.
    #[serde(default)]
    pub key: Option<String>,
    /// Its text.
    pub text: String,
    /// Its labels.
    pub tags: Vec<String>,
    /// How much it matters, from 0 to 1.
    pub importance: f64,
    /// How certain it is, from 0 to 1.
    pub confidence: f64,
    /// Its attributes.
    pub attributes: Attributes,
    /// Where it came from.
    pub source: Option<String>,
    /// When it happened or became true.
    pub valid_from: Option<Instant>,
    /// When it stopped being true.
    pub valid_to: Option<Instant>,
    /// When it lapses.
    #[serde(default)]
    pub expires_at: Option<Instant>,
    /// Whether it is pinned.
    #[serde(default)]
    pub pinned: bool,
    /// When its first revision was recorded.
    pub created_at: Instant,
    /// When this revision was recorded.
    pub recorded_at: Instant,
    /// When this revision was retired or replaced by the next one.
    pub retired_at: Option<Instant>,
    /// The reason given for that.
    pub retired_reason: Option<String>,
    /// The number of this revision, from 1.
    pub revision: u64,
    /// 32 hexadecimal digits (BLAKE2b-128) over the author, the title and the text's normal form.
    pub content_hash: String,
    /// Who wrote this revision; the author is what they say of themselves.
    #[serde(default)]
    pub actor: Actor,
}

/// One page of a listing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// The memories.
    pub memories: Vec<MemoryRecord>,
    /// Where the next page begins; `None` on the last page.
    pub cursor: Option<String>,
}

/// All revisions of one memory, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// The memory's id (`mem_…`).
    pub id: String,
    /// The revisions.
    pub revisions: Vec<MemoryRecord>,
    /// What was said of it, oldest first.
    #[serde(default)]
    pub feedback: Vec<Feedback>,
}

/// How many memories were erased, or would be with `dry_run`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Forgotten {
    /// How many.
    pub forgotten: u64,
    /// Whether it was only counted.
    pub dry_run: bool,
    /// The ids of the first 1,000.
    pub ids: Vec<String>,
    /// How many of them were `current`, had `ended` or were `retired`.
    #[serde(default)]
    pub states: BTreeMap<String, u64>,
    /// What keeps their bytes on disk for now; `None` where they are gone, and with `dry_run`.
    #[serde(default)]
    pub wipe_pending: Option<WipePending>,
}

/// Forgotten memories whose bytes are still on disk: no answer shows them, but a reader of the files could find them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WipePending {
    /// When the first of them was forgotten; `None` where an earlier version forgot it.
    pub since: Option<Instant>,
    /// What they wait for, in words.
    pub why: String,
}

/// A typed, dated, sourced edge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Relation {
    /// The relation's id (`rel_…`).
    pub id: String,
    /// Its namespace.
    pub namespace: String,
    /// Where the relation starts (`mem_…` or `ent_…`).
    pub source: String,
    /// Where the relation ends (`mem_…` or `ent_…`).
    pub target: String,
    /// Its type, in upper case.
    #[serde(rename = "type")]
    pub kind: String,
    /// How strong it is, from 0 to 1.
    pub weight: f64,
    /// More about it, as JSON.
    pub attributes: Attributes,
    /// The id of the memory that states it, if one does.
    pub evidence: Option<String>,
    /// When it began to hold.
    pub valid_from: Option<Instant>,
    /// When it stopped being true.
    pub valid_to: Option<Instant>,
    /// When it was recorded.
    pub recorded_at: Instant,
    /// When it was ended.
    pub retired_at: Option<Instant>,
    /// Who related them; `extraction` where the service read it in a memory.
    #[serde(default)]
    pub actor: Actor,
}

words! {
    /// What a node is.
    NodeKind {
        /// A memory.
        Memory,
        /// An entity.
        Entity,
    }
}

/// One step of a walk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Neighbour {
    /// The node reached.
    pub id: String,
    /// What it is.
    pub kind: NodeKind,
    /// A memory's title or the beginning of its text; an entity's name.
    pub label: String,
    /// The relation it was reached by.
    pub relation: Relation,
    /// How many steps from the start, from 1.
    pub depth: u32,
}

/// The nodes reached, nearest first, each once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Neighbours {
    /// Where the walk began.
    pub id: String,
    /// The nodes.
    pub neighbours: Vec<Neighbour>,
}

/// The passage of a memory's text that matched best.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PassageText {
    /// The passage.
    pub text: String,
    /// Its first character in the memory's text, counted in characters (`char`), not bytes.
    pub start: u64,
    /// Its end, exclusive.
    pub end: u64,
}

/// One term of a hit's score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: f64,
    /// Its weight.
    pub weight: f64,
    /// `weight` times `value`; those of a hit add up to its score.
    pub contribution: f64,
}

/// How a hit got its rank, recorded during the search itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// Which searches found it: `dense`, `lexical`, `graph`; `session` where none of these did.
    pub candidates: Vec<String>,
    /// Exact cosine similarity of the question and the best passage, in [-1, 1]; `None` without a vector.
    pub cosine: Option<f64>,
    /// BM25 score of the best passage; `None` where no word matched.
    pub bm25: Option<f64>,
    /// Its place in the semantic search, from 1; `None` where that did not find it.
    pub dense_rank: Option<u64>,
    /// Its place in the lexical search, from 1; `None` where that did not find it.
    pub lexical_rank: Option<u64>,
    /// The terms of its score.
    pub stages: Vec<Stage>,
    /// The terms of its confidence, in log odds.
    pub certainty: Vec<Stage>,
    /// The path through the graph, nodes and relations in turn; empty where no path led here.
    pub path: Vec<String>,
}

/// A memory next to a hit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Surrounding {
    /// The memory.
    pub memory: MemoryRecord,
    /// `previous` or `next` in its session, or the relation's type.
    pub how: String,
}

/// The evidence behind a hit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Detail {
    /// All its revisions, oldest first.
    pub history: Vec<MemoryRecord>,
    /// Its relations.
    pub relations: Vec<Relation>,
}

words! {
    /// Whether a hit is true now.
    Validity {
        /// It is true.
        Current,
        /// It may have been replaced by a newer rival.
        Uncertain,
        /// It has stopped being true.
        Ended,
        /// It has lapsed.
        Expired,
        /// It is not true yet.
        Future,
    }
}

/// The memories that say the same as a hit in the same words, folded into it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Copies {
    /// How many memories say it, the hit included.
    pub count: u64,
    /// When it was said first.
    pub first: Instant,
    /// When it was said last.
    pub last: Instant,
    /// The other memories, those that happened last first; at most 20.
    pub ids: Vec<String>,
    /// Who said it, each once.
    pub authors: Vec<String>,
    /// The agents that remembered it, each once.
    pub agents: Vec<String>,
    /// In how many sessions it was said.
    pub sessions: u64,
}

words! {
    /// Whether a rival came after a hit or before it.
    RivalOrder {
        /// After it.
        Newer,
        /// Before it.
        Older,
    }
}

/// Another memory that gives the same attribute of the same subject a value, or seems to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rival {
    /// The memory's id (`mem_…`).
    pub id: String,
    /// Whether it came after the hit or before it.
    pub order: RivalOrder,
    /// When it happened or began to be true.
    pub since: Instant,
    /// The estimated probability that the two are about the same, in [0, 1].
    pub certainty: f64,
}

/// One memory that answers the question, with its place among all hits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    /// Its place, from 1.
    pub rank: u64,
    /// The memory.
    pub memory: MemoryRecord,
    /// The sum of the evidence in log odds (nats); comparable only within one answer.
    pub score: f64,
    /// The estimated probability that it is relevant, in [0, 1]; comparable between answers.
    pub confidence: f64,
    /// Whether it is true now.
    pub validity: Validity,
    /// When it happened or began to be true; of copies, the first one's. `None` from a service that does not say it.
    #[serde(default)]
    pub since: Option<Instant>,
    /// When it stopped being true; `None` while it is not known to have ended.
    #[serde(default)]
    pub until: Option<Instant>,
    /// The memory that replaced it.
    #[serde(default)]
    pub superseded_by: Option<String>,
    /// Other memories that may give the same attribute another value, the newest first.
    #[serde(default)]
    pub rivals: Vec<Rival>,
    /// The passage that matched best.
    pub passage: PassageText,
    /// The words of the question that it contains.
    pub matched: Vec<String>,
    /// The main reasons for its rank in plain English, strongest first.
    pub reasons: Vec<String>,
    /// The memories that say the same; `None` where no other does.
    #[serde(default)]
    pub copies: Option<Copies>,
    /// What feedback has made of the memory's confidence; `None` where it is as it was given.
    #[serde(default)]
    pub moved: Option<Moved>,
    /// The memories next to it, with the layer `Contextual`.
    pub surroundings: Vec<Surrounding>,
    /// Its evidence, with the layer `Detailed`.
    pub detail: Option<Detail>,
    /// The scores of every stage, with `explain`.
    pub trace: Option<Trace>,
}

/// Something the reader must know about an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// Its stable code, such as `words_only` or `vectors_pending`.
    pub code: String,
    /// What it is.
    pub message: String,
    /// How to fix it, such as a command.
    pub mend: Option<String>,
}

/// How much was searched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Searched {
    /// Memories that passed the filters.
    pub memories: u64,
    /// Of these, how many matched at least one word.
    pub by_words: u64,
    /// Of these, how many had a vector to compare with.
    pub by_meaning: u64,
}

/// A word of a question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AskedWord {
    /// The word, case-folded.
    pub text: String,
    /// Its share of the question's idf mass, in [0, 1]: how rare it is among these memories.
    pub share: f64,
}

/// A time that a question names; `None` where it is open on that side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AskedTime {
    /// Its beginning.
    pub since: Option<Instant>,
    /// Its end, exclusive.
    pub until: Option<Instant>,
}

/// How a question was understood, and where its candidates came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// Its words.
    pub words: Vec<AskedWord>,
    /// Quoted phrases, which must occur exactly.
    pub phrases: Vec<String>,
    /// When the event asked about happened; used as evidence, not as a filter.
    pub times: Vec<AskedTime>,
    /// The filters of the request, by field name.
    pub filters: BTreeMap<String, String>,
    /// Passages that were scored by all stages.
    pub candidates: u64,
    /// How many candidates each search found; several may find the same one.
    pub origins: BTreeMap<String, u64>,
    /// Why the answer can be trusted; `None` where it should not be.
    pub trusted: Option<String>,
}

/// The whole answer to a question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The question.
    pub question: String,
    /// The memories that answer it, best first.
    pub hits: Vec<Hit>,
    /// True if there are no hits, or none that should be trusted.
    pub abstained: bool,
    /// Why there are no hits, or why they should not be trusted.
    pub reason: Option<String>,
    /// The answer as one text block for a prompt, with `format` `Context`.
    pub context: Option<String>,
    /// What the reader must know about this answer.
    pub notices: Vec<Notice>,
    /// How much was searched.
    pub searched: Searched,
    /// Estimated number of tokens of the texts in this answer.
    pub tokens: u64,
    /// How the question was understood, with `explain`.
    pub asked: Option<Asked>,
    /// The recipe that was used.
    pub recipe: String,
    /// Equal for equal state and question, across restarts and processes.
    pub answer_hash: String,
    /// Milliseconds that the search took.
    pub took_ms: f64,
}
