"""Folders as BEIR (Thakur et al., 2021) has them: `corpus.jsonl`, `queries.jsonl`, and `qrels/<split>.tsv`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from msgspec import Struct

from ai_memory.errors import InvalidInputError
from ai_memory.evaluate.datasets.base import DataSet, Document, Group, Query, read_json_lines, shaped

CORPUS, QUERIES, QRELS = "corpus.jsonl", "queries.jsonl", "qrels"
_HEADER = ["query-id", "corpus-id", "score"]


class _Document(Struct, frozen=True):
    _id: str
    text: str
    title: str | None = None


class _Query(Struct, frozen=True):
    _id: str
    text: str


def load_beir(folder: Path, split: str) -> list[Group]:
    """One group: the whole corpus, and the questions that the split judges. A title comes before its text, on a separate line.

    Raises InvalidInputError naming the line that is wrong, or that judges an unknown question or document.
    """
    docs: dict[str, Document] = {}
    for number, value in read_json_lines(folder / CORPUS):
        one = shaped(value, _Document, folder / CORPUS, 'a document, {"_id", "title", "text"}', number)
        docs[one._id] = Document("\n".join(filter(None, (one.title, one.text))))
    texts: dict[str, str] = {}
    for number, value in read_json_lines(folder / QUERIES):
        asked = shaped(value, _Query, folder / QUERIES, 'a question, {"_id", "text"}', number)
        texts[asked._id] = asked.text
    qrels = _judgements(folder / QRELS / f"{split}.tsv", docs, texts)
    return [Group(folder.name, docs, {query: Query(texts[query]) for query in qrels}, qrels)]


def _judgements(file: Path, docs: dict[str, Document], texts: dict[str, str]) -> dict[str, dict[str, float]]:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"cannot read {file}: {error}", hint="expected a table of three columns") from None
    qrels: dict[str, dict[str, float]] = {}
    for number, line in enumerate(lines, 1):
        cells = line.split("\t")
        if not line.strip() or (number == 1 and cells == _HEADER):
            continue
        try:
            query, document, score = cells
            grade = float(score)
        except ValueError:
            raise _wrong(file, number, f"is {line!r}", f"expected {', '.join(_HEADER)} with tabs between") from None
        if query not in texts:
            raise _wrong(file, number, f"judges the question {query!r}", f"{QUERIES} has no such id")
        if document not in docs:
            raise _wrong(file, number, f"judges the document {document!r}", f"{CORPUS} has no such id")
        qrels.setdefault(query, {})[document] = grade
    return qrels


def _wrong(file: Path, number: int, what: str, hint: str) -> InvalidInputError:
    return InvalidInputError(f"line {number} of {file.name} {what}", hint=hint, line=number)


def find(place: Path) -> Iterator[DataSet]:
    """The folder itself, or those in it, one data set per split."""
    for folder in (place, *sorted(place.glob("*/"))):
        if (folder / CORPUS).is_file() and (folder / QUERIES).is_file():
            for file in sorted((folder / QRELS).glob("*.tsv")):
                yield DataSet(f"BEIR {folder.name}, {file.stem}", partial(load_beir, folder, file.stem))
