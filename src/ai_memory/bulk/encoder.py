"""Embeds chunks with a model in this process; `ray_encoder` does it on a cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from msgspec import Struct

from ai_memory.bulk.records import Chunk, Rejected, Result
from ai_memory.embed.base import Encoded, TooLong
from ai_memory.errors import EmbedderMismatchError, InvalidInputError, TooLargeError
from ai_memory.python.embedding_model import EmbeddingModel
from ai_memory.types import EmbedderIdentity


class Work(Struct, frozen=True, kw_only=True):
    """How every record is embedded, and by which model; sent to the machines of a cluster."""

    identity: EmbedderIdentity
    """Its dimension is that of the written vectors."""
    folder: str
    """The model's folder, which must exist on every machine."""
    runtime: str = "auto"
    device: str = "auto"
    dtype: str = "auto"
    threads: int = 0
    task: str | None = None
    """The task of queries; None if the records are documents."""
    plain: bool = False
    """Embed without any prompt."""
    too_long: TooLong = TooLong.ERROR
    """With ERROR, a record that is too long is rejected and the run goes on."""


class Encoder(Protocol):
    """Embeds chunks, in any order."""

    def encode(self, chunks: Iterable[Chunk]) -> Iterator[Result]:
        """One result per chunk. Raises EmbedderError if the model fails."""
        ...


class LocalEncoder:
    """Embeds with a model in this process, one chunk after the other."""

    def __init__(self, model: EmbeddingModel, work: Work) -> None:
        self._model = model
        self._work = work

    def encode(self, chunks: Iterable[Chunk]) -> Iterator[Result]:
        """In the order of the chunks."""
        return (encode_chunk(self._model, self._work, chunk) for chunk in chunks)


def open_worker(work: Work) -> EmbeddingModel:
    """The model of `work` on this machine. Raises EmbedderMismatchError if its identity is not that in `work`."""
    model = EmbeddingModel(
        work.folder,
        dimension=work.identity.dimension,
        dtype=work.dtype,
        runtime=work.runtime,
        device=work.device,
        threads=work.threads,
    )
    if model.identity != work.identity:
        raise EmbedderMismatchError(
            f"the model in {work.folder} is not the same on every machine", hint="copy the same folder to each of them"
        )
    return model


def encode_chunk(model: EmbeddingModel, work: Work, chunk: Chunk) -> Result:
    """Embed the records of one chunk; under `TooLong.ERROR` those that are too long are rejected.

    A chunk without records gives a result without vectors. Raises EmbedderError if the model fails.
    """
    records = list(chunk.records)
    rejected = list(chunk.rejected)
    # The error names the first text that is too long: without it the rest is tried again, until no text is refused.
    while True:
        try:
            encoded = _encode(model, work, [each.text for each in records], [each.title for each in records])
            break
        except TooLargeError as error:
            if "index" not in error.details:
                raise
            rejected.append(Rejected(records.pop(error.details["index"]).row, error.message.partition(" has ")[2]))
    return Result(
        number=chunk.number,
        digest=chunk.digest(),
        dimension=model.dimension,
        rows=tuple(each.row for each in records),
        ids=tuple(each.id for each in records),
        tokens=encoded.tokens,
        cut=encoded.cut,
        rejected=tuple(sorted(rejected, key=lambda each: each.row)),
        values=encoded.vectors.astype("<f4").tobytes(),
    )


def _encode(model: EmbeddingModel, work: Work, texts: list[str], titles: list[str | None]) -> Encoded:
    if work.plain:
        return model.encode(texts, too_long=work.too_long)
    if work.task is not None:
        return model.encode_queries(texts, task=work.task, too_long=work.too_long)
    return model.encode_documents(texts, titles=titles, too_long=work.too_long)


def check_work(work: Work, *, titles: bool) -> None:
    """Raises InvalidInputError for contradictory options."""
    if titles and (work.task is not None or work.plain):
        raise InvalidInputError("only documents have titles", hint="leave out --title-field, or --task and --plain")
    if work.task is not None and work.plain:
        raise InvalidInputError("a task is a prompt, and --plain means none", hint="give one of them")
