//! The same traits against a running service: the same answers, the same errors.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant as Moment};
use std::{env, fs, thread};

use ai_memory::python::Interpreter;
use ai_memory::remote::{RemoteEmbeddings, RemoteMemory, RemoteOptions};
use ai_memory::values::{Change, Draft, Forget, Get, List, Outcome, Recall, Remember, Revise, Selection};
use ai_memory::{Embeddings, Error, Memories, Side, Task, TooLong};
use serde_json::Value;

use crate::common::{Folder, embedder, model_folder};

/// A service in a process of its own; it ends with this value.
struct Served {
    process: Child,
    url: String,
    _folder: Folder,
}

impl Served {
    fn new(model: &str, more: &[(&str, &str)]) -> Self {
        let folder = Folder::new();
        let mut command = Command::new(Interpreter::find().expect("there is a Python").executable);
        command.args(["-c", "from ai_memory.cli import main; main()", "serve", "--port", "0"]);
        env::vars().filter(|(name, _)| name.starts_with("AI_MEMORY_")).for_each(|(name, _)| {
            command.env_remove(name);
        });
        command.env("AI_MEMORY_DATA_DIR", &folder.0).env("AI_MEMORY_MODEL", model).envs(more.iter().copied());
        let process =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        let mut served = Self { process, url: String::new(), _folder: folder };
        served.url = served.address();
        served
    }

    /// The address in the file by which programs find the service of a data folder.
    fn address(&mut self) -> String {
        let begun = Moment::now();
        while begun.elapsed() < Duration::from_secs(120) {
            let file = fs::read(self._folder.join("service.json")).unwrap_or_default();
            if let Some(url) =
                serde_json::from_slice::<Value>(&file).ok().and_then(|said| said["url"].as_str().map(str::to_owned))
            {
                return url;
            }
            assert!(self.process.try_wait().expect("its state is known").is_none(), "the service ended");
            thread::sleep(Duration::from_millis(50));
        }
        panic!("the service did not start");
    }

    fn options(&self) -> RemoteOptions {
        RemoteOptions { url: self.url.clone(), ..RemoteOptions::default() }
    }

