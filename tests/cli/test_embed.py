"""`ai-memory embed`: every format in and out, what is rejected, and resuming after a kill."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from ai_memory import EmbeddingModel
from ai_memory.bulk.readers import MAX_LINE_BYTES, Fields, InputFormat, count_places, read_places
from ai_memory.bulk.records import CHUNK_CHARACTERS, CHUNK_RECORDS, Record, Rejected, chunked
from ai_memory.cli import main
from ai_memory.installation import install_hint
from tests.support.disk import mounted
from tests.support.tiny_gemma import tiny_gemma
from tests.support.tiny_models import tiny_bert

TEXTS = ["the gateway restarts at noon", "кошка спит", "日本語のテキスト", 'quoted "text", with\tall', "emoji 👩‍👧"]
TITLES = ["Gateway", None, "", "Quotes", "Faces"]


class Ran(NamedTuple):
    code: int
    out: bytes
    err: str


Run = Callable[..., Ran]


@pytest.fixture(scope="module")
def gemma(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_gemma(tmp_path_factory.mktemp("models") / "embeddinggemma-300m")


@pytest.fixture
def run(gemma: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AI_MEMORY_DATA_DIR", str(tmp_path / "data"))

    def running(*words: str, stdin: bytes = b"") -> Ran:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        code = main(["embed", *words, "--model", str(gemma), "--dtype", "float32"])
        captured = capfdbinary.readouterr()
        return Ran(code, captured.out, captured.err.decode())

    return running


def expected(gemma: Path, **options: Any) -> np.ndarray[Any, np.dtype[np.float32]]:
    with EmbeddingModel(gemma, dtype="float32", dimension=options.pop("dimension", None)) as model:
        return model.embed_documents(TEXTS, **options)


def write_input(file: Path) -> Path:
    rows = [{"n": number, "text": text, "name": TITLES[number]} for number, text in enumerate(TEXTS)]
    if file.suffix == ".jsonl":
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    elif file.suffix == ".csv":
        with file.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, ["n", "text", "name"])
            writer.writeheader()
            writer.writerows({key: "" if value is None else value for key, value in row.items()} for row in rows)
    elif file.suffix == ".parquet":
        import pyarrow as pa
        from pyarrow import parquet

        parquet.write_table(pa.Table.from_pylist(rows), file)
    else:
        file.write_text("\n".join(TEXTS), encoding="utf-8")
    return file


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet", ".txt"])
def test_every_input_gives_the_same_vectors(run: Run, gemma: Path, tmp_path: Path, suffix: str) -> None:
    source = write_input(tmp_path / f"in{suffix}")
    ran = run(str(source), "-o", "out.npy")
    assert ran.code == 0, ran.err
    vectors = np.load("out.npy")
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, expected(gemma), atol=1e-5)
    assert b"5 vectors of 768 values" in ran.out
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"in{suffix}", "out.npy"]
    assert count_places(source, InputFormat(suffix[1:] if suffix != ".txt" else "text"), Fields()) == 5


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_titles_and_identifiers(run: Run, gemma: Path, tmp_path: Path, suffix: str) -> None:
    source = write_input(tmp_path / f"in{suffix}")
    assert run(str(source), "-o", "out.jsonl", "--title-field", "name", "--id-field", "n", "--dim", "256").code == 0
    rows = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    assert [row["row"] for row in rows] == [0, 1, 2, 3, 4]
    assert [str(row["id"]) for row in rows] == ["0", "1", "2", "3", "4"]
    assert all(row["cut"] == 0 and row["tokens"] > 2 for row in rows)
    vectors = np.array([row["embedding"] for row in rows], np.float32)
    np.testing.assert_allclose(vectors, expected(gemma, titles=TITLES, dimension=256), atol=1e-5)


def test_parquet_out(run: Run, gemma: Path, tmp_path: Path) -> None:
    from pyarrow import parquet

    source = write_input(tmp_path / "in.jsonl")
    assert run(str(source), "-o", "out.parquet", "--id-field", "n").code == 0
    table = parquet.read_table("out.parquet")
    assert table.column_names == ["row", "id", "tokens", "cut", "embedding"]
    assert table["id"].to_pylist() == ["0", "1", "2", "3", "4"]
    np.testing.assert_allclose(np.array(table["embedding"].to_pylist()), expected(gemma), atol=1e-5)


@pytest.mark.parametrize(
    ("options", "prompt"),
    [
        (("--task", "clustering"), "task: clustering | query: "),
        (("--plain",), ""),
        (("--document",), "title: none | text: "),
    ],
)
def test_the_prompt_is_what_was_asked_for(run: Run, gemma: Path, tmp_path: Path, options: Any, prompt: str) -> None:
    assert run(str(write_input(tmp_path / "in.txt")), "-o", "out.npy", *options).code == 0
    with EmbeddingModel(gemma, dtype="float32") as model:
        np.testing.assert_allclose(np.load("out.npy"), model.embed([prompt + text for text in TEXTS]), atol=1e-5)


def test_a_pipe_gets_json_lines(run: Run, gemma: Path) -> None:
    ran = run("-", "-o", "-", stdin=b'{"text": "a"}\n"a plain text"\n{"text": 3}\n')
    assert ran.code == 4
    rows = [json.loads(line) for line in ran.out.splitlines()]
    assert [row["row"] for row in rows] == [0, 1]
    assert "row 2: the field 'text' is a int, not a string" in ran.err
    assert "1 rejected" in ran.err


def test_every_place_that_gives_no_vector_is_named(run: Run, tmp_path: Path) -> None:
    lines = [
        b'{"text": "fine"}',
        b"",
        b"{broken",
        b"[1, 2]",
        b'{"txt": "no field"}',
        b'{"text": null}',
        b'{"text": "  \\n"}',
        b'{"text": "\xff\xfe"}',
        b'{"text": "' + b"word " * 3000 + b'"}',
        b'{"text": "fine too", "id": 1.5}',
        b'{"text": "nul \\u0000 inside", "id": 99999999999999999999}',
        b'{"text": "nul \\u0000 inside", "id": "\\u202eid"}',
    ]
    Path("in.jsonl").write_bytes(b"\n".join(lines))
    ran = run("in.jsonl", "-o", "out.npy", "--id-field", "id", "--json")
    assert ran.code == 4
    assert json.loads(ran.out) | {"tokens": 0} == {
        "output": "out.npy",
        "vectors": 2,
        "dimension": 768,
        "tokens": 0,
        "cut_texts": 0,
        "rejected": 10,
        "resumed": 0,
    }
    assert np.load("out.npy").shape == (2, 768)
    rejected = [json.loads(line) for line in Path("out.npy.rejected.jsonl").read_text().splitlines()]
    assert [each["row"] for each in rejected] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    reasons = [
        "blank line",
        "not JSON",
        "neither an object nor a string",
        "no field 'text'",
        "is null",
        "the text is blank",
        "not JSON",
        "tokens with its prompt; the model reads 2048",
        "neither a string nor an integer",
        "more than 64 bits",
    ]
    assert all(reason in each["reason"] for each, reason in zip(rejected, reasons, strict=True))
    ran = run("in.jsonl", "-o", "cut.npy", "--too-long", "truncate")
    assert b"1 texts were cut" in ran.out


def test_bad_csv_and_text_are_named(tmp_path: Path) -> None:
    def reasons(data: bytes, kind: InputFormat) -> list[str]:
        places = read_places(io.BytesIO(data), kind, Fields())
        return [each.reason if isinstance(each, Rejected) else "" for each in places]

    assert reasons(b"text\n\xff\xfe\nfine\n", InputFormat.CSV) == ["not UTF-8", ""]
    assert reasons(b"a,text\n1,fine,surplus\n1\n", InputFormat.CSV) == [
        "more cells than the header's 2",
        "the field 'text' is null, not a string",
    ]
    assert reasons(b'\xef\xbb\xbftext\n"two\nlines"\n', InputFormat.CSV) == [""]
    assert reasons(b"fine\r\n\n\xff\n", InputFormat.TEXT) == [
        "",
        "the text is blank",
        "not UTF-8: invalid start byte at byte 0",
    ]
    assert reasons(b"", InputFormat.TEXT) == reasons(b"", InputFormat.JSONL) == []


def test_a_line_that_is_far_too_long_is_not_kept(tmp_path: Path) -> None:
    file = tmp_path / "in.txt"
    with file.open("wb") as stream:
        stream.write(b"first\n")
        stream.seek(2 * MAX_LINE_BYTES + 10)
        stream.write(b"\nlast")
    with file.open("rb") as stream:
        first, long, last = read_places(stream, InputFormat.TEXT, Fields())
    assert (first, last) == (Record(0, "first"), Record(2, "last"))
    assert long == Rejected(1, "a line of more than 64 MiB")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("gone.jsonl", "-o", "out.npy"), 3, "no file gone.jsonl"),
        (("in.data", "-o", "out.npy"), 4, "--input-format jsonl, csv, parquet, text"),
        (("in.txt", "-o", "out.data"), 4, "--output-format npy, jsonl, parquet"),
        (("in.txt", "-o", "out.npy", "--input-format", "xml"), 4, "no input format 'xml'"),
        (("in.txt", "-o", "-", "--output-format", "npy"), 4, "only JSON lines"),
        (("-", "-o", "out.npy", "--input-format", "parquet"), 4, "from a pipe"),
        (("in.txt", "-o", "out.npy", "--task", "search"), 4, "no task 'search'"),
        (("in.txt", "-o", "out.npy", "--task", "retrieval", "--plain"), 2, "not allowed with"),
        (("in.txt", "-o", "out.npy", "--task", "retrieval", "--title-field", "t"), 4, "only documents have titles"),
        (("in.csv", "-o", "out.npy", "--text-field", "body"), 4, "no column 'body'; it has 'n', 'text', 'name'"),
        (("in.txt", "-o", "out.npy", "--dim", "300"), 4, "768, 512, 256, 128"),
        (("in.txt", "-o", "gone/deep/out.npy"), 0, ""),
        (("in.txt", "-o", "in.txt/out.npy"), 7, "cannot be written"),
        ((".", "-o", "out.npy", "--input-format", "text"), 4, "cannot be read"),
    ],
)
def test_what_cannot_be_done_is_said(run: Run, tmp_path: Path, words: tuple[str, ...], code: int, said: str) -> None:
    for name in ("in.txt", "in.csv"):
        write_input(tmp_path / name)
    (tmp_path / "in.data").write_text("a")
    ran = run(*words)
    assert (ran.code, said in ran.err) == (code, True), ran.err


def test_an_output_is_not_replaced_unasked(run: Run, tmp_path: Path) -> None:
    source = str(write_input(tmp_path / "in.txt"))
    assert run(source, "-o", "out.npy").code == 0
    before = Path("out.npy").read_bytes()
    assert run(source, "-o", "out.npy", "--dim", "128").code == 5
    assert Path("out.npy").read_bytes() == before
    assert run(source, "-o", "out.npy", "--dim", "128", "--overwrite").code == 0
    assert np.load("out.npy").shape == (5, 128)


def test_an_empty_input_gives_an_empty_array(run: Run) -> None:
    for name in ("in.jsonl", "in.txt"):
        Path(name).write_bytes(b"")
        assert run(name, "-o", f"{name}.npy").code == 0
        assert np.load(f"{name}.npy").shape == (0, 768)


@pytest.mark.parametrize(
    ("module", "words", "said"),
    [
        ("pyarrow", ("in.parquet", "-o", "out.npy"), install_hint("parquet")),
        ("pyarrow", ("in.txt", "-o", "out.parquet"), install_hint("parquet")),
        ("ray", ("in.txt", "-o", "out.npy", "--ray", "auto"), install_hint("ray")),
    ],
)
def test_a_missing_extra_is_named_with_its_command(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, words: tuple[str, ...], said: str
) -> None:
    write_input(tmp_path / "in.txt")
    (tmp_path / "in.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, module, None)
    ran = run(*words)
    assert (ran.code, said in ran.err) == (4, True), ran.err


def test_what_is_no_parquet_is_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in.parquet").write_bytes(b"not Parquet")
    ran = run("in.parquet", "-o", "out.npy")
    assert (ran.code, "is not a Parquet file" in ran.err) == (4, True), ran.err


def test_chunks_follow_from_the_input_alone() -> None:
    short = [Record(row, "x") for row in range(2 * CHUNK_RECORDS + 1)]
    assert [len(chunk) for chunk in chunked(short)] == [CHUNK_RECORDS, CHUNK_RECORDS, 1]
    long = [Record(row, "x" * CHUNK_CHARACTERS) for row in range(3)]
    assert [len(chunk) for chunk in chunked(long)] == [1, 1, 1]
    assert len({chunk.digest() for chunk in chunked(long)}) == 3
    assert [chunk.digest() for chunk in chunked(short)] == [chunk.digest() for chunk in chunked(iter(short))]
    assert list(chunked([])) == []


# Killed runs. The small BERT is slow enough for a thousand texts to take a while, and quick enough to do so often.


def corpus(file: Path, count: int = 1600) -> Path:
    with file.open("w", encoding="utf-8") as stream:
        for number in range(count):
            stream.write(json.dumps({"text": f"text {number} " + "word " * (number % 40), "id": number}) + "\n")
        stream.write("{broken\n")
    return file


def start(folder: Path, source: Path, output: Path, *words: str) -> subprocess.Popen[bytes]:
    program = "import sys; from ai_memory.cli import main; sys.exit(main())"
    options = ["--model", str(folder), "--id-field", "id", "--too-long", "windows", *words]
    return subprocess.Popen(
        [sys.executable, "-c", program, "embed", str(source), "-o", str(output), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "AI_MEMORY_DATA_DIR": str(folder.parent / "data")},
        preexec_fn=hear_ctrl_c,
    )


def hear_ctrl_c() -> None:
    """A shell's background jobs, and what they start, ignore Ctrl-C: not this one."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def finish(process: subprocess.Popen[bytes]) -> int:
    process.communicate(timeout=100)
    return process.returncode


