//! The embedder: its vectors are Python's, bit for bit, from any number of threads.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use ai_memory::python::{Interpreter, with_python};
use ai_memory::{EmbeddingOptions, EmbeddingService, Embeddings, Error, Side, Task, TooLong, Vectors};
use pyo3::prelude::*;

use crate::common::{ROOT, embedder, embedding_options, model_folder};

const TEXTS: &[&str] =
    &["We ship on Fridays.", "", "кошка спит", "猫が寝ている", "emoji 👩🏽‍🚀 and שלום", "nul \0 inside", "e\u{301}"];

/// The same calls in a Python process of its own; the bits of each answer in hexadecimal.
const IN_PYTHON: &str = "
import json, sys
from ai_memory import EmbeddingModel
texts = json.loads(sys.argv[3])
with EmbeddingModel(sys.argv[1], data_dir=sys.argv[2], threads=1) as model:
    answers = [
        model.embed_query(texts[0], task='fact_checking'),
        model.embed_documents(texts[:1], titles=['A title']),
        model.embed_queries(texts),
        model.embed_documents(texts),
        model.embed_documents(texts, titles=[None, 'b', '', 'd', 'e', None, 'g']),
        model.embed(texts),
    ]
print(json.dumps([answer.astype('<f4').tobytes().hex() for answer in answers]))
";

