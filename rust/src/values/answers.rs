//! What the operations give. A field that a newer service adds is passed over.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Attributes, MemoryType, words};
use crate::instant::Instant;

words! {
    /// What became of one write.
    Outcome {
        /// A new memory or revision is on disk.
        Stored,
        /// The same text stands in the same scope already.
        DuplicateOf,
        /// Stored, and the memories in `supersedes` have ended.
        Superseded,
        /// Nothing was written.
        Rejected,
    }
}

/// Whether a stored memory is found by words and by meaning yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Searchable {
    /// By its words.
    pub words: bool,
    /// By its meaning; false while its vector is owed.
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
    /// The memories that have ended.
    pub supersedes: Vec<String>,
    /// Of a rejected write: the stable code of the refusal, such as `forgotten` or `invalid_input`.
    pub code: Option<String>,
    /// Why, as a sentence.
    pub reason: Option<String>,
    /// How it can be found already.
    pub searchable: Searchable,
    /// For a duplicate: the fields whose given value differs from what stands; nothing was changed.
    pub differs: Vec<String>,
}

/// One receipt a memory, in the order given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Receipts {
    /// The receipts.
    pub receipts: Vec<Receipt>,
    /// How many had each outcome, by its name.
    pub counts: BTreeMap<String, u64>,
}

/// One memory as it stood at one revision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemoryRecord {
    /// `mem_…`
    pub id: String,
    /// The wall it lies behind.
    pub namespace: String,
    /// The user it belongs to.
    pub user: Option<String>,
    /// The agent it belongs to.
    pub agent: Option<String>,
    /// The conversation it is part of.
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
    /// What is remembered.
    pub text: String,
    /// Its labels.
    pub tags: Vec<String>,
    /// How much it matters, 0 to 1.
    pub importance: f64,
    /// How sure it is, 0 to 1.
    pub confidence: f64,
    /// Its attributes.
    pub attributes: Attributes,
    /// Where it came from.
    pub source: Option<String>,
    /// When it happened or began to be true.
    pub valid_from: Option<Instant>,
    /// When it stopped being true.
    pub valid_to: Option<Instant>,
    /// When its first revision was recorded.
    pub created_at: Instant,
    /// When this revision was recorded.
    pub recorded_at: Instant,
    /// When this revision was no longer held for true.
    pub retired_at: Option<Instant>,
    /// Why.
    pub retired_reason: Option<String>,
    /// Which revision this is, from 1.
    pub revision: u64,
    /// sha256 of the normal form of the text.
    pub content_hash: String,
}

/// One page of a listing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// The memories.
    pub memories: Vec<MemoryRecord>,
    /// Where the next page begins; none on the last one.
    pub cursor: Option<String>,
}

/// All revisions of one memory, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// `mem_…`
    pub id: String,
    /// The revisions.
    pub revisions: Vec<MemoryRecord>,
}

/// How many memories were erased, or would be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Forgotten {
    /// How many.
    pub forgotten: u64,
    /// Whether it was only counted.
    pub dry_run: bool,
    /// Which.
    pub ids: Vec<String>,
}

/// A typed, dated, sourced edge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Relation {
    /// `rel_…`
    pub id: String,
    /// The wall it lies behind.
    pub namespace: String,
    /// `mem_…` or `ent_…`
    pub source: String,
    /// `mem_…` or `ent_…`
    pub target: String,
    /// Its type, in upper case.
    #[serde(rename = "type")]
    pub kind: String,
    /// How strong it is, 0 to 1.
    pub weight: f64,
    /// Anything else about it.
    pub attributes: Attributes,
    /// The id of the memory that states it, if one does.
    pub evidence: Option<String>,
    /// When it began to be true.
    pub valid_from: Option<Instant>,
    /// When it stopped being true.
    pub valid_to: Option<Instant>,
    /// When it was recorded.
    pub recorded_at: Instant,
    /// When it was no longer held for true.
    pub retired_at: Option<Instant>,
}

