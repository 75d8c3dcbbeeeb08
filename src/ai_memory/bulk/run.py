"""One run: embeds the chunks that have no result yet, then writes all results in the order of the input."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO

import msgspec

from ai_memory.bulk.encoder import Encoder, Work
from ai_memory.bulk.journal import Journal
from ai_memory.bulk.readers import Fields
from ai_memory.bulk.records import CHUNK_CHARACTERS, CHUNK_RECORDS, Chunk, Record, Rejected, Result, chunked
from ai_memory.bulk.writers import OutputFormat, json_lines, write_results

Progress = Callable[[int], None]
"""Called with the number of further lines or rows that are done."""
Report = Callable[[Rejected], None]
"""Called with each line or row that has no vector."""


@dataclass
class Summary:
    """The counts of a run."""

    vectors: int = 0
    tokens: int = 0
    cut_texts: int = 0
    """Texts whose end was dropped."""
    rejected: int = 0
    resumed: int = 0
    """Lines or rows that an earlier run had done."""
    dimension: int = 0
    chunks: int = field(default=0, repr=False)

    def add(self, result: Result) -> None:
        """Add a result to the counts."""
        self.vectors += len(result.rows)
        self.tokens += sum(result.tokens)
        self.cut_texts += sum(cut > 0 for cut in result.cut)
        self.rejected += len(result.rejected)
        self.chunks += 1


def job_of(work: Work, fields: Fields) -> bytes:
    """Everything that the results depend on besides the input, as JSON, for `Journal`."""
    decides = [work.identity, work.task, work.plain, work.too_long, fields.text, fields.title, fields.id]
    return msgspec.json.encode([*decides, CHUNK_RECORDS, CHUNK_CHARACTERS])


def embed_file(
    places: Iterable[Record | Rejected],
    journal: Journal,
    encoder: Encoder,
    kind: OutputFormat,
    *,
    dimension: int,
    progress: Progress,
    report: Report,
) -> Summary:
    """Embed the chunks that are not in the journal, then write the output.

    Rejections are reported at the end, in the order of the input. Raises what reading, embedding and writing raise; everything
    embedded until then is in the journal.
    """
    summary = Summary(dimension=dimension)
    chunks = 0

    def missing() -> Iterator[Chunk]:
        nonlocal chunks
        for chunk in chunked(places):
            chunks += 1
            if journal.find(chunk) is None:
                yield chunk
            else:
                summary.resumed += len(chunk)
                progress(len(chunk))

    for result in encoder.encode(missing()):
        journal.save(result)
        progress(len(result.rows) + len(result.rejected))
    for number in range(chunks):
        result = journal.read(number)
        summary.add(result)
        for rejected in result.rejected:
            report(rejected)
    results = (journal.read(number) for number in range(chunks))
    with journal.finished() as stream:
        write_results(stream, kind, results, vectors=summary.vectors, dimension=dimension)
    return summary


def embed_stream(
    places: Iterable[Record | Rejected],
    encoder: Encoder,
    stream: IO[bytes],
    *,
    dimension: int,
    progress: Progress,
    report: Report,
) -> Summary:
    """Embed and write JSON lines chunk by chunk: for a pipe, which cannot be resumed."""
    summary = Summary(dimension=dimension)
    for result in encoder.encode(chunked(places)):
        summary.add(result)
        for rejected in result.rejected:
            report(rejected)
        stream.writelines(json_lines(result))
        stream.flush()
        progress(len(result.rows) + len(result.rejected))
    return summary
