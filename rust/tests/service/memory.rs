//! A store in this process, from remembering to forgetting.

use std::thread;

use ai_memory::values::{
    Change, Choice, Consolidate, Decide, Draft, Forget, ForgetAbout, Get, HistoryOf, JobsOf, Judge, Layer, List,
    MemoryType, NeighboursOf, Outcome, ProposalKind, ProposalState, ProposalsOf, Propose, Recall, Relate, Remember,
    RememberMany, Retire, Revise, Selection, Steer, SteerJob, Unrelate, Validity, Verdict,
};
use ai_memory::{Error, Instant, Memories};
use serde_json::json;

use crate::common::{model_folder, object, open_store, store};

#[test]
fn a_memory_comes_back_as_it_was_written() {
    let (folder, memory) = store("none");
    let draft = Draft {
        kind: Some(MemoryType::Procedural),
        title: Some("Релиз 🚀".to_owned()),
        author: Some("Lena".to_owned()),
        user: Some("u".to_owned()),
        agent: Some("a".to_owned()),
        session: Some("s".to_owned()),
        context: "work/atlas".to_owned(),
        tags: vec!["release".to_owned(), "שלום, a".to_owned()],
        importance: Some(0.25),
        confidence: Some(0.75),
        attributes: object(json!({"steps": ["build", "ship"], "mine": {"nested": [1, null, 2.5]}})),
        source: Some("notes/release.md".to_owned()),
        valid_from: Some(Instant::from("2026-03-14")),
        valid_to: Some(Instant::from("2999-01-01T00:00:00+01:00")),
        ..Draft::new("Ship on Fridays.\nنص 👩🏽‍🚀")
    };
    let receipt = memory.remember(&draft.clone().into()).expect("kept");
    assert_eq!((receipt.outcome, receipt.revision), (Outcome::Stored, Some(1)));
    let id = receipt.memory_id.expect("stored memories have an id");

    memory.close().expect("closes");
    let memory = open_store(&folder, "none").expect("opens again");
    let found = memory.get(&Get { id: id.clone(), ..Get::default() }).expect("still there");
    assert_eq!((found.id, found.text, found.kind), (id, draft.text, MemoryType::Procedural));
    assert_eq!((found.title, found.author, found.source), (draft.title, draft.author, draft.source));
    assert_eq!((found.user, found.agent, found.session), (draft.user, draft.agent, draft.session));
    assert_eq!((found.context, found.tags), (draft.context, draft.tags));
    assert_eq!((found.importance, found.confidence), (0.25, 0.75));
    assert_eq!(found.attributes["mine"], json!({"nested": [1, null, 2.5]}));
    assert_eq!(found.valid_from, Some(Instant::from("2026-03-14T00:00:00Z")));
    assert_eq!(found.valid_to, Some(Instant::from("2998-12-31T23:00:00Z")));
}

#[test]
fn what_a_person_decides() {
    let (_folder, memory) = store("none");
    let keep = |text: &str| memory.remember(&Remember::new(text)).expect("kept").memory_id.expect("an id");
    let (old, new) = (keep("Mira lives in Ghent"), keep("Mira lives in Bruges"));
    let proposed = memory
        .propose(&Propose { other: Some(new.clone()), ..Propose::new(old.as_str(), ProposalKind::Update) })
        .expect("proposed");
    let about = ProposalsOf { about: Some(old.clone()), ..ProposalsOf::default() };
    let open = memory.proposals(&about).expect("listed");
    assert_eq!((open.total, open.proposals[0].proposal.state), (1, ProposalState::Open));
    let decided = memory.decide(&Decide::new(proposed.proposal.id.as_str(), Choice::Accept)).expect("decided");
    assert_eq!((decided.proposal.state, decided.other.map(|other| other.id)), (ProposalState::Accepted, Some(new)));
    assert!(decided.memory.valid_to.is_some(), "the old value has ended");
    let undone = memory.decide(&Decide::new(proposed.proposal.id.as_str(), Choice::Undo)).expect("undone");
    assert_eq!((undone.proposal.state, undone.memory.valid_to), (ProposalState::Undone, None));

    let judged = memory.feedback(&Judge::new(old.as_str(), Verdict::Outdated)).expect("judged");
    assert_eq!(judged.proposal.map(|proposal| proposal.kind), Some(ProposalKind::Expiry));
    let unknown = memory.decide(&Decide::new("pro_unknown", Choice::Reject));
    assert!(matches!(unknown, Err(Error::NotFound(_))), "{unknown:?}");

    let paused = memory.steer_job(&SteerJob { id: "all".into(), action: Steer::Pause }).expect("paused");
    assert!(paused.paused);
    memory.steer_job(&SteerJob { id: "all".into(), action: Steer::Resume }).expect("resumed");
    assert!(!memory.jobs(&JobsOf::default()).expect("listed").paused);

    let sum = Consolidate { topic: Some("Mira".to_owned()), ..Consolidate::default() };
    let summed = memory.consolidate(&sum).expect("summed up");
    assert!(summed.dry_run && summed.memories == 2 && !summed.digests[0].text.is_empty(), "{summed:?}");

    let about = ForgetAbout { about: "Mira".to_owned(), allow_share: Some(1.0), ..ForgetAbout::default() };
    let shown = memory.forget_about(&about).expect("shown");
    assert_eq!((shown.dry_run, shown.forgotten), (true, 2));
    let erased = memory.forget_about(&ForgetAbout { dry_run: Some(false), ..about }).expect("erased");
    assert_eq!((erased.dry_run, erased.forgotten), (false, 2));
    assert!(memory.list(&List::default()).expect("listed").memories.is_empty());
}