fn bits(values: &[f32]) -> String {
    values.iter().flat_map(|value| value.to_le_bytes()).map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn vectors_are_bit_equal_to_those_of_a_python_process() {
    let interpreter = Interpreter::find().expect("there is a Python");
    let done = Command::new(interpreter.executable)
        .args(["-c", IN_PYTHON])
        .arg(model_folder())
        .arg(ROOT.join(".cache"))
        .arg(serde_json::to_string(TEXTS).expect("texts are JSON"))
        .output()
        .expect("Python runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let expected: Vec<String> = serde_json::from_slice(&done.stdout).expect("an answer");

    let model = embedder();
    let titles = [None, Some("b"), Some(""), Some("d"), Some("e"), None, Some("g")];
    let batch = |side| model.embed_batch(TEXTS, side).expect("the batch is embedded");
    let ours = [
        bits(&model.embed_query(TEXTS[0], Some(Task::FactChecking)).expect("a query")),
        bits(&model.embed_document(TEXTS[0], Some("A title")).expect("a document")),
        bits(batch(Side::Queries(Task::Retrieval)).as_slice()),
        bits(batch(Side::Documents).as_slice()),
        bits(batch(Side::TitledDocuments(&titles)).as_slice()),
        bits(batch(Side::Queries(Task::None)).as_slice()),
    ];
    assert_eq!(ours.as_slice(), expected);
}

#[test]
fn vectors_are_unit_rows_in_order() {
    let made = embedder().embed_batch(TEXTS, Side::Documents).expect("the batch is embedded");
    assert_eq!((made.len(), made.dimension(), made.rows().len()), (TEXTS.len(), 384, TEXTS.len()));
    for row in made.rows() {
        let length: f64 = row.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
        assert!((length - 1.0).abs() < 1e-5, "a row is {length} long");
    }
    assert_eq!(made.row(2), made.rows().nth(2));
    assert_eq!(made.row(TEXTS.len()), None);
}

#[test]
fn no_texts_give_no_rows() {
    let none = embedder().embed_batch(&[], Side::Documents).expect("nothing is embedded");
    assert_eq!((none.len(), none.dimension(), none.is_empty()), (0, 384, true));
    assert_eq!(embedder().similarity(&none, &none).expect("nothing is compared").as_slice(), &[] as &[f32]);
}

#[test]
fn titles_are_one_a_text() {
    let error = embedder().embed_batch(&["a", "b"], Side::TitledDocuments(&[None])).expect_err("a title is missing");
    assert!(
        matches!(&error, Error::InvalidInput(problem) if problem.message.contains("2 texts have 1 titles")),
        "{error}"
    );
}

#[test]
fn dimensions_are_those_of_the_model() {
    let model = embedder();
    assert_eq!(model.supported_dimensions().expect("known"), [384]);
    assert!(model.is_dimension_supported(384).expect("known"));
    for wrong in [0, 383, usize::MAX] {
        assert!(!model.is_dimension_supported(wrong).expect("known"));
    }
    let asked = EmbeddingOptions { dimension: Some(200), ..embedding_options() };
    assert_eq!(EmbeddingService::open(&asked).expect_err("200 is none of them").code(), "invalid_input");
}

#[test]
fn info_says_what_runs() {
    let info = embedder().info().expect("known");
    assert_eq!((info.name.as_str(), info.dimension, info.max_tokens), ("all-MiniLM-L6-v2", 384, 256));
    assert_eq!(info.revision.len(), 64);
    let local = info.local.expect("it runs here");
    assert_eq!((local.folder, local.device.as_str(), local.licence.as_str()), (model_folder(), "cpu", "Apache-2.0"));
    assert!(local.prompts.contains_key("titled_document"));
}

#[test]
fn similarity_is_that_of_python() {
    let model = embedder();
    let made = model.embed_batch(TEXTS, Side::Documents).expect("the batch is embedded");
    let ours = model.similarity(&made, &made).expect("they can be compared");
    let theirs: Vec<f32> = with_python(|py| {
        let rows: Vec<Vec<f32>> = made.rows().map(<[f32]>::to_vec).collect();
        let array = py.import("numpy")?.call_method1("asarray", (rows, "float32"))?;
        let class = py.import("ai_memory")?.getattr("EmbeddingModel")?;
        // `similarity` looks at nothing of the model, so an instance that was never filled serves as one.
        let bare = class.call_method1("__new__", (&class,))?;
        bare.call_method1("similarity", (&array, &array))?.call_method0("ravel")?.call_method0("tolist")?.extract()
    })
    .expect("Python compares them");
    assert_eq!(ours.columns(), TEXTS.len());
    for (ours, theirs) in ours.as_slice().iter().zip(&theirs) {
        assert!((ours - theirs).abs() < 1e-6, "{ours} and {theirs}");
    }
    assert_eq!(ours.as_slice().len(), theirs.len());
    assert_eq!((ours.get(0, TEXTS.len()), ours.get(TEXTS.len(), 0)), (None, None));
    assert!(ours.get(3, 3).expect("the diagonal") > 0.999_999);
}

#[test]
fn what_has_no_direction_cannot_be_compared() {
    let model = embedder();
    let one = |values: &[f32]| Vectors::new(values.to_vec(), 1, values.len()).expect("one row");
    for wrong in [one(&[0.0, 0.0]), one(&[f32::NAN, 1.0]), one(&[f32::INFINITY, 1.0]), one(&[1.0, 0.0, 0.0])] {
        let error = model.similarity(&one(&[1.0, 0.0]), &wrong).expect_err("no cosine");
        assert_eq!(error.code(), "invalid_input", "{error}");
    }
    assert!(Vectors::new(vec![1.0; 5], 2, 3).is_err());
    assert!(Vectors::new(vec![], usize::MAX, 2).is_err());
}

#[test]
fn too_long_a_text_is_refused_or_cut_or_covered_as_was_asked() {
    let long = "memory ".repeat(1_000);
    let error = embedder().embed_query(&long, None).expect_err("too long");
    let Error::TooLarge(problem) = &error else { panic!("{error:?}") };
    assert!(problem.details["limit"].as_u64().expect("a limit") <= 256, "{problem:?}");
    for policy in [TooLong::Truncate, TooLong::Windows] {
        let options = EmbeddingOptions { too_long: Some(policy), ..embedding_options() };
        let made = EmbeddingService::open(&options).expect("opens").embed_document(&long, None).expect("embedded");
        assert_eq!(made.len(), 384);
    }
}

#[test]
fn eight_threads_get_what_one_gets() {
    let texts: Vec<String> = (0..64).map(|number| format!("note {number} of the eight threads")).collect();
    let alone: Vec<Vec<f32>> = texts.iter().map(|text| embedder().embed_query(text, None).expect("embedded")).collect();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|first| {
                let (texts, alone) = (&texts, &alone);
                scope.spawn(move || {
                    for at in (first..texts.len()).step_by(8).chain(0..8) {
                        let made = embedder().embed_query(&texts[at], None).expect("embedded");
                        let cosine: f32 = made.iter().zip(&alone[at]).map(|(a, b)| a * b).sum();
                        assert!(cosine > 0.999_99, "text {at} has another vector in company: {cosine}");
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().expect("no thread fails");
        }
    });
}

#[test]
fn other_threads_go_on_in_python_while_the_model_runs() {
    let texts: Vec<String> = (0..60).map(|number| format!("{number} {}", "words and more words ".repeat(20))).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    embedder().warm_up().expect("loaded");
    let ended = AtomicBool::new(false);
    let calls = thread::scope(|scope| {
        scope.spawn(|| {
            embedder().embed_batch(&texts, Side::Documents).expect("embedded");
            ended.store(true, Ordering::SeqCst);
        });
        let mut calls = 0_u32;
        while !ended.load(Ordering::SeqCst) {
            with_python(|py| py.eval(c"1 + 1", None, None)?.extract::<u32>()).expect("Python answers");
            calls += 1;
        }
        calls
    });
    assert!(calls > 50, "only {calls} calls came through while the model ran");
}

#[test]
fn a_closed_model_says_so() {
    let model = EmbeddingService::open(&embedding_options()).expect("opens");
    model.close().expect("closes");
    model.close().expect("closes again");
    assert_eq!(model.embed_query("a", None).expect_err("closed").code(), "embedder_unavailable");
}
