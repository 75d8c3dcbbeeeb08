//! The types of this crate against the JSON Schemas and the table of operations that the service publishes.

use std::collections::{BTreeMap, BTreeSet};

use ai_memory::values::*;
use ai_memory::{Instant, Method, Operation};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::common::{object, python};

/// The operations of this crate, for Python to choose by.
fn names() -> (&'static str, String) {
    let names: Vec<&str> = Operation::ALL.iter().map(|operation| operation.name).collect();
    ("names", json!(names).to_string())
}

pub(crate) fn schemas() -> Map<String, Value> {
    let all = python(
        "import json\nfrom ai_memory.operations.schema import schemas\nfrom ai_memory.operations.table import BY_NAME\n\
         answer = json.dumps(schemas(BY_NAME[name] for name in json.loads(names)), default=str)",
        &[names()],
    );
    object(all)
}

pub(crate) fn text() -> Option<String> {
    Some("mem_1".to_owned())
}

pub(crate) fn texts() -> Vec<String> {
    vec!["mem_1".to_owned(), "mem_2".to_owned()]
}

pub(crate) fn when() -> Option<Instant> {
    Some(Instant::from("2026-03-14T09:30:00Z"))
}

fn attributes_condition() -> Attributes {
    Map::from_iter([("attributes.price".to_owned(), json!({"$lt": 10}))])
}

fn attributes() -> Attributes {
    Map::from_iter([("steps".to_owned(), json!(["one"]))])
}

fn draft() -> Draft {
    Draft {
        text: "A text".to_owned(),
        kind: Some(MemoryType::ProblemSolution),
        title: text(),
        author: text(),
        key: text(),
        user: text(),
        agent: text(),
        session: text(),
        context: "work/atlas".to_owned(),
        tags: texts(),
        importance: Some(0.25),
        confidence: Some(0.5),
        attributes: attributes(),
        source: text(),
        valid_from: when(),
        valid_to: when(),
        expires_at: when(),
        ttl: text(),
        pinned: true,
        supersedes: texts(),
    }
}

fn selection() -> Selection {
    Selection {
        namespace: "n".into(),
        user: texts(),
        agent: texts(),
        session: texts(),
        types: MemoryType::ALL.to_vec(),
        context: "work".to_owned(),
        tags: texts(),
        any_tags: texts(),
        without_tags: texts(),
        author: texts(),
        keys: texts(),
        ids: texts(),
        pinned: Some(true),
        occurred_after: when(),
        occurred_before: when(),
        recorded_after: when(),
        recorded_before: when(),
        min_importance: 0.5,
        min_confidence: 0.5,
        condition: Some(attributes_condition()),
        as_of: when(),
        known_at: when(),
        expires_before: when(),
        include_expired: Some(true),
        include_ended: Some(true),
        now: when(),
    }
}

/// A request with every field given: its JSON has the schema's fields, all of them and no others, it is valid, it comes back
/// from JSON as it was, and the operation's own type takes it.
pub(crate) fn check_request<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(name: &str, whole: &T) {
    let written = serde_json::to_value(whole).expect("requests are JSON");
    compare(&schemas(), name, &written);
    validate(name, &written);
    assert_eq!(&serde_json::from_value::<T>(written).expect("and back"), whole);
}

/// What is sent where nothing is given: nothing but the fields that the operation demands, which are those of `bare`.
fn check_bare(name: &str, bare: &impl Serialize) {
    let written = serde_json::to_value(bare).expect("requests are JSON");
    let sent: BTreeSet<&str> = written.as_object().expect("an object").keys().map(String::as_str).collect();
    let schemas = schemas();
    let required = schemas[name]["required"].as_array().map_or(&[][..], Vec::as_slice);
    assert_eq!(sent, required.iter().filter_map(Value::as_str).collect(), "{name}");
}

/// An answer with every field given: as a request, in the other direction.
pub(crate) fn check_answer<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(name: &str, whole: &T) {
    check_request(name, whole);
    let mut newer = serde_json::to_value(whole).expect("answers are JSON");
    newer["a_field_of_a_newer_service"] = json!({"any": 1});
    assert_eq!(&serde_json::from_value::<T>(newer).expect("it is passed over"), whole);
}

