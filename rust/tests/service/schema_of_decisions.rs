//! The types of what people decide against the JSON Schemas that the service publishes.

use std::collections::BTreeSet;

use ai_memory::Instant;
use ai_memory::values::*;
use serde_json::{Value, json};

use crate::schema::{check_answer, check_request, compare, feedback, record, schemas, text, texts, validate, when};

#[test]
fn requests_of_people_who_decide_have_the_fields_of_their_schemas() {
    let proposals = ProposalsOf {
        namespace: "n".into(),
        states: ProposalState::ALL.to_vec(),
        kinds: ProposalKind::ALL.to_vec(),
        about: text(),
        ids: texts(),
        limit: Some(5),
    };
    check_request("ProposalsRequest", &proposals);
    let propose = Propose {
        other: Some("mem_2".to_owned()),
        reason: text(),
        confidence: Some(0.75),
        namespace: "n".into(),
        ..Propose::new("mem_1", ProposalKind::Update)
    };
    check_request("ProposeRequest", &propose);
    let decide = Decide {
        namespace: "n".into(),
        kind: Some(ProposalKind::Expiry),
        valid_to: when(),
        until: when(),
        note: text(),
        ..Decide::new("pro_1", Choice::Accept)
    };
    check_request("DecideRequest", &decide);
    check_request(
        "FeedbackRequest",
        &Judge { note: text(), namespace: "n".into(), ..Judge::new("mem_1", Verdict::Wrong) },
    );
    let consolidate = Consolidate {
        session: text(),
        topic: text(),
        context: Some("work".to_owned()),
        user: text(),
        sentences: Some(3),
        dry_run: Some(false),
        namespace: "n".into(),
    };
    check_request("ConsolidateRequest", &consolidate);
    let jobs = JobsOf {
        namespace: Some("n".into()),
        kinds: vec!["erase_expired".to_owned()],
        states: JobStatus::ALL.to_vec(),
        ids: texts(),
        limit: Some(5),
    };
    check_request("JobsRequest", &jobs);
    check_request("SteerJobRequest", &SteerJob { id: "job_1".into(), action: Steer::Allow });
    let about = ForgetAbout {
        about: "Anna Schmidt".to_owned(),
        namespace: "n".into(),
        user: text(),
        also: texts(),
        keep: texts(),
        reason: text(),
        dry_run: Some(false),
        allow_share: Some(0.5),
    };
    check_request("ForgetAboutRequest", &about);
}

fn proposal() -> Proposal {
    Proposal {
        id: "pro_1".into(),
        namespace: "n".into(),
        kind: ProposalKind::Contradiction,
        memory_id: "mem_1".into(),
        other_id: text(),
        confidence: 0.75,
        reason: "why".into(),
        state: ProposalState::Undone,
        made_at: Instant::from("2026-03-14T09:30:00Z"),
        made_by: Actor::Extraction,
        until: when(),
        decided_at: when(),
        decided_by: Some(Actor::Person),
        note: text(),
        revision: Some(2),
        relation_id: text(),
    }
}

#[test]
fn answers_to_people_who_decide_have_the_fields_of_their_schemas() {
    let proposed =
        Proposed { proposal: proposal(), memory: record(), other: Some(record()), accepting: "It ends.".into() };
    check_answer("Proposed", &proposed);
    check_answer("Proposals", &Proposals { proposals: vec![proposed], total: 1 });
    check_answer("Judged", &Judged { feedback: feedback(), proposal: Some(proposal()) });
    let digest = Digest {
        user: text(),
        title: "t".into(),
        text: "A text".into(),
        sources: texts(),
        outcome: Some(Outcome::Superseded),
        memory_id: text(),
        reason: text(),
    };
    let repeated = Repeated {
        id: "mem_1".into(),
        of: "mem_2".into(),
        confidence: 0.75,
        reason: "why".into(),
        proposal: Some(proposal()),
    };
    let value = ChangedValue {
        id: "mem_1".into(),
        text: "A text".into(),
        since: Instant::from("2026-03-14T09:30:00Z"),
        until: when(),
    };
    // A list of lists has no single type to compare by; its items are compared by themselves.
    check_answer("ChangedValue", &value);
    compare(&schemas(), "Digest", &json!(digest));
    compare(&schemas(), "Repeated", &json!(repeated));
    let consolidated = Consolidated {
        dry_run: false,
        memories: 3,
        digests: vec![digest],
        repeated: vec![repeated],
        changed: vec![vec![value]],
    };
    let written = json!(consolidated);
    validate("Consolidated", &written);
    let fields = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(fields(&written), fields(&schemas()["Consolidated"]["properties"]));
    assert_eq!(serde_json::from_value::<Consolidated>(written).expect("and back"), consolidated);
    let job = JobView {
        id: "job_1".into(),
        kind: "erase_expired".into(),
        state: JobStatus::Held,
        namespace: text(),
        about: text(),
        due: Some(3),
        done: Some(1),
        total: Some(5),
        message: text(),
        mend: text(),
        steered_by: Some(Actor::Person),
        ran_at: when(),
        created_at: Instant::from("2026-03-14T09:30:00Z"),
        updated_at: Instant::from("2026-03-14T09:30:00Z"),
    };
    check_answer("Jobs", &Jobs { jobs: vec![job], total: 1, paused: true, paused_by: Some(Actor::Person) });
    let erased = AboutMemory {
        id: "mem_1".into(),
        text: text(),
        written: "Anna".into(),
        how: "part".into(),
        place: "title".into(),
        earlier: true,
    };
    let left =
        LeftMemory { id: "mem_2".into(), text: "A".into(), written: "Annabel".into(), why: "longer_name".into() };
    let about = ForgottenAbout {
        about: "Anna".into(),
        forgotten: 1,
        dry_run: true,
        names: texts(),
        erased: vec![erased],
        left: vec![left],
        states: [("current".to_owned(), 1)].into(),
        wipe_pending: Some(WipePending { since: when(), why: "why".into() }),
    };
    check_answer("ForgottenAbout", &about);
}
