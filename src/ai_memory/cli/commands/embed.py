"""`embed`: vectors for a whole file of texts."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, redirect_stdout
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ai_memory.cli import exits
from ai_memory.cli.files.written import written
from ai_memory.cli.model_options import add_model_options, open_model
from ai_memory.cli.output.progress import progress
from ai_memory.cli.output.screen import Screen
from ai_memory.cli.parser import UsageError
from ai_memory.errors import ConflictError, InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from ai_memory.bulk.encoder import Encoder, Work
    from ai_memory.bulk.readers import Fields, InputFormat
    from ai_memory.bulk.records import Rejected
    from ai_memory.bulk.run import Summary
    from ai_memory.bulk.writers import OutputFormat
    from ai_memory.python.embedding_model import EmbeddingModel

USAGE = "usage: ai-memory embed INPUT -o OUTPUT, or ai-memory embed --pending"
_STANDARD = "-"
_SHOWN_REJECTIONS = 20


def add(parser: argparse.ArgumentParser) -> None:
    """What to read, what to write, and how to embed the texts."""
    parser.add_argument(
        "input", nargs="?", metavar="INPUT", help="JSON lines, CSV, Parquet or lines of text; - is standard input"
    )
    parser.add_argument("-o", "--output", metavar="OUTPUT", help="npy, Parquet or JSON lines; - prints JSON lines")
    parser.add_argument(
        "--pending", action="store_true", help="in place of a file: the memories of the store that have no vector yet"
    )
    parser.add_argument("--input-format", metavar="FORMAT", help="jsonl, csv, parquet or text (default: by the name)")
    parser.add_argument("--output-format", metavar="FORMAT", help="npy, parquet or jsonl (default: by the name)")
    fields = parser.add_argument_group("fields of a record")
    fields.add_argument("--text-field", default="text", metavar="NAME", help="the text (default: text)")
    fields.add_argument("--title-field", metavar="NAME", help="a document's title, which goes into its prompt")
    fields.add_argument("--id-field", metavar="NAME", help="an identifier that JSON lines and Parquet repeat")
    kinds = parser.add_argument_group("prompt").add_mutually_exclusive_group()
    kinds.add_argument("--document", action="store_true", help="the texts are documents (the default)")
    kinds.add_argument(
        "--task", metavar="TASK", help="the texts are queries of this task, such as retrieval or clustering"
    )
    kinds.add_argument("--plain", action="store_true", help="no prompt at all")
    parser.add_argument(
        "--too-long",
        default="error",
        choices=("error", "truncate", "windows"),
        help="what to do with a text that is too long",
    )
    parser.add_argument("--restart", action="store_true", help="start over instead of resuming an interrupted run")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing output")
    parser.add_argument("--ray", metavar="ADDRESS", help="run on a Ray cluster: its address, or auto")
    add_model_options(parser)


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Embed everything; exit code 4 where some rows were rejected and reported."""
    given = arguments.input is not None or arguments.output is not None
    if arguments.pending and not given:
        return _pending(arguments, screen)
    if arguments.pending or arguments.input is None or arguments.output is None:
        raise UsageError("give INPUT and -o OUTPUT, or --pending", USAGE)
    from ai_memory.bulk.encoder import check_work
    from ai_memory.bulk.readers import Fields

    fields = Fields(text=arguments.text_field, title=arguments.title_field, id=arguments.id_field)
    kinds = _formats(arguments)
    rejections = _Rejections(screen)
    with open_model(arguments) as model, _input(arguments.input) as stream:
        work = _work(arguments, model)
        check_work(work, titles=fields.title is not None)
        # Ray logs to standard output, which here is for the result.
        with redirect_stdout(sys.stderr) if arguments.ray else nullcontext():
            encoder = _encoder(arguments, model, work)
            try:
                summary = _embed(arguments, screen, stream, fields, kinds, (encoder, work), rejections)
            except KeyboardInterrupt:
                if arguments.output != _STANDARD:
                    screen.note("interrupted; the finished part is kept, and the same command resumes here")
                raise
    rejections.finish(None if arguments.output == _STANDARD else Path(arguments.output))
    value = {
        "output": arguments.output,
        "vectors": summary.vectors,
        "dimension": summary.dimension,
        "tokens": summary.tokens,
        "cut_texts": summary.cut_texts,
        "rejected": summary.rejected,
        "resumed": summary.resumed,
    }
    if arguments.output != _STANDARD:
        screen.value(value, [_sentence(arguments.output, summary)])
    return exits.SOME_REJECTED if summary.rejected else exits.OK


def _pending(arguments: argparse.Namespace, screen: Screen) -> int:
    from ai_memory.cli.commands.store.pending import embed_pending
    from ai_memory.cli.target import Choices

    made = embed_pending(Choices.of(arguments), screen)
    screen.value({"embedded": made}, [f"{made:,} memories were embedded" if made else "every memory has its vector"])
    return exits.OK