/// The fields of each object against the properties of its schema, all the way down.
pub(crate) fn compare(schemas: &Map<String, Value>, name: &str, value: &Value) {
    let properties = schemas[name]["properties"].as_object().unwrap_or_else(|| panic!("{name} has properties"));
    let fields = value.as_object().unwrap_or_else(|| panic!("{name} is written as {value}"));
    let ours: BTreeSet<&String> = fields.keys().collect();
    assert_eq!(ours, properties.keys().collect::<BTreeSet<_>>(), "the fields of {name}");
    for (field, value) in fields {
        for inner in references(&properties[field]) {
            if schemas[&inner].get("properties").is_some() {
                let items = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
                assert!(!items.is_empty() && !value.is_null(), "{name}.{field} shows nothing of {inner}");
                items.iter().for_each(|item| compare(schemas, &inner, item));
            }
        }
    }
}

/// The types that a field's schema refers to.
fn references(schema: &Value) -> Vec<String> {
    match schema {
        Value::Object(parts) => parts
            .iter()
            .flat_map(|(key, part)| match (key.as_str(), part.as_str()) {
                ("$ref", Some(place)) => vec![place.rsplit('/').next().unwrap_or(place).to_owned()],
                _ => references(part),
            })
            .collect(),
        Value::Array(parts) => parts.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

/// The service's own types read the value: types, ranges, patterns and unknown fields are checked by them.
pub(crate) fn validate(name: &str, value: &Value) {
    let code = "import json, msgspec\nfrom ai_memory.operations.schema import _structs_within\n\
        from ai_memory.operations.table import BY_NAME\n\
        ours = [BY_NAME[each] for each in json.loads(names)]\n\
        kind = _structs_within(kind for each in ours for kind in (each.request, each.response))[name]\n\
        read = msgspec.json.decode(given.encode(), type=kind)\n\
        answer = json.dumps(sorted(kind.__struct_fields__))";
    let fields = python(code, &[names(), ("name", name.to_owned()), ("given", value.to_string())]);
    assert!(!fields.as_array().expect("field names").is_empty());
}

#[test]
fn requests_have_the_fields_of_their_schemas() {
    let key = text();
    check_request("Draft", &draft());
    let remember = Remember {
        draft: draft(),
        namespace: "n".into(),
        reinstate: true,
        on_conflict: Some(OnConflict::Keep),
        wait: true,
        idempotency_key: key.clone(),
    };
    check_request("RememberRequest", &remember);
    let many = RememberMany {
        memories: vec![draft()],
        namespace: "n".into(),
        reinstate: true,
        on_conflict: Some(OnConflict::Supersede),
        wait: true,
        idempotency_key: key.clone(),
    };
    check_request("RememberManyRequest", &many);
    let recall = Recall {
        query: "q".to_owned(),
        selection: selection(),
        limit: Some(3),
        min_score: Some(0.5),
        min_relevance: 0.5,
        max_tokens: Some(100),
        layers: Layer::ALL.to_vec(),
        explain: true,
        recipe: Some(Recipe::Meaning),
        format: Some(AnswerFormat::Context),
    };
    check_request("RecallRequest", &recall);
    check_request("GetRequest", &Get { id: "mem_1".into(), namespace: "n".into(), as_of: when(), known_at: when() });
    check_request(
        "ListRequest",
        &List {
            selection: selection(),
            limit: Some(3),
            cursor: text(),
            order: Some(Order::Oldest),
            retired: Some(true),
            expiring: Some("7d".to_owned()),
            stale: Some("90d".to_owned()),
        },
    );
    let revise = Revise {
        id: "mem_1".to_owned(),
        namespace: "n".into(),
        text: text(),
        kind: Some(MemoryType::Code),
        title: Change::Set("t".to_owned()),
        author: Change::Set("a".to_owned()),
        key: Change::Set("k".to_owned()),
        context: text(),
        tags: Some(texts()),
        importance: Some(0.5),
        confidence: Some(0.5),
        attributes: Some(attributes()),
        source: Change::Set("s".to_owned()),
        valid_from: Change::Set(Instant::from("2026-03-14T09:30:00Z")),
        valid_to: Change::Clear,
        expires_at: Change::Clear,
        ttl: text(),
        pinned: Some(true),
        reason: text(),
        if_revision: Some(2),
        wait: true,
        idempotency_key: key.clone(),
    };
    check_request("ReviseRequest", &revise);
    let retire = Retire {
        id: "mem_1".into(),
        namespace: "n".into(),
        reason: text(),
        if_revision: Some(1),
        idempotency_key: key.clone(),
    };
    check_request("RetireRequest", &retire);
    let forget = Forget {
        id: "mem_1".into(),
        namespace: "n".into(),
        reason: text(),
        if_revision: Some(1),
        idempotency_key: key.clone(),
    };
    check_request("ForgetRequest", &forget);
    let relate = Relate {
        source: "mem_1".to_owned(),
        target: "mem_2".to_owned(),
        kind: Some("CAUSES".to_owned()),
        namespace: "n".into(),
        weight: Some(0.5),
        attributes: attributes(),
        evidence: text(),
        valid_from: when(),
        valid_to: when(),
        idempotency_key: key,
    };
    check_request("RelateRequest", &relate);
    check_request("UnrelateRequest", &Unrelate { id: "rel_1".into(), namespace: "n".into() });
    let near = NeighboursOf {
        id: "mem_1".into(),
        namespace: "n".into(),
        depth: Some(2),
        types: texts(),
        kinds: texts(),
        as_of: when(),
        known_at: when(),
        limit: Some(5),
    };
    check_request("NeighboursRequest", &near);
    let changes = ChangesOf {
        facets: Facets {
            namespace: "n".into(),
            user: texts(),
            agent: texts(),
            session: texts(),
            types: MemoryType::ALL.to_vec(),
            context: "work".to_owned(),
            tags: texts(),
            any_tags: texts(),
            without_tags: texts(),
            author: texts(),
            keys: texts(),
            ids: texts(),
            pinned: Some(false),
        },
        since: Some("2 weeks".to_owned()),
        until: Some("1 week".to_owned()),
        axis: Some(Axis::Valid),
        limit: Some(5),
        cursor: text(),
    };
    check_request("ChangesRequest", &changes);
    check_request("HistoryRequest", &HistoryOf { id: "mem_1".into(), namespace: "n".into() });
}

#[test]
fn what_is_not_given_is_not_sent() {
    check_bare("Draft", &Draft::new("t"));
    check_bare("RememberRequest", &Remember::new("t"));
    check_bare("RememberManyRequest", &RememberMany::default());
    check_bare("RecallRequest", &Recall::new("q"));
    check_bare("GetRequest", &Get::default());
    check_bare("ListRequest", &List::default());
    check_bare("ReviseRequest", &Revise::default());
    check_bare("RetireRequest", &Retire::default());
    check_bare("ForgetRequest", &Forget::default());
    check_bare("RelateRequest", &Relate::default());
    check_bare("UnrelateRequest", &Unrelate::default());
    check_bare("NeighboursRequest", &NeighboursOf::default());
    check_bare("ChangesRequest", &ChangesOf::default());
    check_bare("HistoryRequest", &HistoryOf::default());
    check_bare("ProposalsRequest", &ProposalsOf::default());
    check_bare("ProposeRequest", &Propose::new("mem_1", ProposalKind::Expiry));
    check_bare("DecideRequest", &Decide::new("pro_1", Choice::Undo));
    check_bare("FeedbackRequest", &Judge::new("mem_1", Verdict::Useful));
    check_bare("ConsolidateRequest", &Consolidate::default());
    check_bare("JobsRequest", &JobsOf::default());
    check_bare("SteerJobRequest", &SteerJob { id: "all".into(), action: Steer::Pause });
    check_bare("ForgetAboutRequest", &ForgetAbout::default());
}

pub(crate) fn record() -> MemoryRecord {
    let draft = draft();
    MemoryRecord {
        id: "mem_1".to_owned(),
        namespace: "n".to_owned(),
        user: text(),
        agent: text(),
        session: text(),
        kind: MemoryType::Insight,
        context: draft.context,
        title: text(),
        author: text(),
        key: text(),
        text: draft.text,
        tags: texts(),
        importance: 0.5,
        confidence: 0.5,
        attributes: attributes(),
        source: text(),
        valid_from: when(),
        valid_to: when(),
        expires_at: when(),
        pinned: true,
        created_at: Instant::from("2026-03-14T09:30:00Z"),
        recorded_at: Instant::from("2026-03-14T09:30:00Z"),
        retired_at: when(),
        retired_reason: text(),
        revision: 3,
        content_hash: "0".repeat(64),
        actor: Actor::Agent,
    }
}

fn relation() -> Relation {
    Relation {
        id: "rel_1".to_owned(),
        namespace: "n".to_owned(),
        source: "mem_1".to_owned(),
        target: "ent_1".to_owned(),
        kind: "MENTIONS".to_owned(),
        weight: 0.5,
        attributes: attributes(),
        evidence: text(),
        valid_from: when(),
        valid_to: when(),
        recorded_at: Instant::from("2026-03-14T09:30:00Z"),
        retired_at: when(),
        actor: Actor::Extraction,
    }
}

fn receipt() -> Receipt {
    Receipt {
        outcome: Outcome::DuplicateOf,
        memory_id: text(),
        revision: Some(1),
        actor: Some(Actor::Person),
        supersedes: texts(),
        expires_at: when(),
        code: text(),
        reason: text(),
        searchable: Searchable { words: true, meaning: false },
        differs: texts(),
        contains_forgotten: texts(),
        was_retired: Some(Retirement {
            memory_id: "mem_1".into(),
            retired_at: Instant::from("2026-03-14T09:30:00Z"),
            reason: text(),
        }),
        similar: vec![Similar {
            id: "mem_2".into(),
            kind: SimilarKind::Updates,
            confidence: 0.75,
            reason: "why".into(),
            text: text(),
            proposal: text(),
        }],
    }
}

pub(crate) fn feedback() -> Feedback {
    Feedback {
        id: "fbk_1".into(),
        namespace: "n".into(),
        memory_id: "mem_1".into(),
        verdict: Verdict::Outdated,
        note: text(),
        at: Instant::from("2026-03-14T09:30:00Z"),
        actor: Actor::Agent,
        given: 0.75,
        confidence: 0.5,
    }
}

#[test]
fn answers_have_the_fields_of_their_schemas() {
    check_answer("Receipt", &receipt());
    check_answer("Receipts", &Receipts { receipts: vec![receipt()], counts: [("stored".to_owned(), 1)].into() });
    check_answer("MemoryRecord", &record());
    check_answer("Page", &Page { memories: vec![record()], cursor: text() });
    let change = MemoryChange {
        kind: ChangeKind::Superseded,
        at: Instant::from("2026-03-14T09:30:00Z"),
        actor: Actor::Person,
        memory: Some(record()),
        before: Some(record()),
        differs: texts(),
        superseded_by: text(),
        decision: Some(relation()),
    };
    let changes = Changes {
        since: Instant::from("2026-03-14T09:30:00Z"),
        until: Instant::from("2026-03-15T09:30:00Z"),
        axis: "known".to_owned(),
        counts: BTreeMap::from([("superseded".to_owned(), 1)]),
        changes: vec![change],
        cursor: text(),
    };
    check_answer("Changes", &changes);
    check_answer("History", &History { id: "mem_1".into(), revisions: vec![record()], feedback: vec![feedback()] });
    check_answer(
        "Forgotten",
        &Forgotten {
            forgotten: 2,
            dry_run: true,
            ids: texts(),
            states: [("retired".to_owned(), 2)].into(),
            wipe_pending: Some(WipePending { since: when(), why: "why".into() }),
        },
    );
    check_answer("Relation", &relation());
    let step =
        Neighbour { id: "ent_1".into(), kind: NodeKind::Entity, label: "Mira".into(), relation: relation(), depth: 2 };
    check_answer("Neighbours", &Neighbours { id: "mem_1".into(), neighbours: vec![step] });
    let stage = Stage { name: "dense".into(), value: 1.5, weight: 2.0, contribution: 3.0 };
    let trace = Trace {
        candidates: texts(),
        cosine: Some(0.5),
        bm25: Some(2.5),
        dense_rank: Some(1),
        lexical_rank: Some(2),
        stages: vec![stage.clone()],
        certainty: vec![stage],
        path: texts(),
    };
    let hit = Hit {
        rank: 1,
        memory: record(),
        score: 2.5,
        confidence: 0.5,
        validity: Validity::Uncertain,
        since: when(),
        until: when(),
        superseded_by: text(),
        rivals: vec![Rival {
            id: "mem_2".into(),
            order: RivalOrder::Newer,
            since: Instant::from("2026-03-14T09:30:00Z"),
            certainty: 0.75,
        }],
        passage: PassageText { text: "A".into(), start: 0, end: 1 },
        matched: texts(),
        reasons: texts(),
        copies: Some(Copies {
            count: 12,
            first: Instant::from("2026-03-14T09:30:00Z"),
            last: Instant::from("2026-03-14T09:30:00Z"),
            ids: texts(),
            authors: texts(),
            agents: texts(),
            sessions: 2,
        }),
        moved: Some(Moved {
            given: 0.75,
            verdicts: [("wrong".to_owned(), 1)].into(),
            last: Instant::from("2026-03-14T09:30:00Z"),
        }),
        surroundings: vec![Surrounding { memory: record(), how: "previous".into() }],
        detail: Some(Detail { history: vec![record()], relations: vec![relation()] }),
        trace: Some(trace),
    };
    let answer = Answer {
        question: "q".to_owned(),
        hits: vec![hit],
        abstained: true,
        reason: text(),
        context: text(),
        notices: vec![Notice { code: "words_only".into(), message: "m".into(), mend: text() }],
        searched: Searched { memories: 3, by_words: 2, by_meaning: 1 },
        tokens: 7,
        asked: Some(Asked {
            words: vec![AskedWord { text: "word".into(), share: 0.5 }],
            phrases: texts(),
            times: vec![AskedTime { since: when(), until: when() }],
            filters: [("context".to_owned(), "work".to_owned())].into(),
            candidates: 5,
            origins: [("dense".to_owned(), 4)].into(),
            trusted: text(),
        }),
        recipe: "balanced".to_owned(),
        answer_hash: "0".to_owned(),
        took_ms: 1.5,
    };
    check_answer("Answer", &answer);
}

#[test]
fn words_are_those_of_the_schemas() {
    let schemas = schemas();
    let theirs = |schema: &Value| -> BTreeSet<String> {
        schema["enum"].as_array().expect("an enumeration").iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    fn ours<T: Serialize>(all: &[T]) -> BTreeSet<String> {
        all.iter().filter_map(|word| serde_json::to_value(word).ok()?.as_str().map(str::to_owned)).collect()
    }
    assert_eq!(ours(MemoryType::ALL), theirs(&schemas["MemoryType"]));
    assert_eq!(ours(Outcome::ALL), theirs(&schemas["Outcome"]));
    assert_eq!(ours(Actor::ALL), theirs(&schemas["Actor"]));
    assert_eq!(ours(OnConflict::ALL), theirs(&schemas["OnConflict"]));
    assert_eq!(ours(SimilarKind::ALL), theirs(&schemas["SimilarKind"]));
    assert_eq!(ours(Verdict::ALL), theirs(&schemas["Verdict"]));
    assert_eq!(ours(ProposalKind::ALL), theirs(&schemas["ProposalKind"]));
    assert_eq!(ours(ProposalState::ALL), theirs(&schemas["ProposalState"]));
    assert_eq!(ours(JobStatus::ALL), theirs(&schemas["JobStatus"]));
    assert_eq!(ours(Choice::ALL), theirs(&schemas["DecideRequest"]["properties"]["decision"]));
    assert_eq!(ours(Steer::ALL), theirs(&schemas["SteerJobRequest"]["properties"]["action"]));
    assert_eq!(ours(Layer::ALL), theirs(&schemas["Layer"]));
    assert_eq!(ours(Validity::ALL), theirs(&schemas["Hit"]["properties"]["validity"]));
    assert_eq!(ours(RivalOrder::ALL), theirs(&schemas["Rival"]["properties"]["order"]));
    assert_eq!(ours(NodeKind::ALL), theirs(&schemas["Neighbour"]["properties"]["kind"]));
    assert_eq!(ours(Recipe::ALL), theirs(&schemas["RecallRequest"]["properties"]["recipe"]));
    assert_eq!(ours(AnswerFormat::ALL), theirs(&schemas["RecallRequest"]["properties"]["format"]));
    assert_eq!(ours(Order::ALL), theirs(&schemas["ListRequest"]["properties"]["order"]));
}

#[test]
fn words_of_the_embedder_are_the_packages() {
    let theirs = python(
        "import json\nfrom ai_memory import Task, TooLong\nanswer = json.dumps([list(Task), list(TooLong)])",
        &[],
    );
    let tasks: Vec<&str> = ai_memory::Task::ALL.iter().map(|task| task.as_str()).collect();
    let ways: Vec<&str> = ai_memory::TooLong::ALL.iter().map(|way| way.as_str()).collect();
    assert_eq!(theirs, json!([tasks, ways]));
    assert_eq!(json!(ai_memory::Task::ALL), json!(tasks));
}

#[test]
fn operations_live_where_the_service_has_them() {
    let table = python(
        "import json\nfrom ai_memory.operations.table import OPERATIONS\n\
         answer = json.dumps({each.name: [each.route.method, each.route.path, each.effect == 'read'] for each in OPERATIONS})",
        &[],
    );
    for Operation { name, method, path, reads } in Operation::ALL {
        assert_eq!(table[name], json!([method.as_str(), path, reads]), "{name}");
    }
    assert_eq!(Method::Patch.as_str(), "PATCH");
}
