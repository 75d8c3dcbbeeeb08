//! What a new memory touches, what is proposed and said of memories, and what people decide.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::answers::{Actor, MemoryRecord};
use super::{Namespace, finite, is_default, words};
use crate::instant::Instant;

words! {
    /// How a new memory relates to one that is stored.
    SimilarKind {
        /// The same words.
        Copy,
        /// The same in nearly the same words.
        Restates,
        /// Another value of the same.
        Updates,
        /// One says that the other is not so.
        Contradicts,
        /// Something else about the same.
        Extends,
    }
}

/// A stored memory that a new one touches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Similar {
    /// Its id.
    pub id: String,
    /// How the new one relates to it.
    pub kind: SimilarKind,
    /// How sure that is, in [0, 1].
    pub confidence: f64,
    /// Why, in words that repeat neither text.
    pub reason: String,
    /// What it says.
    pub text: Option<String>,
    /// The proposal that this led to (`pro_…`).
    pub proposal: Option<String>,
}

words! {
    /// What somebody says of a memory that they were given.
    Verdict {
        /// It helped.
        Useful,
        /// It is not so.
        Wrong,
        /// It is no longer so.
        Outdated,
        /// It did not help.
        Irrelevant,
        /// Takes back all that was said before.
        Withdrawn,
    }
}

/// A verdict on a memory, and the confidence that the memory had by it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Feedback {
    /// Its id (`fbk_…`).
    pub id: String,
    /// The memory's namespace.
    pub namespace: String,
    /// The memory.
    pub memory_id: String,
    /// What is said.
    pub verdict: Verdict,
    /// Why.
    pub note: Option<String>,
    /// When.
    pub at: Instant,
    /// Who said it, by the way it came in.
    pub actor: Actor,
    /// The memory's confidence as it was given, in [0, 1].
    pub given: f64,
    /// Its confidence after this, in [0, 1].
    pub confidence: f64,
}

/// What feedback has made of a memory's confidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Moved {
    /// The confidence as it was given, in [0, 1].
    pub given: f64,
    /// How often each verdict was given since it was last withdrawn.
    pub verdicts: BTreeMap<String, u64>,
    /// When the last one was given.
    pub last: Instant,
}

words! {
    /// What a proposal says of a memory, and so what accepting it does.
    ProposalKind {
        /// Another memory has a newer value of the same: it supersedes this one.
        Update,
        /// Another memory says that this one is not so: it supersedes this one.
        Contradiction,
        /// Another memory says the same: this one is retired.
        Copy,
        /// It is wrong: it is retired.
        Retirement,
        /// It is outdated: it ends.
        Expiry,
    }
}

words! {
    /// What was decided about a proposal.
    ProposalState {
        /// Nothing yet.
        Open,
        /// Put off until an instant.
        Later,
        /// It was carried out.
        Accepted,
        /// It does not come back.
        Rejected,
        /// Nobody decided it for long, so that it was laid aside.
        Lapsed,
        /// It was accepted, and everything is again as it was before.
        Undone,
    }
}

words! {
    /// What is decided about a proposal.
    Choice {
        /// Carry it out.
        Accept,
        /// Keep it from coming back, also for the same texts stored again.
        Reject,
        /// Put it off.
        Later,
        /// Take the last decision back: all is as it was before.
        Undo,
    }
}

/// What the service would change about a memory and does not by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// Its id (`pro_…`).
    pub id: String,
    /// The memory's namespace.
    pub namespace: String,
    /// What it says of the memory.
    pub kind: ProposalKind,
    /// The memory that accepting changes.
    pub memory_id: String,
    /// The memory that speaks against it, or says the same.
    pub other_id: Option<String>,
    /// How sure it is that the kind is right, in [0, 1].
    pub confidence: f64,
    /// Why, in words that repeat neither text.
    pub reason: String,
    /// What was decided.
    pub state: ProposalState,
    /// When it was made.
    pub made_at: Instant,
    /// Who made it.
    #[serde(default)]
    pub made_by: Actor,
    /// Of one put off: until when.
    pub until: Option<Instant>,
    /// When it was decided.
    pub decided_at: Option<Instant>,
    /// Who decided last, by the way the decision came in.
    pub decided_by: Option<Actor>,
    /// Why it was decided so.
    pub note: Option<String>,
    /// Of an accepted one: the revision of the memory that accepting made.
    pub revision: Option<u64>,
    /// Of an accepted one: the relation that accepting added.
    pub relation_id: Option<String>,
}

