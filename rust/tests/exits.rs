//! Processes that end in every way: none may hang, none may crash, and no acknowledged write may be lost.
//!
//! A program of its own, without the test harness, because what is tested is how `main` ends. It runs itself once in each way;
//! `scripts/rust exits 100` in 100 processes, the ways in turn.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio, exit};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;
use std::{env, fs, mem, thread};

use ai_memory::values::{List, Remember};
use ai_memory::{Async, EmbeddingOptions, EmbeddingService, Embeddings, Error, Memories, Memory, MemoryOptions, Side};
use serde_json::{Map, Value};

/// Set in a child: the way in which it ends.
const WAY: &str = "AI_MEMORY_TEST_EXIT";
const FOLDER: &str = "AI_MEMORY_TEST_EXIT_FOLDER";
/// What each way must end with. Seconds of patience are for a machine that is busy; a hang lasts for ever.
const WAYS: &[(&str, i32)] = &[
    ("returned", 0),
    ("kept", 0),
    ("while loading", 0),
    ("while embedding", 3),
    ("by another thread", 5),
    ("while writing", 4),
    ("panicked", 101),
    ("runtime", 0),
];
const PATIENCE: Duration = Duration::from_secs(120);

fn main() -> ExitCode {
    if let Ok(way) = env::var(WAY) {
        return child(&way, Path::new(&env::var_os(FOLDER).expect("the parent gives a folder")));
    }
    let times = env::args().nth(1).and_then(|times| times.parse().ok()).unwrap_or(WAYS.len());
    let folder = env::temp_dir().join(format!("ai-memory-exits-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder for temporary files");
    let failed =
        (0..times).map(|number| WAYS[number % WAYS.len()]).filter(|(way, code)| !ends(way, *code, &folder)).count();
    let lost = lost(&folder);
    fs::remove_dir_all(&folder).ok();
    println!("{times} processes ended: {failed} hung or crashed, {lost} acknowledged writes lost");
    if failed == 0 && lost == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether a child of its own ends in this way, in time and with the right code. What it acknowledged is written down.
fn ends(way: &str, code: i32, folder: &Path) -> bool {
    let mut child = Command::new(env::current_exe().expect("this program has a path"))
        .env(WAY, way)
        .env(FOLDER, folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(if way == "panicked" { Stdio::null() } else { Stdio::inherit() })
        .spawn()
        .expect("this program runs");
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let (told, ended) = channel();
    let acknowledged = folder.join("acknowledged");
    let reader = thread::spawn(move || {
        let kept: Vec<String> = lines.map_while(Result::ok).collect();
        told.send(()).ok();
        let before = fs::read_to_string(&acknowledged).unwrap_or_default();
        fs::write(acknowledged, before + &kept.iter().map(|id| format!("{id}\n")).collect::<String>())
            .expect("written");
    });
    let hung = ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout);
    if hung {
        child.kill().ok();
    }
    let status = child.wait().expect("its state is known");
    reader.join().expect("its output is read");
    let right = !hung && status.code() == Some(code);
    if !right {
        println!("{way}: {} with {status}, {code} was expected", if hung { "hung" } else { "ended" });
    }
    right
}

/// How many memories that were acknowledged are not in the store.
fn lost(folder: &Path) -> usize {
    let text = fs::read_to_string(folder.join("acknowledged")).unwrap_or_default();
    let acknowledged: BTreeSet<&str> = text.lines().collect();
    let memory = open_store(folder);
    let mut found = BTreeSet::new();
    let mut asked = List { limit: Some(1000), ..List::default() };
    loop {
        let page = memory.list(&asked).expect("listed");
        found.extend(page.memories.into_iter().map(|memory| memory.id));
        match page.cursor {
            Some(cursor) => asked.cursor = Some(cursor),
            None => break,
        }
    }
    println!("{} writes acknowledged, {} memories in the store", acknowledged.len(), found.len());
    acknowledged.iter().filter(|id| !found.contains(**id)).count()
}

fn model() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the repository");
    root.join(".cache/models/all-MiniLM-L6-v2").display().to_string()
}

fn open_model(folder: &Path) -> EmbeddingService {
    let options =
        EmbeddingOptions { model: Some(model()), data_dir: Some(PathBuf::from(folder)), ..EmbeddingOptions::default() };
    let model = EmbeddingService::open(&options).expect("the model opens");
    model.warm_up().expect("it runs");
    model
}

fn open_store(folder: &Path) -> Memory {
    let settings = Map::from_iter([("model".to_owned(), Value::from(model()))]);
    let options = MemoryOptions { store: Some(folder.join("memory.db")), data_dir: Some(folder.into()), settings };
    Memory::open(&options).expect("the store opens")
}

/// Write until the process ends, which closes the store; every id is printed once it is acknowledged.
fn write(memory: &Memory) {
    for number in 0.. {
        let text = format!("memory {number} of process {}", std::process::id());
        match memory.remember(&Remember::new(text)) {
            Ok(receipt) => println!("{}", receipt.memory_id.expect("it is new")),
            Err(Error::Unavailable(_)) => return,
            Err(error) => panic!("{error}"),
        }
    }
}

fn child(way: &str, folder: &Path) -> ExitCode {
    match way {
        "returned" => drop(open_model(folder)),
        "kept" => {
            let (model, memory) = (open_model(folder), open_store(folder));
            println!(
                "{}",
                memory
                    .remember(&Remember::new(format!("kept {}", std::process::id())))
                    .expect("kept")
                    .memory_id
                    .expect("an id")
            );
            mem::forget((model, memory));
        }
        "while loading" => {
            let memory = open_store(folder); // its own thread loads the model once a vector is owed
            println!(
                "{}",
                memory
                    .remember(&Remember::new(format!("loading {}", std::process::id())))
                    .expect("kept")
                    .memory_id
                    .expect("an id")
            );
            mem::forget(memory);
        }
        "while embedding" | "by another thread" => {
            let model: &'static EmbeddingService = Box::leak(Box::new(open_model(folder)));
            for _ in 0..2 {
                thread::spawn(|| {
                    model.embed_batch(&["many words and many more words of one note"; 2_000], Side::Documents)
                });
            }
            thread::sleep(Duration::from_millis(100));
            if way == "while embedding" {
                exit(3);
            }
            thread::spawn(|| exit(5)).join().expect("the process has ended");
        }
        "while writing" => {
            let memory: &'static Memory = Box::leak(Box::new(open_store(folder)));
            for _ in 0..3 {
                thread::spawn(|| write(memory));
            }
            thread::sleep(Duration::from_millis(300));
            exit(4);
        }
        "panicked" => {
            let _model = open_model(folder);
            panic!("while a model is open");
        }
        "runtime" => {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build().expect("a runtime");
            let memory = Async::new(open_store(folder));
            runtime.block_on(async {
                let call = memory.remember(Remember::new(format!("pending {}", std::process::id())));
                tokio::time::timeout(Duration::ZERO, call).await.ok();
            });
        }
        other => panic!("there is no way {other}"),
    }
    ExitCode::SUCCESS
}