@pytest.mark.parametrize("suffix", [".npy", ".jsonl"])
def test_a_killed_run_goes_on_and_ends_in_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    folder, source = tiny_bert(tmp_path / "tiny"), corpus(tmp_path / "in.jsonl")
    assert finish(start(folder, source, tmp_path / f"clean{suffix}")) == 4
    output = tmp_path / f"out{suffix}"
    partial = tmp_path / f"out{suffix}.partial"
    kills = done = 0
    for wanted in (1, 2, 4, 6):
        process = start(folder, source, output)
        while process.poll() is None and len(list(partial.glob("chunk-*"))) < wanted:
            time.sleep(0.002)
        process.kill()
        kills += finish(process) == -signal.SIGKILL
        if partial.exists():
            assert not output.exists()
            done = max(done, len(list(partial.glob("chunk-*"))))
    assert kills >= 2
    assert done >= 2
    last = start(folder, source, output, "--json")
    out, err = last.communicate(timeout=100)
    assert last.returncode == 4, err
    assert output.read_bytes() == (tmp_path / f"clean{suffix}").read_bytes()
    assert json.loads(out)["vectors"] == 1600
    assert json.loads(out)["resumed"] > 0
    assert not partial.exists()
    assert (tmp_path / f"out{suffix}.rejected.jsonl").read_bytes() == (
        tmp_path / f"clean{suffix}.rejected.jsonl"
    ).read_bytes()