    fn memory(&self, api_key: Option<&str>) -> RemoteMemory {
        let options = RemoteOptions { api_key: api_key.map(str::to_owned), ..self.options() };
        RemoteMemory::connect(&options).expect("an address")
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

#[test]
fn a_life_over_http() {
    let served = Served::new("none", &[]);
    let memory = served.memory(None);
    let draft =
        Draft {
            tags: vec!["a,b".to_owned()], context: "work/ü".to_owned(), ..Draft::new("The kettle is green 👩🏽‍🚀")
        };
    let id = memory.remember(&draft.into()).expect("kept").memory_id.expect("an id");
    assert_eq!(memory.get(&Get { id: id.clone(), ..Get::default() }).expect("there").text, "The kettle is green 👩🏽‍🚀");
    assert_eq!(memory.recall(&Recall::new("kettle")).expect("answered").hits[0].memory.id, id);
    let tagged = |tag: &str| {
        let selection = Selection { tags: vec![tag.to_owned()], context: "work/ü".to_owned(), ..Selection::default() };
        memory.list(&List { selection, ..List::default() }).expect("listed").memories.len()
    };
    assert_eq!((tagged("a,b"), tagged("a")), (1, 0));
    let change = Revise { id: id.clone(), title: Change::Set("Kettle".to_owned()), ..Revise::default() };
    assert_eq!(memory.revise(&change).expect("revised").revision, Some(2));
    assert_eq!(memory.forget(&Forget { id: id.clone(), ..Forget::default() }).expect("forgotten").forgotten, 1);
    assert_eq!(memory.get(&Get { id, ..Get::default() }).expect_err("gone").code(), "not_found");
    let refused = memory.remember(&Remember::new("The kettle is green 👩🏽‍🚀")).expect("a receipt, as in process");
    assert_eq!(refused.outcome, Outcome::Rejected);
    let error = memory.remember(&Remember::new(" ")).expect_err("blank");
    assert!(error.code() == "invalid_input" && error.problem().details.contains_key("request_id"), "{error:?}");
    let odd = memory.get(&Get { id: "a/../b?c#d".to_owned(), ..Get::default() }).expect_err("no such id");
    assert_eq!(odd.code(), "not_found");
}

#[test]
fn keys_open_their_namespaces() {
    let served = Served::new("none", &[("AI_MEMORY_API_KEYS", r#"{"mine": ["secret"]}"#)]);
    let code = |key: Option<&str>| {
        let asked = Recall::new("anything");
        served.memory(key).recall(&asked).expect_err("refused").code().to_owned()
    };
    assert_eq!(code(None), "unauthorized");
    assert_eq!(code(Some("wrong")), "unauthorized");
    assert_eq!(code(Some("secret")), "forbidden");
    let selection = Selection { namespace: "mine".into(), ..Selection::default() };
    let inside = Recall { selection, ..Recall::new("anything") };
    assert!(served.memory(Some("secret")).recall(&inside).expect("opened").hits.is_empty());
    let locked = RemoteEmbeddings::connect(&served.options(), TooLong::Error).expect("an address");
    assert_eq!(locked.embed_query("a", None).expect_err("refused").code(), "unauthorized");
}

#[test]
fn vectors_are_those_of_the_model_in_process() {
    let served = Served::new(&model_folder().display().to_string(), &[("AI_MEMORY_THREADS", "1")]);
    let (there, here) = (RemoteEmbeddings::connect(&served.options(), TooLong::Error).expect("an address"), embedder());
    let texts = ["We ship on Fridays.", "кошка спит"];
    for side in [
        Side::Documents,
        Side::Queries(Task::Retrieval),
        Side::TitledDocuments(&[None, Some("t")]),
        Side::Queries(Task::None),
    ] {
        let (there, here) = (there.embed_batch(&texts, side), here.embed_batch(&texts, side));
        assert_eq!(there, here, "{side:?}");
    }
    assert_eq!(there.embed_query(texts[0], None), here.embed_query(texts[0], None));
    let none = there.embed_batch(&[], Side::Documents).expect("nothing is embedded");
    assert_eq!((none.len(), none.dimension()), (0, 384));
    let (theirs, ours) = (there.info().expect("known"), here.info().expect("known"));
    assert_eq!((theirs.name, theirs.revision, theirs.dimensions), (ours.name, ours.revision, ours.dimensions));
    assert_eq!((theirs.max_tokens, theirs.local), (ours.max_tokens, None));
    let error = there.embed_query(&"memory ".repeat(1_000), None).expect_err("too long");
    assert_eq!(error.code(), "too_large", "{error:?}");
}

#[test]
fn where_nothing_of_ours_answers_it_is_unavailable() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its number").port();
    let to = |url: String, timeout: Duration| {
        RemoteMemory::connect(&RemoteOptions { url, api_key: None, timeout }).expect("an address")
    };
    let nobody =
        to(format!("http://127.0.0.1:{free}"), Duration::from_secs(5)).recall(&Recall::new("a")).expect_err("nobody");
    assert!(
        matches!(&nobody, Error::Unavailable(problem) if problem.hint.as_deref() == Some("start it with: ai-memory serve")),
        "{nobody}"
    );

    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", silent.local_addr().expect("its address"));
    let late = to(url, Duration::from_millis(300)).recall(&Recall::new("a")).expect_err("nobody answers");
    assert!(
        matches!(&late, Error::Unavailable(problem) if problem.message.contains("did not answer within 0.3 s")),
        "{late}"
    );

    let other = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", other.local_addr().expect("its address"));
    let answering = thread::spawn(move || {
        let (mut stream, _) = other.accept().expect("somebody asks");
        let _ = stream.read(&mut [0; 4096]).expect("a request");
        stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 5\r\n\r\nhello").expect("answered");
    });
    let stranger = to(url, Duration::from_secs(5)).recall(&Recall::new("a")).expect_err("not ours");
    assert!(matches!(&stranger, Error::Unavailable(problem) if problem.details["status"] == 404), "{stranger}");
    answering.join().expect("it has answered");
}

#[test]
fn a_broken_connection_is_tried_again_only_where_that_is_safe() {
    let breaking = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", breaking.local_addr().expect("its address"));
    let memory = RemoteMemory::connect(&RemoteOptions { url, ..RemoteOptions::default() }).expect("an address");
    let tries = |call: &(dyn Fn() -> Result<(), Error> + Sync), wanted: usize| {
        thread::scope(|scope| {
            let asked = scope.spawn(call);
            for _ in 0..wanted {
                let (mut stream, _) = breaking.accept().expect("somebody asks");
                let _ = stream.read(&mut [0; 4096]).expect("a request");
            } // the connection is dropped without an answer
            assert_eq!(asked.join().expect("no panic").expect_err("no answer").code(), "unavailable");
        });
        breaking.set_nonblocking(true).expect("set");
        assert!(breaking.accept().is_err(), "there was one try more than {wanted}");
        breaking.set_nonblocking(false).expect("set");
    };
    tries(&|| memory.recall(&Recall::new("a")).map(drop), 2);
    tries(&|| memory.remember(&Remember::new("a")).map(drop), 1);
    tries(&|| memory.remember(&Remember { idempotency_key: Some("k".into()), ..Remember::new("a") }).map(drop), 2);
}

#[test]
fn what_is_no_address_or_key_is_said_at_once() {
    let options = |url: &str, key: Option<&str>| RemoteOptions {
        url: url.into(),
        api_key: key.map(str::to_owned),
        ..RemoteOptions::default()
    };
    for url in ["", "localhost:7677", "ftp://a", "http://"] {
        assert_eq!(RemoteMemory::connect(&options(url, None)).expect_err("refused").code(), "invalid_input", "{url}");
    }
    for key in ["ключ", "a\nb", "a b"] {
        assert_eq!(
            RemoteMemory::connect(&options("http://a", Some(key))).expect_err("refused").code(),
            "invalid_input"
        );
    }
    let odd = RemoteMemory::connect(&options("http://a b:x", None))
        .and_then(|memory| memory.recall(&Recall::new("a")).map(drop));
    assert_eq!(odd.expect_err("refused").code(), "invalid_input");
}