def _embed(
    arguments: argparse.Namespace,
    screen: Screen,
    stream: IO[bytes],
    fields: Fields,
    kinds: tuple[InputFormat, OutputFormat],
    engine: tuple[Encoder, Work],
    rejections: _Rejections,
) -> Summary:
    from ai_memory.bulk.journal import Journal
    from ai_memory.bulk.readers import count_places, read_places
    from ai_memory.bulk.run import embed_file, embed_stream, job_of

    (encoder, work), (read_as, write_as) = engine, kinds
    counted = screen.shows_progress and arguments.input != _STANDARD
    total = count_places(Path(arguments.input), read_as, fields) if counted else None
    places = read_places(stream, read_as, fields)
    common: dict[str, Any] = {"dimension": work.identity.dimension, "report": rejections.add}
    with ExitStack() as stack:
        if arguments.output == _STANDARD:
            advance = stack.enter_context(progress(screen, "embedding", " texts", total))
            return embed_stream(places, encoder, sys.stdout.buffer, progress=advance, **common)
        output = Path(arguments.output)
        if output.exists() and not arguments.overwrite:
            raise ConflictError(f"{output} exists already", hint="choose another name, or --overwrite")
        journal = stack.enter_context(Journal(output, job_of(work, fields), restart=arguments.restart))
        advance = stack.enter_context(progress(screen, "embedding", " texts", total))
        return embed_file(places, journal, encoder, write_as, progress=advance, **common)


def _work(arguments: argparse.Namespace, model: EmbeddingModel) -> Work:
    from ai_memory.bulk.encoder import Work
    from ai_memory.embed.base import Task, TooLong

    tasks = [str(task) for task in Task]
    if arguments.task is not None and arguments.task not in tasks:
        raise InvalidInputError(f"there is no task {arguments.task!r}", hint=f"known tasks: {', '.join(tasks)}")
    return Work(
        identity=model.identity,
        folder=str(model.info.folder.absolute()),
        runtime=arguments.runtime,
        device=arguments.device,
        dtype=model.info.dtype,
        threads=model.threads,
        task=arguments.task,
        plain=arguments.plain,
        too_long=TooLong(arguments.too_long),
    )


def _encoder(arguments: argparse.Namespace, model: EmbeddingModel, work: Work) -> Encoder:
    if arguments.ray is None:
        from ai_memory.bulk.encoder import LocalEncoder

        return LocalEncoder(model, work)
    if arguments.output == _STANDARD:
        raise InvalidInputError("a cluster's results arrive in any order", hint="name a file with --output")
    from ai_memory.bulk.ray_encoder import RayEncoder

    return RayEncoder(arguments.ray, work)


def _formats(arguments: argparse.Namespace) -> tuple[InputFormat, OutputFormat]:
    from ai_memory.bulk import readers, writers

    read_as = _format(arguments.input, arguments.input_format, readers.InputFormat, readers.SUFFIXES, "input")
    write_as = _format(arguments.output, arguments.output_format, writers.OutputFormat, writers.SUFFIXES, "output")
    if arguments.input == _STANDARD and read_as is readers.InputFormat.PARQUET:
        raise InvalidInputError("Parquet cannot be read from a pipe", hint="give the path of a file")
    if arguments.output == _STANDARD and write_as is not writers.OutputFormat.JSONL:
        raise InvalidInputError("only JSON lines can be written to a pipe", hint="name a file with --output")
    if writers.OutputFormat.PARQUET is write_as:
        readers.import_parquet()  # so that a missing library is reported before the work, not after it
    return read_as, write_as


def _format(name: str, given: str | None, kind: Any, suffixes: dict[str, Any], what: str) -> Any:
    wanted = given or ("jsonl" if name == _STANDARD else suffixes.get(Path(name).suffix.lower()))
    if wanted in list(kind):
        return kind(wanted)
    raise InvalidInputError(
        f"the format of the {what} cannot be seen from {name!r}"
        if given is None
        else f"there is no {what} format {given!r}",
        hint=f"--{what}-format {', '.join(kind)}",
    )


@contextmanager
def _input(name: str) -> Iterator[IO[bytes]]:
    if name == _STANDARD:
        yield sys.stdin.buffer
        return
    try:
        opened = Path(name).open("rb")  # noqa: SIM115 (closed below; only opening it is the user's mistake)
    except FileNotFoundError:
        raise NotFoundError(f"there is no file {name}", hint="check the path") from None
    except OSError as error:
        raise InvalidInputError(f"{name} cannot be read: {error.strerror}") from None
    with opened:
        yield opened


class _Rejections:
    """Reports the rows of the input without a vector: the first ones on the screen, all of them in a file."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._all: list[Rejected] = []

    def add(self, rejected: Rejected) -> None:
        if len(self._all) < _SHOWN_REJECTIONS:
            self._screen.note(f"row {rejected.row}: {rejected.reason}")
        self._all.append(rejected)

    def finish(self, output: Path | None) -> None:
        if not self._all:
            return
        where = ""
        if output is not None:
            import msgspec

            file = output.with_name(f"{output.name}.rejected.jsonl")
            with written(file, "choose another output with -o FILE") as stream:
                stream.writelines(msgspec.json.encode(each) + b"\n" for each in self._all)
            where = f"; all are listed in {file}"
        self._screen.note(f"{len(self._all)} rejected{where}")


def _sentence(output: str, summary: Summary) -> str:
    parts = [f"{output}: {summary.vectors:,} vectors of {summary.dimension} values from {summary.tokens:,} tokens"]
    if summary.resumed:
        parts.append(f"{summary.resumed:,} from an earlier run")
    if summary.cut_texts:
        parts.append(f"{summary.cut_texts:,} texts were cut")
    if summary.rejected:
        parts.append(f"{summary.rejected:,} rejected")
    return ", ".join(parts)
