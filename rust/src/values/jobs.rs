//! Background jobs, and what is summed up.

use serde::{Deserialize, Serialize};

use super::answers::{Actor, Outcome};
use super::inbox::Proposal;
use super::{Namespace, is_default, words};
use crate::instant::Instant;

words! {
    /// How a piece of background work is.
    JobStatus {
        /// It goes on by itself.
        Waiting,
        /// A process works on it.
        Running,
        /// The brake has stopped it, and a person is to decide.
        Held,
        /// Somebody has stopped it for now.
        Paused,
        /// It has ended.
        Done,
        /// It has failed, and is tried again.
        Failed,
        /// Somebody has ended it.
        Cancelled,
    }
}

words! {
    /// What is to become of a job.
    Steer {
        /// It stops after what it is doing, until it is resumed.
        Pause,
        /// It goes on.
        Resume,
        /// It ends, so that nothing waits for a person any longer.
        Cancel,
        /// One that the brake has stopped does once what waits now.
        Allow,
    }
}

/// Which jobs to list, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobsOf {
    /// Only jobs of this namespace. Default: those of the whole store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<Namespace>,
    /// Only jobs of one of these kinds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<String>,
    /// Only jobs in one of these states.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<JobStatus>,
    /// Only the jobs with these ids.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<String>,
    /// At most this many, the newest, 1 to 1,000. Default: 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// One job. `due` and `done` count decisions of its last run, `total` those since it was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobView {
    /// Its id (`job_…`).
    pub id: String,
    /// What it does.
    pub kind: String,
    /// How it is.
    pub state: JobStatus,
    /// Where it works; `None` for one of the whole store.
    pub namespace: Option<String>,
    /// The backup that is checked, or the model that is fetched.
    pub about: Option<String>,
    /// How much there was to do, or waits; `None` for a kind that does not say so.
    pub due: Option<u64>,
    /// How much is done.
    pub done: Option<u64>,
    /// How much was done since it was made.
    pub total: Option<u64>,
    /// Why it waits, or what makes it fail.
    pub message: Option<String>,
    /// Of one that waits for a person: the ways out.
    pub mend: Option<String>,
    /// Who paused, resumed, cancelled or allowed it last.
    pub steered_by: Option<Actor>,
    /// When its last run began.
    pub ran_at: Option<Instant>,
    /// When it was made.
    pub created_at: Instant,
    /// When it last changed.
    pub updated_at: Instant,
}

/// The newest jobs first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Jobs {
    /// The jobs.
    pub jobs: Vec<JobView>,
    /// How many match.
    pub total: u64,
    /// Whether all that decide by themselves are paused, or switched off by a setting.
    pub paused: bool,
    /// Who paused them.
    pub paused_by: Option<Actor>,
}

/// The job, and what is to become of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SteerJob {
    /// The job's id (`job_…`), or `all` to pause or resume all that decide.
    pub id: String,
    /// What is to become of it.
    pub action: Steer,
}

/// What to sum up: a session, a topic or a context. Nothing is written unless `dry_run` is `Some(false)`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Consolidate {
    /// The memories of this session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The memories that answer this, a question or a few words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// The memories in this context path or below it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// Only memories of this user. Default: those of each user apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// At most this many sentences in a digest, 1 to 50. Default: 8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sentences: Option<u32>,
    /// Whether only to show what would be written and proposed. Default: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    /// The namespace to work in.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: Namespace,
}

/// What some memories say, in sentences of their own, each with the number of its source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Digest {
    /// The user whose memories they are.
    pub user: Option<String>,
    /// Its heading.
    pub title: String,
    /// The sentences, in order of time.
    pub text: String,
    /// The ids of the memories that are cited, by number from 1.
    pub sources: Vec<String>,
    /// What became of it; `None` in a dry run.
    pub outcome: Option<Outcome>,
    /// The insight that holds it.
    pub memory_id: Option<String>,
    /// Of one that was refused: why.
    pub reason: Option<String>,
}

/// A memory that says what an earlier one says; it is proposed to retire it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Repeated {
    /// Its id.
    pub id: String,
    /// The earlier one, which stays.
    pub of: String,
    /// How sure that is, in [0, 1].
    pub confidence: f64,
    /// Why.
    pub reason: String,
    /// What was proposed; `None` in a dry run.
    pub proposal: Option<Proposal>,
}

/// One value of a fact that changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChangedValue {
    /// The memory that says it.
    pub id: String,
    /// What it says.
    pub text: String,
    /// When it began.
    pub since: Instant,
    /// When the next value began; `None` for the one that holds.
    pub until: Option<Instant>,
}

/// What some memories come to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Consolidated {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// How many memories were looked at.
    pub memories: u64,
    /// A digest for each user.
    pub digests: Vec<Digest>,
    /// What repeats what.
    pub repeated: Vec<Repeated>,
    /// The facts that changed: for each its values, the oldest first.
    pub changed: Vec<Vec<ChangedValue>>,
}