words! {
    /// What a node is.
    NodeKind {
        /// A memory.
        Memory,
        /// A named thing.
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

/// The part of a memory's text that matched best.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PassageText {
    /// The part.
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

/// How a hit got where it is, recorded by the run itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// Which searches brought it up: `dense`, `lexical`, `graph`; `session` where none of these did.
    pub candidates: Vec<String>,
    /// Exact cosine of the question with the best passage; none without a vector.
    pub cosine: Option<f64>,
    /// BM25 of the best passage; none where no word matched.
    pub bm25: Option<f64>,
    /// Its rank by meaning.
    pub dense_rank: Option<u64>,
    /// Its rank by words.
    pub lexical_rank: Option<u64>,
    /// The terms of its score.
    pub stages: Vec<Stage>,
    /// The terms of its confidence, in log odds.
    pub certainty: Vec<Stage>,
    /// The way that the graph led here, nodes and relations in turn; empty where none did.
    pub path: Vec<String>,
}

/// A memory that stands beside a hit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Surrounding {
    /// The memory.
    pub memory: MemoryRecord,
    /// `previous` or `next` in its session, or the relation's type.
    pub how: String,
    /// How many steps away, from 1.
    pub distance: u32,
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
        /// It is.
        Current,
        /// It was.
        Ended,
        /// It will be.
        Future,
    }
}

/// One memory that answers, best first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    /// Its place, from 1.
    pub rank: u64,
    /// The memory.
    pub memory: MemoryRecord,
    /// The sum of the evidence in log odds (nats); comparable within one answer only.
    pub score: f64,
    /// How likely it is relevant, 0 to 1; comparable between answers.
    pub confidence: f64,
    /// Whether it is true now.
    pub validity: Validity,
    /// The part that matched best.
    pub passage: PassageText,
    /// The question's words that it has.
    pub matched: Vec<String>,
    /// The main reasons in words, strongest first.
    pub reasons: Vec<String>,
    /// What stands beside it, with the layer `Contextual`.
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
    /// The command that mends it.
    pub mend: Option<String>,
}

/// How much was looked at.
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
    /// Its share of the question's idf mass, 0 to 1: how telling it is among these memories.
    pub share: f64,
}

/// A time that a question names; none is open on that side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AskedTime {
    /// Its beginning.
    pub since: Option<Instant>,
    /// Its end, excluded.
    pub until: Option<Instant>,
}

/// What a question was understood as, and where its candidates came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// Its words.
    pub words: Vec<AskedWord>,
    /// What must occur as it stands.
    pub phrases: Vec<String>,
    /// When what is asked about happened; evidence, and no filter.
    pub times: Vec<AskedTime>,
    /// The filters that were given, by their names in the request.
    pub filters: BTreeMap<String, String>,
    /// Passages that were compared by all stages.
    pub candidates: u64,
    /// How many candidates each search brought up; one may come from several.
    pub origins: BTreeMap<String, u64>,
    /// Why the answer may be trusted; none where it should not be.
    pub trusted: Option<String>,
}

/// The whole answer to a question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The question.
    pub question: String,
    /// What answers it, best first.
    pub hits: Vec<Hit>,
    /// Whether the hits should not be trusted, or there are none.
    pub abstained: bool,
    /// Why.
    pub reason: Option<String>,
    /// The answer as one block for a prompt, where the request's `format` asked for it.
    pub context: Option<String>,
    /// What the reader must know.
    pub notices: Vec<Notice>,
    /// How much was looked at.
    pub searched: Searched,
    /// Estimated tokens of the texts in this answer.
    pub tokens: u64,
    /// What the question was understood as, with `explain`.
    pub asked: Option<Asked>,
    /// What counted.
    pub recipe: String,
    /// Equal for equal state and question, across restarts and processes.
    pub answer_hash: String,
    /// Milliseconds.
    pub took_ms: f64,
}
