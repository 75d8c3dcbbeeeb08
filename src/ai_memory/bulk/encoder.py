"""Who embeds the chunks: a model in this process here, a cluster in `ray_encoder`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from msgspec import Struct

from ai_memory.bulk.records import Chunk, Rejected, Result
from ai_memory.embed.base import Encoded, TooLong
from ai_memory.embedding_model import EmbeddingModel
from ai_memory.errors import EmbedderMismatchError, InvalidInputError, TooLargeError
from ai_memory.types import EmbedderIdentity


class Work(Struct, frozen=True, kw_only=True):
    """How every record is embedded, and by which model; travels to other machines."""

    identity: EmbedderIdentity
    """With the dimension of the vectors that are written."""
    folder: str
    """The model's folder, which other machines must have too."""
    runtime: str = "auto"
    device: str = "auto"
    dtype: str = "auto"
    threads: int = 0
    task: str | None = None
    """Of queries; None where the records are documents."""
    plain: bool = False
    """No prompt at all."""
    too_long: TooLong = TooLong.ERROR
    """ERROR rejects the record and goes on."""


class Encoder(Protocol):
    """Embeds chunks, in any order."""

    def encode(self, chunks: Iterable[Chunk]) -> Iterator[Result]:
        """One result a chunk. Raises EmbedderError where the model fails."""
        ...


class LocalEncoder:
    """The model in this process, one chunk after the other."""

    def __init__(self, model: EmbeddingModel, work: Work) -> None:
        self._model = model
        self._work = work

    def encode(self, chunks: Iterable[Chunk]) -> Iterator[Result]:
        """In the order of the chunks."""
        return (encode_chunk(self._model, self._work, chunk) for chunk in chunks)


def open_worker(work: Work) -> EmbeddingModel:
    """The model of `work` on this machine. Raises EmbedderMismatchError where its files are not the same as at the start."""
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
    """Embed the records of one chunk; those that are too long are rejected where that is the policy."""
    records = list(chunk.records)
    rejected = list(chunk.rejected)
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
    """Raises InvalidInputError where what was asked for contradicts itself."""
    if titles and (work.task is not None or work.plain):
        raise InvalidInputError("only documents have titles", hint="leave out --title-field, or --task and --plain")
    if work.task is not None and work.plain:
        raise InvalidInputError("a task is a prompt, and --plain means none", hint="give one of them")
