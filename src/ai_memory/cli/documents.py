"""Remembers files and folders: read one by one, sent in batches, one receipt per file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ai_memory.cli.markdown import files_below, read_file
from ai_memory.cli.output.progress import progress
from ai_memory.cli.output.screen import Screen
from ai_memory.errors import InvalidInputError, MemoryServiceError
from ai_memory.operations.base import parse
from ai_memory.operations.caller import Caller
from ai_memory.operations.writing import REMEMBER_MANY, Draft, Receipts, RememberManyRequest
from ai_memory.types import Outcome, Receipt

BATCH_FILES = 200
BATCH_CHARACTERS = 2_000_000

Found = tuple[Path, Path | None]
"""A file, and the folder it was found under."""


def found_files(paths: Iterable[str], folders: Iterable[str]) -> list[Found]:
    """The named files, then the Markdown files below the named folders. Raises InvalidInputError for what is not a folder."""
    files: list[Found] = [(Path(path), None) for path in paths]
    for name in folders:
        folder = Path(name)
        if not folder.is_dir():
            raise InvalidInputError(f"{name} is not a folder", hint="use --file for a single file")
        below: list[Found] = [(path, folder) for path in files_below(folder)]
        if not below:
            raise InvalidInputError(f"there are no .md or .markdown files below {name}", hint="check the path")
        files += below
    return files


def remember_files(
    files: list[Found], common: dict[str, Any], options: dict[str, Any], caller: Caller, screen: Screen
) -> Receipts:
    """Store every file as a memory; a file that cannot be read is rejected in its receipt, and the others are stored.

    `common` are fields for all files: those in a file win, except that tags are added. `options` are those of remember_many.
    """
    receipts: list[Receipt] = []
    with progress(screen, "remembering", "file", len(files)) as advance:
        for batch in _batches(_drafts(files, common)):
            receipts += _send(batch, options, caller)
            advance(len(batch))
    counts = Counter(receipt.outcome.value for receipt in receipts)
    return Receipts(receipts=tuple(receipts), counts={outcome.value: counts[outcome.value] for outcome in Outcome})


def _drafts(files: Iterable[Found], common: dict[str, Any]) -> Iterator[tuple[Path, Draft | MemoryServiceError]]:
    for path, folder in files:
        try:
            own = read_file(path, folder)
            tags = [*own.get("tags", ()), *common.get("tags", ())]
            yield path, parse(Draft, {**common, **own, **({"tags": tags} if tags else {})})
        except MemoryServiceError as error:
            yield path, error


def _batches(
    drafts: Iterable[tuple[Path, Draft | MemoryServiceError]],
) -> Iterator[list[tuple[Path, Draft | MemoryServiceError]]]:
    batch: list[tuple[Path, Draft | MemoryServiceError]] = []
    characters = 0
    for path, draft in drafts:
        size = len(draft.text) if isinstance(draft, Draft) else 0
        if batch and (len(batch) >= BATCH_FILES or characters + size > BATCH_CHARACTERS):
            yield batch
            batch, characters = [], 0
        batch.append((path, draft))
        characters += size
    if batch:
        yield batch


def _send(
    batch: list[tuple[Path, Draft | MemoryServiceError]], options: dict[str, Any], caller: Caller
) -> Iterator[Receipt]:
    drafts = [draft for _, draft in batch if isinstance(draft, Draft)]
    answered: Iterator[Receipt] = iter(())
    if drafts:
        response = caller.carry_out(REMEMBER_MANY, RememberManyRequest(memories=drafts, **options))
        answered = iter(response.receipts)
    for path, draft in batch:
        if isinstance(draft, Draft):
            receipt = next(answered)
            if receipt.outcome is not Outcome.REJECTED:
                yield receipt
                continue
            code, reason = receipt.code, receipt.reason or ""
        else:
            code, reason = draft.code, draft.message
        text = reason if str(path) in reason else f"{path}: {reason}"
        yield Receipt(outcome=Outcome.REJECTED, code=code, reason=text)