/// Which proposals to list, the newest first. Without `states` those that wait for a decision now.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProposalsOf {
    /// The namespace to work in.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: Namespace,
    /// Only proposals in one of these states.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<ProposalState>,
    /// Only proposals of one of these kinds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<ProposalKind>,
    /// Only proposals about this memory: its id, or `key:NAME`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Only the proposals with these ids.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<String>,
    /// At most this many, the newest, 1 to 1,000. Default: 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A proposal with the memories that it is about, and what accepting it does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proposed {
    /// The proposal.
    pub proposal: Proposal,
    /// The memory that accepting changes.
    pub memory: MemoryRecord,
    /// The memory that speaks against it, or says the same.
    pub other: Option<MemoryRecord>,
    /// What accepting does, or did, as a sentence.
    pub accepting: String,
}

/// The newest proposals first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proposals {
    /// The proposals.
    pub proposals: Vec<Proposed>,
    /// How many match.
    pub total: u64,
}

/// The memory that should change, and why; a person decides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Propose {
    /// The memory: its id, `key:NAME`, or words that only it answers to.
    pub id: String,
    /// What should become of it.
    pub kind: ProposalKind,
    /// The memory that speaks against it, or says the same; given as `id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<String>,
    /// Why, in words that do not repeat either text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How sure it is, from 0 to 1. Default: 0.5.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "finite")]
    pub confidence: Option<f64>,
    /// The namespace to work in.
    #[serde(default, skip_serializing_if = "is_default")]
    pub namespace: Namespace,
}

impl Propose {
    /// A proposal about the memory `id` alone.
    pub fn new(id: impl Into<String>, kind: ProposalKind) -> Self {
        Self { id: id.into(), kind, other: None, reason: None, confidence: None, namespace: Namespace::default() }
    }
}

/// A decision about a proposal. Accepting may correct its kind and when the memory ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decide {
    /// The proposal's id (`pro_…`).
    pub id: String,
    /// What is decided.
    pub decision: Choice,
    /// The namespace to work in.
    #[serde(default, skip_serializing_if = "is_default")]
    pub namespace: Namespace,
    /// With accept: another kind than the one proposed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ProposalKind>,
    /// With accept: when the memory stopped being true. Default: when the other one began, or now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Instant>,
    /// With later: until when, in the future.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Instant>,
    /// Why; erased when a memory that it is about is forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Decide {
    /// A decision without anything else.
    pub fn new(id: impl Into<String>, decision: Choice) -> Self {
        let namespace = Namespace::default();
        Self { id: id.into(), decision, namespace, kind: None, valid_to: None, until: None, note: None }
    }
}

/// What is said of a memory. Its confidence moves a little, within bounds; its text stays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judge {
    /// The memory: its id, `key:NAME`, or words that only it answers to.
    pub id: String,
    /// What is said. `Outdated` also proposes that it ends, `Wrong` to retire it.
    pub verdict: Verdict,
    /// Why; erased when the memory is forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The namespace to work in.
    #[serde(default, skip_serializing_if = "is_default")]
    pub namespace: Namespace,
}

impl Judge {
    /// A verdict without a note.
    pub fn new(id: impl Into<String>, verdict: Verdict) -> Self {
        Self { id: id.into(), verdict, note: None, namespace: Namespace::default() }
    }
}

/// The feedback as it was kept, and what it made the service propose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// The feedback.
    pub feedback: Feedback,
    /// The proposal.
    pub proposal: Option<Proposal>,
}