def interrupted(folder: Path, source: Path, output: Path) -> Path:
    """A run that was killed after a chunk or more; its folder."""
    partial = output.with_name(f"{output.name}.partial")
    process = start(folder, source, output)
    while process.poll() is None and not list(partial.glob("chunk-*")):
        time.sleep(0.002)
    process.kill()
    process.communicate()
    assert partial.exists()
    return partial


def test_ctrl_c_says_that_the_run_can_be_resumed(tmp_path: Path) -> None:
    folder, source = tiny_bert(tmp_path / "tiny"), corpus(tmp_path / "in.jsonl", 6000)
    process = start(folder, source, tmp_path / "out.npy")
    while process.poll() is None and not list((tmp_path / "out.npy.partial").glob("chunk-*")):
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=100)
    assert process.returncode == 130
    assert b"the same command resumes here" in err
    assert (tmp_path / "out.npy.partial").exists()


def test_only_what_changed_is_embedded_again(tmp_path: Path) -> None:
    folder, source = tiny_bert(tmp_path / "tiny"), corpus(tmp_path / "in.jsonl")
    output = tmp_path / "out.npy"
    partial = interrupted(folder, source, output)
    (partial / "chunk-00000000").write_bytes(b"damaged")
    lines = source.read_text().splitlines()
    lines[300] = json.dumps({"text": "another text", "id": 300})
    source.write_text("\n".join(lines))
    assert finish(start(folder, source, output)) == 4
    clean = tmp_path / "clean.npy"
    assert finish(start(folder, source, clean)) == 4
    assert output.read_bytes() == clean.read_bytes()


