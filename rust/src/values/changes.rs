//! What changed between two instants: the request and its answer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::answers::{Actor, MemoryRecord, Relation};
use super::{MemoryType, Namespace, is_default, words};
use crate::instant::Instant;

words! {
    /// In what something changed.
    Axis {
        /// In what the service knew.
        Known,
        /// In what was true.
        Valid,
    }
}

/// A filter for the memories of one namespace by what they are; as in [`Selection`](super::Selection).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facets {
    /// Only memories of this namespace.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: Namespace,
    /// Only memories of one of these users.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub user: Vec<String>,
    /// Only memories of one of these agents.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub agent: Vec<String>,
    /// Only memories of one of these sessions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub session: Vec<String>,
    /// Only memories of one of these types.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<MemoryType>,
    /// Only memories in this context path or below it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub context: String,
    /// Only memories with all of these tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Only memories with at least one of these tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub any_tags: Vec<String>,
    /// Only memories with none of these tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub without_tags: Vec<String>,
    /// Only memories written or said by one of these people.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub author: Vec<String>,
    /// Only memories with one of these keys.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    /// Only memories with one of these ids.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<String>,
    /// Only memories that are pinned, or only those that are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned: Option<bool>,
}

/// The two instants, and the memories that are meant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChangesOf {
    /// The filters.
    #[serde(flatten)]
    pub facets: Facets,
    /// From when on: an instant, or how long ago. Default: `1 week`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Until just before when. Default: now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Default: what the service knew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub axis: Option<Axis>,
    /// At most this many changes per page, 1 to 1,000. Default: 200.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The cursor from the previous page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

words! {
    /// What a change was.
    ChangeKind {
        /// A memory was stored.
        New,
        /// It was given another revision.
        Revised,
        /// Another memory replaced it.
        Superseded,
        /// It stopped being true.
        Ended,
        /// It was retired.
        Retired,
        /// It lapsed.
        Expired,
        /// It was decided which entities are the same, or that decision was undone.
        Decided,
        /// It became true.
        Began,
    }
}

/// One change of one memory, or one decision about who is who.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemoryChange {
    /// What it was.
    pub kind: ChangeKind,
    /// When the service learned it; on the axis of what is true, when it happened.
    pub at: Instant,
    /// Who wrote it.
    #[serde(default)]
    pub actor: Actor,
    /// The memory as the change left it; `None` for a decision.
    pub memory: Option<MemoryRecord>,
    /// The memory before the change.
    pub before: Option<MemoryRecord>,
    /// The fields that the change gave another value.
    pub differs: Vec<String>,
    /// The memory that replaced it.
    pub superseded_by: Option<String>,
    /// The decision that was made, or undone.
    pub decision: Option<Relation>,
}

/// A page of changes, the earliest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Changes {
    /// From when on.
    pub since: Instant,
    /// Until just before when.
    pub until: Instant,
    /// `known` or `valid`.
    pub axis: String,
    /// How many of each kind this page has; with `forgotten`, of which nothing else is known.
    pub counts: BTreeMap<String, u64>,
    /// The changes.
    pub changes: Vec<MemoryChange>,
    /// Where the next page begins; `None` on the last page.
    pub cursor: Option<String>,
}
