//! Erasing everything about one person, project or identifier.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::answers::WipePending;
use super::{Namespace, finite, is_default};

/// Whom or what to forget: every memory that names it, in any spelling, form or script. Nothing is erased unless `dry_run` is
/// `Some(false)`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ForgetAbout {
    /// The person, project or identifier, as fully as it is known, up to 200 characters.
    pub about: String,
    /// The namespace to work in.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: Namespace,
    /// Only this user's memories.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Ids of memories to erase as well.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// Ids of memories to keep, although they are about it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keep: Vec<String>,
    /// Why it is erased. The log keeps the reason forever, so one that has the name, or repeats a memory, is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether only to show what would be erased and what would be left. Default: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    /// The largest share of the namespace that may be erased, from 0 to 1. Default: the service's setting.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "finite")]
    pub allow_share: Option<f64>,
}

/// A memory that is about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AboutMemory {
    /// Its id.
    pub id: String,
    /// The beginning of its text; `None` once it is erased.
    pub text: Option<String>,
    /// How the memory names it.
    pub written: String,
    /// `name`, another `spelling`, a `part` of the name, `follows` by a pronoun, or `also` by request.
    pub how: String,
    /// The field that names it.
    #[serde(rename = "where")]
    pub place: String,
    /// Whether only an earlier revision names it.
    pub earlier: bool,
}

/// A memory that is left, although it looks like one of them or has something in common with one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeftMemory {
    /// Its id.
    pub id: String,
    /// The beginning of its text.
    pub text: String,
    /// What it has.
    pub written: String,
    /// `longer_name`, `other_name`, `unclear`, `shares`, or `kept` by request.
    pub why: String,
}

/// What was erased, or would be, and what is left; the first 1,000 memories of each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ForgottenAbout {
    /// Whom or what.
    pub about: String,
    /// How many.
    pub forgotten: u64,
    /// Whether nothing was erased.
    pub dry_run: bool,
    /// All spellings that were found.
    pub names: Vec<String>,
    /// The memories that are about it.
    pub erased: Vec<AboutMemory>,
    /// The memories that are left.
    pub left: Vec<LeftMemory>,
    /// How many of the erased ones were `current`, had `ended` or were `retired`.
    pub states: BTreeMap<String, u64>,
    /// What keeps their bytes in the service's files for now.
    pub wipe_pending: Option<WipePending>,
}
