//! What a new memory touches, and what is said of memories.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::answers::Actor;
use super::words;
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
