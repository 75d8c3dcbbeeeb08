"""Remembers files and folders: read one by one, sent in batches, one receipt per memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from ai_memory.cli.output.file_receipts import FileReceipts
from ai_memory.cli.output.progress import progress
from ai_memory.cli.output.screen import Screen
from ai_memory.errors import ConflictError, InvalidInputError, MemoryServiceError, NotFoundError
from ai_memory.importers.decoding import text_of, unreadable
from ai_memory.importers.files import markdown, tables
from ai_memory.importers.files.finding import Format, files_below, format_of, others_below
from ai_memory.importers.files.json_lines import lines_of
from ai_memory.importers.files.links import Links
from ai_memory.importers.notes import vaults
from ai_memory.installation import require_service
from ai_memory.operations.base import parse
from ai_memory.operations.caller import Caller
from ai_memory.operations.graph import RELATE, RelateRequest
from ai_memory.operations.imported import Imported, parts_of, split_warning
from ai_memory.operations.moving import ImportRequest
from ai_memory.operations.writing import MAX_TEXT, REMEMBER_MANY, Draft, RememberManyRequest
from ai_memory.types import Outcome, Receipt

BATCH_FILES = 200
BATCH_CHARACTERS = 2_000_000
MAX_CONTEXT = 512

Found = tuple[Path, Path | None]
"""A file, and the folder it was found under."""


class _Item(NamedTuple):
    """One memory to be: its draft, or why there is none."""

    path: Path
    draft: Draft | MemoryServiceError
    warnings: tuple[str, ...] = ()
    whole: Draft | None = None
    """The draft with the whole file as its text, for a note whose attributes or references the service refuses."""


def found_files(paths: Iterable[str], folders: Iterable[str], formats: Iterable[Format]) -> list[Found]:
    """The named files, then the files of these formats below the named folders.

    Raises InvalidInputError for what is not a folder, and for a folder without such files.
    """
    files: list[Found] = [(Path(path), None) for path in paths]
    wanted = frozenset(formats)
    for name in folders:
        folder = Path(name)
        if not folder.is_dir():
            raise InvalidInputError(f"{name} is not a folder", hint="use --file for a single file")
        below: list[Found] = [(path, folder) for path in files_below(folder, wanted)]
        if not below:
            others = others_below(folder)
            raise InvalidInputError(
                f"there are no {' or '.join(sorted(wanted))} files below {name}"
                + (f", only {others}" if others else ""),
                hint="check the path",
            )
        files += below
    return files


def remember_files(
    files: list[Found],
    common: dict[str, Any],
    options: dict[str, Any],
    caller: Caller,
    screen: Screen,
    *,
    whole: bool,
    mapping: Mapping[str, str] | None = None,
) -> FileReceipts:
    """Store what the files hold; what cannot be read is rejected in its receipt, and the rest is stored.

    `common` are fields for all files: those in a file win, except that tags are added. `options` are those of remember_many.
    `whole`: each file is one memory, a table and JSON as text; otherwise each row, line or item is one. `mapping`: as for
    `tables.rows`.
    """
    sending = _Sending(common, options, caller, mapping or {})
    with progress(screen, "remembering", "file", len(files)) as advance:
        for path, folder in files:
            sending.take(path, folder, whole)
            advance(1)
        sending.flush()
        sending.link()
    return sending.report()


def resume_key(path: Path) -> str:
    """A key for this file and its content: a later run of the same command resumes where this one ended."""
    try:
        state = path.stat()
    except OSError as error:
        raise unreadable(path, error) from None
    return f"{path.name[-100:]}:{state.st_size}:{state.st_mtime_ns}"


class _Sending:
    """One run over files: gathers drafts, sends them in batches and counts what became of them."""

    def __init__(
        self, common: Mapping[str, Any], options: Mapping[str, Any], caller: Caller, mapping: Mapping[str, str]
    ) -> None:
        self._mapping = mapping
        self._vaults: dict[Path | None, vaults.Vault] = {}
        self._common = common
        self._options = options
        self._caller = caller
        self._batch: list[_Item] = []
        self._characters = 0
        self._receipts: list[Receipt] = []
        self._warnings: list[str] = []
        self._counts: Counter[str] = Counter()
        self._links = Links()
        self._linked = 0

    def take(self, path: Path, folder: Path | None, whole: bool) -> None:
        """Read one file; its drafts are sent with their batch."""
        try:
            form = format_of(path)
            if whole and form not in (Format.MARKDOWN, Format.DOCUMENT):
                form = Format.TEXT
            if form is Format.JSON:
                self.flush()
                self._import(path)
                return
            for item in self._items(path, folder, form):
                self._add(item)
        except MemoryServiceError as error:
            self._add(_Item(path, error))

    def link(self) -> None:
        """Relate each note to the notes that it links to; a relation that exists already stays as it is."""
        scope = {name: value for name, value in self._options.items() if name == "namespace"}
        for source, target in self._links.pairs():
            try:
                self._caller.carry_out(RELATE, parse(RelateRequest, {**scope, "source": source, "target": target}))
            except (NotFoundError, ConflictError) as error:
                self._warnings.append(f"the link from {source} to {target} was not stored: {error.message}")
            else:
                self._linked += 1

    def report(self) -> FileReceipts:
        """What became of all files."""
        return FileReceipts(
            links=self._linked,
            receipts=tuple(self._receipts),
            counts={outcome.value: self._counts[outcome.value] for outcome in Outcome},
            warnings=tuple(self._warnings),
        )

    def flush(self) -> None:
        """Send what is pending; what the service refuses for a field is sent once more as text alone."""
        answered = self._send([item.draft for item in self._batch if isinstance(item.draft, Draft)])
        refused: list[tuple[_Item, Receipt]] = []
        for item in self._batch:
            if not isinstance(item.draft, Draft):
                self._reject(item.path, item.draft.code, item.draft.message)
                continue
            receipt = next(answered)
            if receipt.outcome is Outcome.REJECTED and receipt.code != "forgotten" and item.whole is not None:
                refused.append((item, receipt))
            else:
                self._note(item, receipt)
        again = self._send([item.whole for item, _ in refused if item.whole is not None])
        for (item, first), second in zip(refused, again, strict=True):
            kept = f"{first.reason}; the whole file was stored as text instead"
            self._note(item._replace(warnings=(*item.warnings, kept)), second)
        self._batch, self._characters = [], 0

    def _add(self, item: _Item) -> None:
        size = len(item.draft.text) if isinstance(item.draft, Draft) else 0
        if self._batch and (len(self._batch) >= BATCH_FILES or self._characters + size > BATCH_CHARACTERS):
            self.flush()
        self._batch.append(item)
        self._characters += size

    def _items(self, path: Path, folder: Path | None, form: Format) -> Iterator[_Item]:
        source, context = _place(path, folder)
        if form is Format.DOCUMENT:
            require_service("reading documents", "documents")
            from ai_memory.importers.notes import documents

            for values, warnings in documents.drafts(path, source):
                yield from self._parts(path, {"context": context, **values} if context else values, warnings, None)
            return
        vault = self._vault_of(folder) if form is Format.MARKDOWN else vaults.Vault.PLAIN
        if folder is not None and vault is vaults.Vault.NOTION:
            shown = vaults.shown_place(PurePosixPath(path.relative_to(folder).as_posix()), vault)
            context = "" if str(shown.parent) == "." else _storable(str(shown.parent)[:MAX_CONTEXT])
        text = text_of(path)
        if form is Format.TABLE:
            read: Iterable[Imported] = tables.rows(text, source, self._mapping)
        elif form is Format.MARKDOWN:
            place = PurePosixPath(source)
            read = [vaults.draft_values(text, place, vault, source=source)]
        else:
            read = [Imported({"source": source, "text": markdown.some_text(text)}, ())]
        for values, warnings in read:
            own = {"context": context, **values} if context else values
            if folder is not None and form is Format.MARKDOWN:
                self._links.add(str(path), own, vaults.linked(text, vault))
            yield from self._parts(path, own, warnings, text if form is Format.MARKDOWN else None)

    def _vault_of(self, folder: Path | None) -> vaults.Vault:
        """The program that a folder is of, found out once."""
        if folder not in self._vaults:
            self._vaults[folder] = vaults.vault_of(folder)
        return self._vaults[folder]

    def _parts(self, path: Path, own: dict[str, Any], warnings: tuple[str, ...], text: str | None) -> Iterator[_Item]:
        tags = [*own.get("tags", ()), *self._common.get("tags", ())]
        values = {**self._common, **own, **({"tags": tags} if tags else {})}
        whole = None
        try:
            parts = [parse(Draft, part) for part in parts_of(values)]
            if text is not None and len(text) <= MAX_TEXT:
                safe = {name: value for name, value in values.items() if name not in ("attributes", "supersedes")}
                whole = parse(Draft, {**safe, "text": markdown.some_text(text)})
        except MemoryServiceError as error:
            yield _Item(path, error)
            return
        if len(parts) > 1:
            warnings = (*warnings, split_warning(len(parts)))
        for number, draft in enumerate(parts):
            yield _Item(path, draft, warnings if number == 0 else (), whole)

    def _send(self, drafts: list[Draft]) -> Iterator[Receipt]:
        if not drafts:
            return iter(())
        return iter(
            self._caller.carry_out(REMEMBER_MANY, RememberManyRequest(memories=drafts, **self._options)).receipts
        )

    def _import(self, path: Path) -> None:
        """Import a JSON file line by line."""
        request = parse(ImportRequest, {**self._options, "resume_key": resume_key(path)})
        try:
            with path.open("rb") as raw:
                report = self._caller.import_lines(request, lines_of(raw, path.name, _unseen))
        except OSError as error:
            raise unreadable(path, error) from None
        self._counts.update(report.counts)
        for line in report.rejected:
            reason = f"{path}: line {line.line}: {line.reason}"
            self._receipts.append(Receipt(outcome=Outcome.REJECTED, code=line.code, reason=reason))
        self._warnings += [f"{path}: line {warning.line}: {warning.message}" for warning in report.warnings]

    def _note(self, item: _Item, receipt: Receipt) -> None:
        if receipt.outcome is Outcome.REJECTED:
            self._reject(item.path, receipt.code or "rejected", receipt.reason or "")
            return
        self._receipts.append(receipt)
        self._counts[receipt.outcome.value] += 1
        if receipt.memory_id is not None:
            self._links.stored(str(item.path), receipt.memory_id)
        self._warnings += [f"{item.path}: {warning}" for warning in item.warnings]

    def _reject(self, path: Path, code: str, reason: str) -> None:
        text = reason if str(path) in reason else f"{path}: {reason}"
        self._receipts.append(Receipt(outcome=Outcome.REJECTED, code=code, reason=text))
        self._counts[Outcome.REJECTED.value] += 1


def _place(path: Path, folder: Path | None) -> tuple[str, str]:
    """The source and context of a file: its path below the folder and the sub-folders; its name and none without a folder."""
    inside = PurePosixPath(path.relative_to(folder).as_posix()) if folder is not None else PurePosixPath(path.name)
    context = "" if str(inside.parent) == "." else str(inside.parent)[:MAX_CONTEXT]
    return _storable(str(inside)), _storable(context)


def _storable(name: str) -> str:
    """A path with U+FFFD for bytes that are not UTF-8, which a file system may have in its names."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _unseen(count: int) -> None:
    del count
