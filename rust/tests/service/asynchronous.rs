//! The async methods: bounded, and what becomes of a call whose future is dropped.

#![cfg(feature = "tokio")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ai_memory::values::{Forget, Get, List, Recall, Remember};
use ai_memory::{Async, EmbeddingService, Embeddings, Error, Task};
use tokio::sync::oneshot;

use crate::common::{embedder, embedding_options, store};

#[tokio::test(flavor = "multi_thread")]
async fn a_life_in_async() {
    let (_folder, memory) = store("none");
    let memory = Async::new(memory);
    let id = memory.remember(Remember::new("the kettle is green")).await.expect("kept").memory_id.expect("an id");
    let answer = memory.recall(Recall::new("kettle")).await.expect("answered");
    assert_eq!(answer.hits[0].memory.id, id);
    assert_eq!(memory.forget(Forget { id: id.clone(), ..Forget::default() }).await.expect("forgotten").forgotten, 1);
    let error = memory.get(Get { id, ..Get::default() }).await.expect_err("gone");
    assert_eq!(error.code(), "not_found");
}

#[tokio::test]
async fn vectors_are_those_of_the_blocking_methods() {
    let model = Async::new(EmbeddingService::open(&embedding_options()).expect("opens"));
    let text = "one text";
    assert_eq!(model.embed_query(text, None).await, embedder().embed_query(text, None));
    assert_eq!(model.embed_document(text, Some("t".into())).await, embedder().embed_document(text, Some("t")));
    let two = vec![text.to_owned(), "another".to_owned()];
    assert_eq!(model.embed_documents(two.clone()).await.expect("embedded").len(), 2);
    assert_eq!(model.embed_queries(two, Task::Clustering).await.expect("embedded").len(), 2);
    assert_eq!(model.info().await.expect("known").name, "all-MiniLM-L6-v2");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_calls_at_a_time_than_the_limit() {
    let (_folder, memory) = store("none");
    let memory = Async::with_limit(memory, 3);
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let calls: Vec<_> = (0..24)
        .map(|number| {
            let (memory, now, most) = (memory.clone(), now.clone(), most.clone());
            tokio::spawn(async move {
                memory
                    .run(move |memory| {
                        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        let kept = ai_memory::Memories::remember(memory, &Remember::new(format!("number {number}")));
                        now.fetch_sub(1, Ordering::SeqCst);
                        kept
                    })
                    .await
            })
        })
        .collect();
    for call in calls {
        call.await.expect("no call panics").expect("kept");
    }
    assert!((1..=3).contains(&most.load(Ordering::SeqCst)));
    assert_eq!(memory.list(List { limit: Some(100), ..List::default() }).await.expect("listed").memories.len(), 24);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_was_dropped_before_it_began_is_never_carried_out() {
    let (_folder, memory) = store("none");
    let memory = Async::with_limit(memory, 1);
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let (began, begun) = oneshot::channel();
    let busy = tokio::spawn({
        let memory = memory.clone();
        async move {
            memory
                .run(move |_| {
                    began.send(()).ok();
                    wait.recv().ok();
                    Ok(())
                })
                .await
        }
    });
    begun.await.expect("the only place is taken");

    let ran = Arc::new(AtomicBool::new(false));
    let waiting = tokio::spawn({
        let (memory, ran) = (memory.clone(), ran.clone());
        async move {
            memory
                .run(move |_| {
                    ran.store(true, Ordering::SeqCst);
                    Ok(())
                })
                .await
        }
    });
    tokio::task::yield_now().await;
    waiting.abort();
    assert!(waiting.await.expect_err("aborted").is_cancelled());
    go.send(()).expect("the first call waits");
    busy.await.expect("no panic").expect("it ends");
    memory.run(|_| Ok(())).await.expect("the place is free again");
    assert!(!ran.load(Ordering::SeqCst));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_was_dropped_after_it_began_is_finished() {
    let (_folder, memory) = store("none");
    let memory = Async::with_limit(memory, 1);
    let (began, begun) = oneshot::channel();
    let call = tokio::spawn({
        let memory = memory.clone();
        async move {
            memory
                .run(move |memory| {
                    began.send(()).ok();
                    ai_memory::Memories::remember(memory, &Remember::new("written though nobody waits"))
                })
                .await
        }
    });
    begun.await.expect("it has begun");
    call.abort();
    call.await.ok(); // cancelled, or done before it could be
    let listed = memory.list(List::default()).await.expect("its place is free once it has ended");
    assert_eq!(listed.memories[0].text, "written though nobody waits");
}

#[tokio::test]
async fn an_embedding_that_is_aborted_leaves_the_model_usable() {
    let model = Async::with_limit(EmbeddingService::open(&embedding_options()).expect("opens"), 2);
    let texts: Vec<String> = (0..100).map(|number| format!("{number} {}", "many words ".repeat(50))).collect();
    let long = tokio::spawn({
        let model = model.clone();
        async move { model.embed_documents(texts).await }
    });
    tokio::task::yield_now().await;
    long.abort();
    assert!(long.await.expect_err("aborted").is_cancelled());
    assert_eq!(model.embed_query("and on", None).await.expect("embedded").len(), 384);
}

#[tokio::test]
async fn a_panic_in_the_pool_is_an_error_and_frees_its_place() {
    let (_folder, memory) = store("none");
    let memory = Async::with_limit(memory, 1);
    let error = memory.run(|_| -> ai_memory::Result<()> { panic!("in the pool") }).await.expect_err("it panicked");
    assert!(matches!(error, Error::Internal(_)), "{error}");
    memory.run(|_| Ok(())).await.expect("the place is free");
}
