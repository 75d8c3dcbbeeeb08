"""XQuAD (Artetxe et al., 2020), in SQuAD's format: articles of paragraphs, each with its questions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from msgspec import Struct

from ai_memory.evaluate.datasets.base import DataSet, Document, Group, Query, read_json, shaped


class _Asked(Struct, frozen=True):
    id: str
    question: str


class _Paragraph(Struct, frozen=True):
    context: str
    qas: list[_Asked]


class _Article(Struct, frozen=True):
    paragraphs: list[_Paragraph]


class _File(Struct, frozen=True):
    data: list[_Article]


def load_xquad(questions: Path, texts: Path) -> list[Group]:
    """One group: every paragraph of `texts` is a document, every question of `questions` asks for its own paragraph.

    Both are files in SQuAD's format with their paragraphs in the same order; give one file twice for a single language.
    """
    docs = {f"p{number}": Document(paragraph.context) for number, paragraph in enumerate(_paragraphs(texts))}
    queries, qrels = {}, {}
    for number, paragraph in enumerate(_paragraphs(questions)):
        for asked in paragraph.qas:
            queries[asked.id] = Query(text=asked.question, category="qa")
            qrels[asked.id] = {f"p{number}": 1.0}
    return [Group(group=f"{questions.stem}-{texts.stem}", docs=docs, queries=queries, qrels=qrels)]


def _paragraphs(file: Path) -> Iterator[_Paragraph]:
    for article in shaped(read_json(file), _File, file, "in SQuAD's format").data:
        yield from article.paragraphs


def find(place: Path) -> Iterator[DataSet]:
    """`xquad/xquad.<language>.json` in a folder: each language by itself, then every other asked of the English texts."""
    files = {file.name.split(".")[1]: file for file in sorted((place / "xquad").glob("xquad.*.json"))}
    pairs = [(language, language) for language in sorted(files, reverse=True)]
    if "en" in files:
        pairs += [(language, "en") for language in sorted(files) if language != "en"]
    for query, text in pairs:
        yield DataSet(f"XQuAD {query} query, {text} text", partial(load_xquad, files[query], files[text]))
