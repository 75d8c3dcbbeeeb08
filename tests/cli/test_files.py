"""Files of other programs as drafts: front matter, tables, encodings, what is split and what is refused."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_memory.errors import InvalidInputError, MemoryServiceError, TooLargeError
from ai_memory.importers.decoding import MAX_FILE_BYTES, encoding_of, text_of
from ai_memory.importers.files.finding import NOTES, Format, files_below, format_of, others_below
from ai_memory.importers.files.front_matter import MAX_FRONT_MATTER
from ai_memory.importers.files.json_lines import lines_of
from ai_memory.importers.files.links import Links
from ai_memory.importers.files.markdown import draft_values, has_front_matter
from ai_memory.importers.files.tables import rows
from ai_memory.operations.base import parse
from ai_memory.operations.writing import Draft

NOTE = """---
title: Release train
type: procedural
tags: [ops, deploy]
date: 2026-03-14
author: Anna
context: work/atlas
importance: 0.9
reviewers: [Bo, Cy]
due: 2026-04-01
---

# Something else

Deploy on Tuesdays.
"""


def values_of(front: str, body: str = "Ivo writes.") -> dict[str, object]:
    return draft_values(f"---\n{front}\n---\n{body}\n").values


def attributes_of(front: str) -> object:
    return values_of(front)["attributes"]


def test_front_matter_becomes_fields() -> None:
    read = draft_values(NOTE, source="notes/a.md")
    draft = parse(Draft, read.values)
    assert read.warnings == ()
    assert (draft.title, draft.type.value, draft.tags, draft.author) == (
        "Release train",
        "procedural",
        ("ops", "deploy"),
        "Anna",
    )
    assert draft.valid_from == dt.datetime(2026, 3, 14, tzinfo=dt.UTC)
    assert (draft.context, draft.source, draft.importance) == ("work/atlas", "notes/a.md", 0.9)
    assert draft.attributes == {"reviewers": ["Bo", "Cy"], "due": "2026-04-01"}
    assert draft.text == "# Something else\n\nDeploy on Tuesdays."


def test_without_front_matter_the_first_heading_is_the_title() -> None:
    values = draft_values("```\n# not this\n```\nintro\n\n## nor this\n# A *title* #\ntext").values
    assert values["title"] == "A *title*"
    assert draft_values("plain text").values == {"text": "plain text"}
    assert len(draft_values("# " + "x" * 3000).values["title"]) == 1000


def test_windows_line_ends_and_byte_order_mark() -> None:
    values = draft_values("\ufeff---\r\ntags: a, '#b'\r\n---\r\ntext\r\n").values
    assert values == {"tags": ["a", "b"], "text": "text"}
    assert has_front_matter("---\r\na: b\r\n---\r\n")
    assert not has_front_matter("--- a dash\n---\n")


@pytest.mark.parametrize(
    "written",
    ["0123", "12:30", "1:30:00", "NO", "yes", "off", "1.10", "2.0", "007", "1_000", "0x1F", "0o17", "1e3", ".5"],
)
def test_scalars_stay_as_written(written: str) -> None:
    assert attributes_of(f"code: {written}\nlist: [{written}]") == {"code": written, "list": [written]}
    assert values_of(f"title: {written}")["title"] == written
    assert values_of(f"author: {written}\ntags: [{written}]")["tags"] == [written]
    toml = draft_values(f'+++\ncode = "{written}"\n+++\ntext').values
    assert toml["attributes"] == {"code": written}


def test_whole_numbers_truth_values_and_nothing() -> None:
    assert attributes_of("a: 5\nb: -12\nc: true\nd: 'true'\ne: \"5\"\nf: null\ng: ~\nh:\ni: 0") == {
        "a": 5,
        "b": -12,
        "c": True,
        "d": "true",
        "e": "5",
        "i": 0,
    }
    assert values_of("title: true")["title"] == "true"
    assert values_of("title: null") == {"text": "Ivo writes."}


@pytest.mark.parametrize(
    ("front", "kept"),
    [
        ("type: note", {"type": "note"}),
        ("type: project", {"type": "project"}),
        ("type: [a, b]", {"type": ["a", "b"]}),
        ("created: next spring", {"created": "next spring"}),
        ("created: 02/03/2026", {"created": "02/03/2026"}),
        ("date: 31.02.2026", {"date": "31.02.2026"}),
        ("date: February 2026", {"date": "February 2026"}),
        ("date: 14 Thermidor 2026", {"date": "14 Thermidor 2026"}),
        ("date: 25:00 14 May 2026", {"date": "25:00 14 May 2026"}),
        ("valid_from: 0001-01-01", {"valid_from": "0001-01-01"}),
        ("importance: high", {"importance": "high"}),
        ("confidence: 7", {"confidence": 7}),
        ("author: {a: b}", {"author": {"a": "b"}}),
        (f"title: {'x' * 1200}", {"title": "x" * 1200}),
        (f"context: {'x' * 600}", {"context": "x" * 600}),
        ("supersedes: '[[Old note]]'", {"supersedes": "[[Old note]]"}),
        ("type: code\nlanguage: [a]", {"language_as_written": ["a"]}),
        ("type: conversation\nturn: third", {"turn_as_written": "third"}),
    ],
)
def test_a_value_that_its_field_cannot_hold_becomes_an_attribute(front: str, kept: object) -> None:
    read = draft_values(f"---\n{front}\nstatus: open\n---\nIvo writes.\n")
    draft = parse(Draft, read.values)
    assert draft.text == "Ivo writes."
    assert {**draft.attributes} == {"status": "open", **kept}  # type: ignore[dict-item]
    assert len(read.warnings) == 1
    assert front.splitlines()[-1].split(":")[0] in read.warnings[0]


def test_too_many_tags_become_an_attribute() -> None:
    tags = [f"t{number}" for number in range(80)]
    read = draft_values(f"---\ntags: [{', '.join(tags)}]\n---\nx")
    assert read.values["attributes"] == {"tags": tags}
    assert read.warnings


def test_a_period_turned_round_keeps_its_beginning() -> None:
    read = draft_values("---\nvalid_from: 2026-02-01\nvalid_to: 2026-01-01\n---\nx")
    assert parse(Draft, read.values).valid_from == dt.datetime(2026, 2, 1, tzinfo=dt.UTC)
    assert read.values["attributes"] == {"valid_to": "2026-01-01T00:00:00+00:00"}
    assert "valid_to" in read.warnings[0]


def test_two_names_of_one_field_lose_nothing() -> None:
    values = values_of("created: 2026-01-01\ndate: 2026-02-02\nauthors: [Bo, Cy]\nauthor: Anna\ntag: x\ntags: [y]")
    assert values["valid_from"] == dt.datetime(2026, 2, 2, tzinfo=dt.UTC)
    assert (values["author"], values["tags"]) == ("Anna", ["y", "x"])
    assert values["attributes"] == {"created": "2026-01-01", "authors": ["Bo", "Cy"]}
    assert attributes_of("a: 1\na: 2") == {"a": 1, "a_again": 2}


def test_typed_attributes_get_their_type() -> None:
    assert attributes_of("type: episodic\nparticipants: Anna, Bo") == {"participants": ["Anna", "Bo"]}
    assert attributes_of("type: code\nsymbol: 5") == {"symbol": "5"}


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("14.02.2026", (2026, 2, 14)),
        ("14.2.2026 09:30", (2026, 2, 14, 9, 30)),
        ("2026/02/14", (2026, 2, 14)),
        ("14/02/2026", (2026, 2, 14)),
        ("02/14/2026", (2026, 2, 14)),
        ("14 February 2026", (2026, 2, 14)),
        ("14. Feb 2026", (2026, 2, 14)),
        ("Feb 14, 2026", (2026, 2, 14)),
        ("Saturday, February 14th 2026, 9:30 pm", (2026, 2, 14, 21, 30)),
        ("2026-02-14 09:30", (2026, 2, 14, 9, 30)),
        ("2026-02-14T09:30:00+01:00", (2026, 2, 14, 8, 30)),
        ('"2026-02-14"', (2026, 2, 14)),
        ("2026-2-4", (2026, 2, 4)),
        ("14-02-2026", (2026, 2, 14)),
        ("2026-02-14 09:30:00 +01:00", (2026, 2, 14, 8, 30)),
        ("2026-02-14 09:30:00 Z", (2026, 2, 14, 9, 30)),
        ("Samstag, 14. Februar 2026", (2026, 2, 14)),
        ("14 de febrero de 2026", (2026, 2, 14)),
        ("1er mars 2026", (2026, 3, 1)),
        ("14 февраля 2026 г.", (2026, 2, 14)),
        ("2026年2月14日", (2026, 2, 14)),
    ],
)
def test_dates_in_the_forms_that_people_write(written: str, moment: tuple[int, ...]) -> None:
    for name in ("created", "date", "valid_from", "valid_to"):
        read = draft_values(f"---\n{name}: {written}\n---\nx")
        field = "valid_to" if name == "valid_to" else "valid_from"
        year, month, day, hour, minute = (*moment, 0, 0)[:5]
        expected = dt.datetime(year, month, day, hour, minute, tzinfo=dt.UTC)
        assert getattr(parse(Draft, read.values), field) == expected
        assert read.warnings == ()


@pytest.mark.parametrize(
    ("written", "tags"),
    [
        ("#person #friend", ["person", "friend"]),
        ("person friend", ["person", "friend"]),
        ("person, friend", ["person", "friend"]),
        ("a #b", ["a", "b"]),
        ("#a, deep work", ["a", "deep work"]),
        ("[a, deep work]", ["a", "deep work"]),
        ("[#a, '#b']", ["a", "b"]),
        ('"#a #b"', ["a", "b"]),
        ("\n  - #a\n  - deep work", ["a", "deep work"]),
        ("\n- a\n- b", ["a", "b"]),
        ("person # a comment", ["person"]),
        ("area/home", ["area/home"]),
    ],
)
def test_tags_in_the_forms_that_people_write(written: str, tags: list[str]) -> None:
    assert values_of(f"tags: {written}\nstatus: open")["tags"] == tags


@pytest.mark.parametrize(
    ("front", "values"),
    [
        ("title: Ed: the gardener\ntags: [a, b]", {"title": "Ed: the gardener", "tags": ["a", "b"]}),
        ("a: [1\nb: 2", {"attributes": {"a": "[1", "b": 2}}),
        ("a: &x [1]\nb: *x", {"attributes": {"a": [1], "b": "*x"}}),
        ("title: {{title}} notes\nstatus: @home", {"title": "{{title}} notes", "attributes": {"status": "@home"}}),
        ("title: 'Bo's day'", {"title": "Bo's day"}),
        ("a:\tb\nlinks: [[A]], [[B]]", {"attributes": {"a": "b", "links": "[[A]], [[B]]"}}),
    ],
)
def test_broken_front_matter_is_read_line_by_line(front: str, values: dict[str, object]) -> None:
    read = draft_values(f"---\n{front}\n---\nIvo writes.\n")
    assert read.values == {**values, "text": "Ivo writes."}
    assert "line by line" in read.warnings[0]


@pytest.mark.parametrize(
    "front",
    [
        "A thematic break first",
        "- a\n- b",
        "A paragraph.\n\nAnd another one: with a colon.",
        f"a: {'x' * MAX_FRONT_MATTER}",
        "Just one\n\n# heading",
    ],
)
def test_what_is_no_front_matter_stays_text(front: str) -> None:
    text = f"---\n{front}\n---\nIvo writes."
    read = draft_values(text)
    assert read.values["text"] == text
    assert "kept as text" in read.warnings[0]


def test_unreadable_lines_stay_text_next_to_the_fields() -> None:
    text = "---\ntitle: Ed\nnot a field\ntags: a, b\n---\nEd prunes."
    read = draft_values(text)
    assert read.values == {"title": "Ed", "tags": ["a", "b"], "text": text}
    assert "kept as text" in read.warnings[0]


def test_a_note_of_fields_alone_is_kept() -> None:
    read = draft_values("---\nname: Anna\nphone: 0123\n---\n")
    assert read.values == {"attributes": {"name": "Anna", "phone": "0123"}, "text": "---\nname: Anna\nphone: 0123\n---"}
    assert read.warnings


def test_toml_front_matter() -> None:
    values = draft_values(
        '+++\ntitle = "Post: one"\ndate = 2024-05-01T10:00:00Z\ntags = ["a"]\nweight = 1.10\ndraft = false\nn = 5\n'
        "[params]\nday = 2024-05-01\n+++\nHugo text.\n"
    ).values
    assert (values["title"], values["tags"], values["text"]) == ("Post: one", ["a"], "Hugo text.")
    assert values["valid_from"] == dt.datetime(2024, 5, 1, 10, tzinfo=dt.UTC)
    assert values["attributes"] == {"weight": "1.10", "draft": False, "n": 5, "params": {"day": "2024-05-01"}}
    broken = draft_values("+++\ntitle = Post: one\nweight = 1.10\n+++\nHugo text.\n")
    assert broken.values == {"title": "Post: one", "attributes": {"weight": "1.10"}, "text": "Hugo text."}
    assert broken.warnings


def test_placeholders_and_links_are_text() -> None:
    read = draft_values("---\ncreated: {{date}}\ntitle: {{title}}\nup: [[Home page]]\n---\n{{content}}\n")
    assert read.values == {
        "title": "{{title}}",
        "attributes": {"created": "{{date}}", "up": "[[Home page]]"},
        "text": "{{content}}",
    }
    assert len(read.warnings) == 1


def test_other_names_for_the_text_stay_fields_of_a_note() -> None:
    assert values_of("text: a\nnote: b\nmemory: c") == {
        "attributes": {"text": "a", "note": "b", "memory": "c"},
        "text": "Ivo writes.",
    }


def test_an_open_rule_is_no_front_matter() -> None:
    assert draft_values("---\nno end of it").values["text"] == "---\nno end of it"


@pytest.mark.parametrize("text", ["", " \n\t\n"])
def test_a_blank_file_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(InvalidInputError, match="no text") as caught:
        draft_values(text)
    assert caught.value.hint


def test_nothing_is_run_for_a_yaml_tag() -> None:
    assert attributes_of("a: !!python/object/apply:os.getcwd [x]\nb: !!int '5'") == {"a": ["x"], "b": "5"}


@given(st.text())
def test_any_text_is_kept(text: str) -> None:
    if not text.strip():
        return
    values = draft_values("---\n" + text).values
    assert values["text"].strip()
    assert parse(Draft, values)


@given(st.text(alphabet="ab:#-[]{}'\"\n &*!|>%@`,1.", max_size=60))
def test_any_front_matter_keeps_the_text(front: str) -> None:
    assert draft_values(f"---\n{front}\n---\nIvo writes.").values["text"].endswith("Ivo writes.")


def test_files_of_a_folder(tmp_path: Path) -> None:
    for name in ("b.md", "a/c.MD", "a/.hidden/d.md", ".e.md", "f.txt", "g.png", "h.json.gz", "i.gz", "j"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("text of " + name, encoding="utf-8")
    assert [str(path.relative_to(tmp_path)) for path in files_below(tmp_path, NOTES)] == ["a/c.MD", "b.md"]
    assert {path.name for path in files_below(tmp_path)} == {"c.MD", "b.md", "f.txt", "h.json.gz"}
    assert others_below(tmp_path) == "3 files (1 .png, 1 .gz, 1 without ending)"
    assert others_below(tmp_path / "a") == ""


def test_a_format_is_known_by_ending_or_content(tmp_path: Path) -> None:
    for name, content, known in (
        ("a.jsonl", b"", Format.JSON),
        ("a.csv", b"", Format.TABLE),
        ("json", b'\xef\xbb\xbf {"text": "a"}', Format.JSON),
        ("array", b'["a"]', Format.JSON),
        ("link", b"[a link](to)", Format.TEXT),
        ("notes.org", b"* heading", Format.TEXT),
    ):
        (tmp_path / name).write_bytes(content)
        assert format_of(tmp_path / name) is known
    for start, named in ((b"PK\x03\x04", "ZIP"), (b"%PDF-1.7", "PDF"), (b"SQLite format 3\0", "SQLite")):
        (tmp_path / "x").write_bytes(start)
        with pytest.raises(InvalidInputError, match=named) as caught:
            format_of(tmp_path / "x")
        assert ".csv" in (caught.value.hint or "")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "note.md"
    path.write_bytes(
        "# Ünï\nПривет, 猫\n".encode(encoding) if encoding[-3] != "-" else "A line of it: ü\n".encode(encoding)
    )
    assert "\ufeff" not in text_of(path)
    assert "ü" in text_of(path).lower()


def test_unreadable_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "file.md"
    for content, message in (
        (b"caf\xe9", "not UTF-8"),
        (b"\xff\xfe\x00\xd8a", "not valid UTF-16"),
        (b"\x00\x01\x02 text and more", "binary file"),
        (b"%PDF-1.7", "PDF"),
    ):
        path.write_bytes(content)
        with pytest.raises(InvalidInputError, match=message) as caught:
            text_of(path)
        assert "file.md" in caught.value.message
    for missing in (tmp_path / "missing.md", tmp_path):
        with pytest.raises(InvalidInputError, match="cannot be read"):
            text_of(missing)
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(TooLargeError):
        text_of(path)


def test_a_table_is_one_draft_per_row() -> None:
    table = 'Text;tags;phone;created\n"Anna;\ncalls";#a #b;0123;14.02.2026\n\nBo calls;;007;\n'
    first, second = rows(table, "calls.csv")
    assert first.values == {
        "source": "calls.csv#1",
        "text": "Anna;\ncalls",
        "tags": ["a", "b"],
        "valid_from": dt.datetime(2026, 2, 14, tzinfo=dt.UTC),
        "attributes": {"phone": "0123"},
    }
    assert second.values == {"source": "calls.csv#2", "text": "Bo calls", "attributes": {"phone": "007"}}
    (tabbed,) = rows("content\ttype\nx, y\tnote\n", "t")
    assert tabbed.values["text"] == "x, y"
    assert tabbed.values["attributes"] == {"type": "note"}
    assert tabbed.warnings
    for table, message in (("", "no text"), ("only,names\n", "no rows below")):
        with pytest.raises(InvalidInputError, match=message):
            list(rows(table, "empty.csv"))


def test_odd_tables_lose_no_cell() -> None:
    first, second = rows("text,a,a,\nnull,1,2,3\n,NO,,\n", "t")
    assert first.values["text"] == "null"
    assert first.values["attributes"] == {"a": 1, "a column 3": 2, "column 4": 3}
    assert second.values["text"] == "a: NO"


@given(st.text(alphabet='ab,;\t"\n\r 1~#', max_size=60))
def test_any_table_is_read_or_refused(table: str) -> None:
    try:
        drafts = list(rows(table, "t.csv"))
    except MemoryServiceError as error:
        assert error.message
    else:
        assert all(parse(Draft, draft.values).text.strip() for draft in drafts)


def test_a_table_without_a_text_column_keeps_every_row() -> None:
    (only,) = rows("name,phone\nCy,0789,more\n", "people.csv")
    assert only.values["text"] == "name: Cy\nphone: 0789\nmore"
    assert only.values["attributes"] == {"name": "Cy", "phone": "0789", "more columns": ["more"]}
    assert only.warnings


def json_lines(tmp_path: Path, content: bytes, name: str = "a.json") -> list[bytes]:
    path = tmp_path / name
    path.write_bytes(content)
    with path.open("rb") as raw:
        return [line.strip() for line in lines_of(raw, name, lambda count: None)]


def test_json_of_every_shape_becomes_lines(tmp_path: Path) -> None:
    one, two = b'{"text":"a"}', b'{"text":"b"}'
    for content in (
        one + b"\n" + two,
        b"\xef\xbb\xbf" + one + b"\r\n" + two + b"\n",
        b'[{"text": "a"}, "b"]',
        b'\n [\n {"text": "a"},\n {"text": "b"}\n]\n',
        b'{\n "memories": [{"text": "a"}, {"text": "b"}],\n "next": null\n}',
        (one + b"\n" + two).decode().encode("utf-16"),
        (one + b"\n" + two).decode().encode("utf-16-be"),
        b"\xff\xfe" + '[{"text":"a"},\n{"text":"b"}]'.encode("utf-16-le"),
    ):
        assert json_lines(tmp_path, content) == [one, two], content
    assert json_lines(tmp_path, b'{\n "text": "a"\n}\n') == [one]
    assert json_lines(tmp_path, b"") == []
    assert json_lines(tmp_path, b"{broken\n" + one) == [b"{broken", one]
    assert json_lines(tmp_path, b"[1]\n" + one) == [b"[1]", one]


def test_wiki_links_name_notes() -> None:
    links = Links()
    texts = {
        "v/Home.md": "[[projects/Heron|the heron]] [[HERON#Plan]] [[Nobody]] `[[Ada]]` [[home]]",
        "v/projects/Heron.md": "up: [[Home]]\n```\n[[Ada]]\n```\n![[Ada Lovelace^block]] [[Note]]",
        "v/people/ada.md": "[[Countess]]",
        "v/people/Note.md": "x",
        "v/projects/Note.md": "x",
    }
    for place, text in texts.items():
        title = "Ada Lovelace" if "ada" in place else None
        links.add(place, {"title": title, "attributes": {"aliases": ["Countess"]} if title else {}}, text)
        links.stored(place, place)
    assert list(links.pairs()) == [
        ("v/Home.md", "v/projects/Heron.md"),
        ("v/projects/Heron.md", "v/Home.md"),
        ("v/projects/Heron.md", "v/people/ada.md"),
        ("v/projects/Heron.md", "v/projects/Note.md"),
    ]


def test_encoding_of_short_starts() -> None:
    assert [encoding_of(start) for start in (b"", b"a", b"{}", "é".encode())] == ["utf-8"] * 4


def test_any_file_is_read_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    for content in (bytes(range(256)), b"\xff\xfe", b"\xef\xbb\xbf", b"\x00"):
        path.write_bytes(content)
        try:
            draft_values(text_of(path))
        except MemoryServiceError as error:
            assert error.message