def test_other_options_do_not_go_on_unasked(tmp_path: Path) -> None:
    folder, source = tiny_bert(tmp_path / "tiny"), corpus(tmp_path / "in.jsonl")
    output = tmp_path / "out.npy"
    interrupted(folder, source, output)
    other = start(folder, source, output, "--text-field", "id")
    _, err = other.communicate(timeout=60)
    assert other.returncode == 5
    assert b"--restart" in err
    assert finish(start(folder, source, output, "--restart")) == 4
    assert np.load(output).shape == (1600, 16)


def test_one_process_at_a_time(tmp_path: Path) -> None:
    folder, source = tiny_bert(tmp_path / "tiny"), corpus(tmp_path / "in.jsonl", 4000)
    output = tmp_path / "out.npy"
    first = start(folder, source, output)
    while not (tmp_path / "out.npy.partial").exists() or not list((tmp_path / "out.npy.partial").glob("chunk-*")):
        time.sleep(0.01)
    second = start(folder, source, output)
    _, err = second.communicate(timeout=60)
    assert second.returncode == 5
    assert b"another process is writing" in err
    assert finish(first) == 4
    assert np.load(output).shape == (4000, 16)


def test_a_full_disk_is_said_and_the_run_goes_on_elsewhere_free(tmp_path: Path) -> None:
    folder, source = tiny_bert(tmp_path / "tiny"), corpus(tmp_path / "in.jsonl")
    with mounted(tmp_path / "small", "160k") as place:
        filler = place / "filler"
        filler.write_bytes(b"x" * 100_000)
        output = place / "out.npy"
        full = start(folder, source, output)
        _, err = full.communicate(timeout=100)
        assert full.returncode == 7
        assert b"no space is left" in err
        assert b"resumes the run" in err
        filler.unlink()
        subprocess.run(["mount", "-o", "remount,size=2m", str(place)], check=True)
        assert finish(start(folder, source, output)) == 4
        assert np.load(output).shape == (1600, 16)
