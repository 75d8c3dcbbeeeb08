//! What Rust adds to Python's own time, and whether threads that call singly are grouped.
//!
//! Both sides are measured in the same samples, one call after the other in changing order, so that whatever else the machine does
//! meets both. Python's own time is taken inside Python. criterion drives the samples and reports the Rust side; the pairs go to
//! the file that AI_MEMORY_PAIRS names, from which `benchmarks/rust.py` makes the figures.

use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use ai_memory::python::with_python;
use ai_memory::{EmbeddingOptions, EmbeddingService, Embeddings, Side};
use criterion::{Criterion, SamplingMode};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::{Value, json};

const BATCH: usize = 50;
const THREADS: usize = 8;

/// The Python side: the same model opened once more, and a clock around each kind of call.
const PYTHON: &std::ffi::CStr = c"
from time import perf_counter_ns
from ai_memory import EmbeddingModel

def timed(call):
    begun = perf_counter_ns()
    call()
    return perf_counter_ns() - begun

def sides(options, text, texts):
    model = EmbeddingModel(**options)
    cached = EmbeddingModel(**options, cache=True)
    cached.embed_query(text)
    return {
        'crossing': lambda: timed(lambda: cached.embed_query(text)),
        'single': lambda: timed(lambda: model.embed_query(text)),
        'batch': lambda: timed(lambda: model.embed_documents(texts)),
    }
";

struct Python(Py<PyAny>);

impl Python {
    fn new(text: &str, texts: &[&str]) -> Self {
        let sides = with_python(|py| {
            let names = PyDict::new(py);
            py.run(PYTHON, Some(&names), None)?;
            let options = PyDict::new(py);
            options.set_item("threads", 1)?;
            let function = names.get_item("sides")?.expect("it was defined");
            Ok(function.call1((options, text, texts))?.unbind())
        });
        Self(sides.expect("the model opens in Python"))
    }

    /// Python's own time of one call.
    fn time(&self, kind: &str) -> Duration {
        let nanoseconds = with_python(|py| self.0.bind(py).get_item(kind)?.call0()?.extract::<u64>());
        Duration::from_nanos(nanoseconds.expect("Python's call succeeds"))
    }
}

fn timed(call: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    call();
    begun.elapsed()
}

/// Run two sides in turn; the samples as [calls, nanoseconds of the peer, nanoseconds of Rust].
fn pair(
    criterion: &mut Criterion,
    name: &str,
    samples: usize,
    peer: impl Fn() -> Duration,
    rust: impl Fn() -> Duration,
) -> Value {
    let mut pairs = Vec::new();
    let mut group = criterion.benchmark_group("rust");
    group.sample_size(samples).sampling_mode(SamplingMode::Flat).measurement_time(Duration::from_secs(12));
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|calls| {
            let (mut theirs, mut ours) = (Duration::ZERO, Duration::ZERO);
            for call in 0..calls {
                if call % 2 == 0 {
                    theirs += peer();
                    ours += rust();
                } else {
                    ours += rust();
                    theirs += peer();
                }
            }
            pairs.push([u128::from(calls), theirs.as_nanos(), ours.as_nanos()]);
            ours
        });
    });
    group.finish();
    // The first samples are criterion's warm-up.
    let measured = pairs.split_off(pairs.len().saturating_sub(samples));
    json!({"name": name, "samples": measured.iter().map(|sample| sample.map(|n| n as u64)).collect::<Vec<_>>()})
}

/// All texts, singly, by threads that take the next one.
fn by_threads(model: &EmbeddingService, texts: &[&str]) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(text) = texts.get(next.fetch_add(1, Ordering::Relaxed)) {
                    black_box(model.embed_document(text, None).expect("embedded"));
                }
            });
        }
    });
}

fn main() {
    let options = || EmbeddingOptions { threads: Some(1), ..EmbeddingOptions::default() };
    let model = EmbeddingService::open(&options()).expect("the model opens");
    let cached = EmbeddingService::open(&EmbeddingOptions { cache: true, ..options() }).expect("the model opens");
    let text = "what did we decide about the map tiles in the spring?";
    let texts: Vec<String> = (0..4 * BATCH)
        .map(|number| {
            format!("Note {number}: {}", "the gateway restarts at noon and nobody minds. ".repeat(1 + number % 4))
        })
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let batch = &texts[..BATCH];
    let python = Python::new(text, batch);
    model.warm_up().expect("it runs");

    let mut criterion = Criterion::default().configure_from_args();
    let documents = |texts: &[&str]| drop(black_box(model.embed_batch(texts, Side::Documents).expect("embedded")));
    let pairs = [
        pair(
            &mut criterion,
            "crossing",
            60,
            || python.time("crossing"),
            || timed(|| drop(black_box(cached.embed_query(text, None)))),
        ),
        pair(
            &mut criterion,
            "single",
            60,
            || python.time("single"),
            || timed(|| drop(black_box(model.embed_query(text, None)))),
        ),
        pair(&mut criterion, "batch", 20, || python.time("batch"), || timed(|| documents(batch))),
        pair(
            &mut criterion,
            "threads",
            10,
            || timed(|| texts.chunks(BATCH).for_each(documents)),
            || timed(|| by_threads(&model, &texts)),
        ),
    ];
    if let Some(file) = env::var_os("AI_MEMORY_PAIRS") {
        let info = model.info().expect("known");
        let whole = json!({"model": info.name, "dtype": info.dtype, "texts": texts.len(), "batch": BATCH, "threads": THREADS, "pairs": pairs});
        fs::write(file, whole.to_string()).expect("the pairs are written");
    }
    criterion.final_summary();
}