#[test]
fn every_operation_of_a_life() {
    let (_folder, memory) = store(&model_folder().display().to_string());
    let waiting = |text: &str| Remember { wait: true, ..Remember::new(text) };
    let first = memory.remember(&waiting("Mira is allergic to hazelnuts")).expect("kept");
    assert!(first.searchable.words && first.searchable.meaning, "{first:?}");
    let id = first.memory_id.expect("an id");
    let again = memory.remember(&waiting("Mira is allergic to hazelnuts")).expect("answered");
    assert_eq!((again.outcome, again.memory_id.as_ref()), (Outcome::DuplicateOf, Some(&id)));
    let many = RememberMany {
        memories: vec![Draft::new("The tiles lie in Frankfurt"), Draft::new("We ship on Fridays")],
        ..RememberMany::default()
    };
    let receipts = memory.remember_many(&many).expect("kept");
    assert_eq!((receipts.receipts.len(), receipts.counts["stored"]), (2, 2));
    assert!(memory.settle(None).expect("settles"));

    let asked = Recall {
        explain: true,
        layers: vec![Layer::Semantic, Layer::Contextual, Layer::Detailed],
        ..Recall::new("which nuts must she not eat?")
    };
    let answer = memory.recall(&asked).expect("answered");
    let best = &answer.hits[0];
    assert_eq!((best.memory.id.as_str(), best.validity, best.rank), (id.as_str(), Validity::Current, 1));
    assert!(best.trace.as_ref().is_some_and(|trace| trace.cosine.is_some()), "found by meaning: {best:?}");
    assert_eq!(best.detail.as_ref().map(|detail| detail.history.len()), Some(1));
    assert_eq!(memory.recall(&asked).expect("answered").answer_hash, answer.answer_hash);

    let change = Revise {
        id: id.clone(),
        text: Some("Mira is allergic to hazelnuts and walnuts".to_owned()),
        title: Change::Set("Allergies".to_owned()),
        if_revision: Some(1),
        ..Revise::default()
    };
    assert_eq!(memory.revise(&change).expect("revised").revision, Some(2));
    let cleared = Revise { id: id.clone(), title: Change::Clear, ..Revise::default() };
    assert_eq!(memory.revise(&cleared).expect("revised").revision, Some(3));
    let history = memory.history(&HistoryOf { id: id.clone(), ..HistoryOf::default() }).expect("there");
    let titles: Vec<Option<&str>> = history.revisions.iter().map(|revision| revision.title.as_deref()).collect();
    assert_eq!(titles, [None, Some("Allergies"), None]);

    let edge = Relate {
        source: id.clone(),
        target: "entity:person/Mira".to_owned(),
        kind: Some("MENTIONS".to_owned()),
        ..Relate::default()
    };
    let relation = memory.relate(&edge).expect("related");
    let near = memory.neighbours(&NeighboursOf { id: id.clone(), ..NeighboursOf::default() }).expect("there");
    assert_eq!(near.neighbours[0].label, "Mira");
    let ended = memory.unrelate(&Unrelate { id: relation.id, ..Unrelate::default() }).expect("ended");
    assert!(ended.retired_at.is_some());

    let shipping = receipts.receipts[1].memory_id.clone().expect("an id");
    memory
        .retire(&Retire { id: shipping, reason: Some("no longer".to_owned()), ..Retire::default() })
        .expect("retired");
    let page = memory.list(&List { limit: Some(1), ..List::default() }).expect("listed");
    let rest = memory.list(&List { limit: Some(9), cursor: page.cursor, ..List::default() }).expect("listed");
    assert_eq!((page.memories.len(), rest.memories.len(), rest.cursor), (1, 1, None));

    assert_eq!(memory.forget(&Forget { id: id.clone(), ..Forget::default() }).expect("forgotten").forgotten, 1);
    assert_eq!(memory.get(&Get { id, ..Get::default() }).expect_err("gone").code(), "not_found");
    let refused = memory.remember(&Remember::new("Mira is allergic to hazelnuts and walnuts")).expect("a receipt");
    assert_eq!((refused.outcome, refused.memory_id), (Outcome::Rejected, None));
    assert_eq!(refused.code.as_deref(), Some("forgotten"));
}

#[test]
fn no_question_crosses_a_namespace() {
    let (_folder, memory) = store("none");
    let walled = Remember { namespace: "other".into(), ..Remember::new("behind the wall") };
    memory.remember(&walled).expect("kept");
    assert!(memory.recall(&Recall::new("behind the wall")).expect("answered").hits.is_empty());
    let selection = Selection { namespace: "other".into(), ..Selection::default() };
    let inside = memory.recall(&Recall { selection, ..Recall::new("behind the wall") }).expect("answered");
    assert_eq!(inside.hits.len(), 1);
}

#[test]
fn eight_threads_write_and_all_is_there() {
    let (_folder, memory) = store("none");
    let write = |number: usize| {
        let receipt = memory.remember(&Remember::new(format!("memory number {number} of the threads"))).expect("kept");
        assert_eq!(receipt.outcome, Outcome::Stored);
    };
    thread::scope(|scope| {
        let threads: Vec<_> =
            (0..8).map(|first| scope.spawn(move || (0..5).for_each(|at| write(first * 5 + at)))).collect();
        for thread in threads {
            thread.join().expect("no thread fails");
        }
    });
    let page = memory.list(&List { limit: Some(1_000), ..List::default() }).expect("listed");
    assert_eq!(page.memories.len(), 40);
}

#[test]
fn a_closed_store_answers_with_an_error() {
    let (_folder, memory) = store("none");
    memory.close().expect("closes");
    memory.close().expect("closes again");
    let error = memory.remember(&Remember::new("too late")).expect_err("closed");
    assert!(matches!(error, Error::Unavailable(_) | Error::Store(_)), "{error:?}");
}
