"""The prompts that a model expects before a text, as frozen data."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from ai_memory.embed.base import Task


@dataclass(frozen=True, kw_only=True)
class PromptTable:
    """The prompts of one model. A prompt is put before the text literally, its trailing space included."""

    queries: Mapping[Task, str] = field(default_factory=dict)
    """The prompt of each task; a task that is missing has that of retrieval."""
    document: str = ""
    """The prompt of a document without a title."""
    titled_document: str = "{title}\n"
    """The prompt of a document with a title, which replaces `{title}`."""

    def for_query(self, task: Task) -> str:
        """The prompt of a query of this task; empty for `Task.NONE`, and if the model has none.

        A model with one prompt for all queries names it once, as that of retrieval.
        """
        return "" if task is Task.NONE else self.queries.get(task, self.queries.get(Task.RETRIEVAL, ""))

    def for_document(self, title: str | None) -> str:
        """The prompt of a document; an empty title counts as no title."""
        return self.titled_document.replace("{title}", title) if title else self.document

    def digest(self) -> str:
        """sha256 (hexadecimal) over the whole table; part of the embedder's identity, because prompts change vectors."""
        queries = {str(task): prompt for task, prompt in sorted(self.queries.items())}
        table = msgspec.json.encode([queries, self.document, self.titled_document])
        return hashlib.sha256(table).hexdigest()


_NAMES: Mapping[str, tuple[str, ...]] = {
    Task.RETRIEVAL: ("query", "Retrieval-query", "Retrieval", "SearchQuery", "BitextMining", "Reranking"),
    Task.QUESTION_ANSWERING: ("QuestionAnswering",),
    Task.FACT_CHECKING: ("FactChecking",),
    Task.CLASSIFICATION: ("Classification", "MultilabelClassification"),
    Task.CLUSTERING: ("Clustering",),
    Task.SIMILARITY: ("STS", "SentenceSimilarity", "PairClassification"),
    Task.CODE_RETRIEVAL: ("InstructionRetrieval", "CodeRetrieval"),
    Task.SUMMARIZATION: ("Summarization",),
}
"""The names of each task's prompt in sentence-transformers folders, the most likely first."""
_DOCUMENT_NAMES = ("document", "Retrieval-document", "Document", "passage", "corpus")


def prompt_names() -> dict[str, Task | None]:
    """Every name by which a prompt may be chosen, in lower case, with its task; None for the document prompt.

    The names are those in sentence-transformers folders and those of tasks.
    """
    names: dict[str, Task | None] = {str(task): task for task in Task}
    for task, written in _NAMES.items():
        names.update((name.lower(), Task(task)) for name in written)
    names.update((name.lower(), None) for name in _DOCUMENT_NAMES)
    return names


def named_prompts(table: PromptTable, named: Mapping[str, str]) -> PromptTable:
    """`table`, overridden by the prompts of a folder's `config_sentence_transformers.json`."""
    queries = dict(table.queries)
    for task, names in _NAMES.items():
        found = next((named[name] for name in names if name in named), None)
        if found is not None:
            queries[Task(task)] = found
    document = next((named[name] for name in _DOCUMENT_NAMES if name in named), table.document)
    titled = table.titled_document if document == table.document else document + "{title}\n"
    return PromptTable(queries=queries, document=document, titled_document=titled)


NO_PROMPTS = PromptTable()
"""For models trained without prompts: texts unchanged, a title on a separate line before its text."""
