//! Remembers a folder of notes, and recalls what answers a question.
//!
//! ```text
//! notes remember FOLDER     every .md and .txt file in it and below; what is known already is not kept twice
//! notes recall QUESTION
//! ```
//!
//! The memories lie in a store of their own, `ai-memory-notes.db` in the folder for temporary files.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, io};

use ai_memory::values::{Draft, MemoryType, Recall, RememberMany};
use ai_memory::{Memories, Memory, MemoryOptions};

/// Notes that are sent at once.
const BATCH: usize = 100;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["remember", folder] => remember(Path::new(folder)),
        ["recall", words @ ..] if !words.is_empty() => recall(&words.join(" ")),
        _ => Err("usage: notes remember FOLDER | notes recall QUESTION".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("notes: {error}");
            ExitCode::FAILURE
        }
    }
}

fn open() -> ai_memory::Result<Memory> {
    let store = env::temp_dir().join("ai-memory-notes.db");
    Memory::open(&MemoryOptions { store: Some(store), ..MemoryOptions::default() })
}

fn remember(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let mut files = Vec::new();
    find_notes(folder, &mut files)?;
    files.sort();
    let memory = open()?;
    for part in files.chunks(BATCH) {
        let drafts: Vec<Draft> = part.iter().map(|file| draft(folder, file)).collect::<io::Result<_>>()?;
        let memories: Vec<Draft> = drafts.into_iter().filter(|draft| !draft.text.trim().is_empty()).collect();
        if memories.is_empty() {
            continue;
        }
        let receipts = memory.remember_many(&RememberMany { memories, ..RememberMany::default() })?;
        for (outcome, count) in &receipts.counts {
            println!("{count} {outcome}");
        }
    }
    let by_meaning = memory.settle(None)?;
    println!("found by {}", if by_meaning { "words and meaning" } else { "words alone: ai-memory model fetch" });
    Ok(())
}

fn recall(question: &str) -> Result<(), Box<dyn std::error::Error>> {
    let answer = open()?.recall(&Recall { limit: Some(3), ..Recall::new(question) })?;
    for hit in &answer.hits {
        let source = hit.memory.source.as_deref().unwrap_or("");
        let passage: String =
            hit.passage.text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(160).collect();
        println!("{}. {:.0} % {source}\n   {passage}", hit.rank, hit.confidence * 100.0);
    }
    if let Some(reason) = &answer.reason {
        println!("{reason}");
    }
    Ok(())
}

fn find_notes(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in
        fs::read_dir(folder).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", folder.display())))?
    {
        let (path, kind) = (entry.as_ref().map(|entry| entry.path()), entry.as_ref().map(|entry| entry.file_type()));
        let (Ok(path), Ok(Ok(kind))) = (path, kind) else { continue };
        if kind.is_dir() {
            find_notes(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "md" || extension == "txt") {
            files.push(path);
        }
    }
    Ok(())
}

/// A note as a memory: its first heading is the title, its path below the folder the source.
fn draft(folder: &Path, file: &Path) -> io::Result<Draft> {
    let text = fs::read_to_string(file)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", file.display())))?;
    let title = text.lines().find_map(|line| line.strip_prefix("# ")).map(str::to_owned);
    let source = file.strip_prefix(folder).unwrap_or(file).display().to_string();
    Ok(Draft { title, source: Some(source), kind: Some(MemoryType::Documentation), ..Draft::new(text) })
}
