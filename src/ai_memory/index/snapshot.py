"""A partition on disk, so that a big store opens without being rebuilt.

A snapshot is a folder of `.npy` files and `snapshot.json`, which names the format, what the snapshot was made of (`Origin`) and
each file's size and CRC-32. It is written next to its final place and renamed into it, so that a crash leaves the old one, the new
one or none. Reading checks everything first; whatever is wrong with a snapshot, the result is a reason why it cannot be used,
and the index is rebuilt from the store.

Large arrays are mapped copy-on-write: pages that are never written stay in the file system's cache and are shared by all processes
that open the store. docs/decisions/snapshot-format.md says why not safetensors or `np.savez`.
"""

from __future__ import annotations

import errno
import glob
import io
import math
import os
import shutil
import time
import uuid
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ai_memory.decoding import from_json
from ai_memory.errors import StoreError, StoreFullError
from ai_memory.index.attributes import AttributeIndex
from ai_memory.index.catalog import COLUMNS, FACETS
from ai_memory.index.dense import BLOCK_ROWS, Block, ExactDenseIndex
from ai_memory.index.partition import Partition
from ai_memory.index.segments import Segment
from ai_memory.places import open_private
from ai_memory.text.analysis import ANALYSIS_VERSION
from ai_memory.text.passages import SPLIT_VERSION

FORMAT = 6
_HEAD = "snapshot.json"
_CHUNK = 1 << 22
"""Bytes copied, written and checked at once."""
_MIN_MAPPED_BYTES = 1 << 16
"""Smaller files are read: mapping them saves nothing, and a process may have only so many mappings."""
_LEFTOVER_AGE = 3600.0
"""Seconds after which an unfinished write next to a snapshot is treated as abandoned."""


class Origin(Struct, frozen=True, kw_only=True):
    """What a snapshot was made of: which store, up to which log entry, with which vectors."""

    store_id: str
    sequence: int
    generation: int | None = None
    vector_position: int = 0


class _Head(Struct, frozen=True, kw_only=True):
    """`snapshot.json`."""

    format: int
    text: str
    namespace: str
    origin: Origin
    dimension: int | None
    rows: int
    live_rows: int
    spans: tuple[tuple[int, int], ...]
    """The first row and the end of each segment of postings."""
    blocks: int
    files: dict[str, tuple[int, int]]
    """Size and CRC-32 of each file."""


class Loaded(Struct, frozen=True):
    """A snapshot that was read, or why it cannot be used (then `partition` and `origin` are None)."""

    partition: Partition | None = None
    origin: Origin | None = None
    reason: str | None = None
    damaged: bool = False
    """Whether it cannot be used because something happened to its files, and not because it is of another version or store."""


def save(partition: Partition, folder: Path, origin: Origin) -> None:
    """Write a partition to `folder`, replacing what is there.

    `origin` must have been read before this is called: what changes while it writes is then applied again after loading, which
    is harmless. Raises StoreFullError when the device is full and StoreError for any other failure; the old snapshot stays.
    """
    fresh = folder.with_name(f"{folder.name}.{uuid.uuid4().hex}.new")
    try:
        fresh.mkdir(parents=True, mode=0o700)
        _write(partition, fresh, origin)
        _replace(fresh, folder)
        _sweep(folder, older_than=time.time() - _LEFTOVER_AGE)
    except OSError as error:
        shutil.rmtree(fresh, ignore_errors=True)
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        kind = StoreFullError if full else StoreError
        raise kind(f"the index snapshot could not be written: {error.strerror or error}", path=str(folder)) from error


def load(folder: Path, *, store_id: str, namespace: str) -> Loaded:
    """Read the snapshot in `folder`. Never raises for what is wrong with it: `reason` says so, in words for a log."""
    try:
        head = _read_head(folder)
        reason = _unusable(head, store_id, namespace)
        if reason is not None:
            return Loaded(reason=reason)
        for name, (size, checksum) in head.files.items():
            if (folder / name).stat().st_size != size:
                return Loaded(reason=f"{name} is not {size} bytes long", damaged=True)
            if _checksum(folder / name) != checksum:
                return Loaded(reason=f"{name} is damaged: its checksum does not match", damaged=True)
        return Loaded(_read(folder, head), head.origin)
    except FileNotFoundError as error:
        return Loaded(reason=f"there is no {Path(str(error.filename)).name}", damaged=True)
    except (OSError, ValueError, KeyError, IndexError, EOFError, msgspec.MsgspecError) as error:
        return Loaded(reason=f"it cannot be read: {type(error).__name__}: {error}", damaged=True)


def discard(folder: Path) -> None:
    """Delete a snapshot and what interrupted writes left next to it; nothing happens where there is none."""
    shutil.rmtree(folder, ignore_errors=True)
    _sweep(folder, older_than=math.inf)


def _sweep(folder: Path, older_than: float) -> None:
    """Delete what interrupted writes left next to a snapshot before an instant (seconds since the epoch)."""
    for leftover in folder.parent.glob(f"{glob.escape(folder.name)}.*.*"):
        try:
            abandoned = leftover.suffix in (".new", ".old") and leftover.stat().st_mtime < older_than
        except FileNotFoundError:
            continue  # another process was faster
        if abandoned:
            shutil.rmtree(leftover, ignore_errors=True)


def _unusable(head: _Head, store_id: str, namespace: str) -> str | None:
    if head.format != FORMAT:
        return f"its format is {head.format}, this program reads {FORMAT}"
    if head.text != _text_version():
        return f"its terms were made by analysis {head.text}, this program's is {_text_version()}"
    if head.origin.store_id != store_id:
        return "it belongs to another store"
    if head.namespace != namespace:
        return "it belongs to another namespace"
    return None


def _text_version() -> str:
    return f"{ANALYSIS_VERSION}/{SPLIT_VERSION}"


# ── writing ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Writer:
    """Writes files of one folder, each flushed to the disk, and records sizes and checksums."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.files: dict[str, tuple[int, int]] = {}

    def array(self, name: str, array: NDArray[Any]) -> None:
        """One `.npy` file of an array of any shape and dtype.

        Each chunk is copied before it is written and checksummed, so that the checksum is of the bytes in the file even if a writer
        of the index changes the array meanwhile (a vector erased in place). The header is numpy's own, written first.
        """
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            header, {"descr": np.lib.format.dtype_to_descr(array.dtype), "fortran_order": False, "shape": array.shape}
        )
        flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        chunks = (flat[at : at + _CHUNK].tobytes() for at in range(0, len(flat), _CHUNK))
        self.bytes(f"{name}.npy", (header.getvalue(),), chunks)

    def bytes(self, name: str, *groups: Iterable[bytes]) -> None:
        """One file from the chunks of all groups, in order."""
        size = checksum = 0
        with open_private(self._folder / name) as file:
            for group in groups:
                for chunk in group:
                    file.write(chunk)
                    size += len(chunk)
                    checksum = zlib.crc32(chunk, checksum)
            _flush(file)
        self.files[name] = (size, checksum)

    def strings(self, name: str, values: Sequence[str | None]) -> None:
        """Strings as UTF-8 in one file, without separators, and their lengths in characters in another, int32, -1 for None.

        Two files whatever the number of strings, and no string needs escaping; a lone surrogate survives.
        """
        text = "".join(value for value in values if value is not None)
        self.bytes(f"{name}.txt", (text.encode("utf-8", "surrogatepass"),))
        self.array(f"{name}.lengths", np.array([-1 if value is None else len(value) for value in values], np.int32))


def _write(partition: Partition, folder: Path, origin: Origin) -> None:
    writer = _Writer(folder)
    # Under the lock only what changes in place is copied. Segments are immutable; of vectors, rows added later are not written
    # (`used`), and a row erased meanwhile is written as erased, which is never wrong.
    with partition.lock:
        catalog, lexical, dense = partition.catalog, partition.lexical, partition.dense
        rows = catalog.n
        columns = {name: catalog.column(name).copy() for name in COLUMNS}
        names = {facet: list(catalog.names[facet].names) for facet in FACETS}
        tags = {tag: having.view().copy() for tag, having in catalog.tags.items()}
        attributes = catalog.attributes
        described = attributes.terms(), attributes.rows.view().copy(), attributes.codes.view().copy()
        segments, terms, lengths = lexical.segments(), lexical.vocabulary(), lexical.lengths().copy()
        blocks = () if dense is None else dense.blocks()
    for name, column in columns.items():
        writer.array(f"column.{name}", column)
    for facet, listed in names.items():
        writer.strings(f"names.{facet}", listed)
    writer.strings("tags", list(tags))
    writer.array("tags.rows", np.concatenate([np.empty(0, np.int32), *tags.values()]))
    writer.array("tags.counts", np.array([len(having) for having in tags.values()], np.int64))
    writer.strings("attributes", described[0])
    writer.array("attributes.rows", described[1])
    writer.array("attributes.codes", described[2])
    writer.strings("words", terms)
    writer.array("lengths", lengths)
    for number, segment in enumerate(segments):
        for field in ("terms", "offsets", "rows", "counts"):
            writer.array(f"postings.{number}.{field}", getattr(segment, field))
    for number, block in enumerate(blocks):
        used = max(0, min(rows - number * BLOCK_ROWS, len(block.codes)))
        writer.array(f"vectors.{number}.codes", block.codes[:used])
        writer.array(f"vectors.{number}.scales", block.scales[:used])
    head = _Head(
        format=FORMAT,
        text=_text_version(),
        namespace=partition.namespace,
        origin=origin,
        dimension=None if dense is None else dense.dimension,
        rows=rows,
        live_rows=int((~columns["erased"]).sum()),
        spans=tuple((segment.first, segment.end) for segment in segments),
        blocks=len(blocks),
        files=writer.files,
    )
    # Last: a folder without this file is no snapshot. Its own checksum is the first line, since nothing else can vouch for it.
    encoded = msgspec.json.format(msgspec.json.encode(head))
    writer.bytes(_HEAD, (b"%08x\n" % zlib.crc32(encoded), encoded))
    _flush_folder(folder)


def _replace(fresh: Path, folder: Path) -> None:
    """Put `fresh` in the place of `folder`. A crash between the two renames leaves no snapshot, which means a rebuild.

    A folder cannot be renamed onto one that is not empty, so the old one is moved away first; processes that have mapped its
    files keep them until they let go.
    """
    if folder.exists():
        old = folder.with_name(f"{folder.name}.{uuid.uuid4().hex}.old")
        folder.rename(old)
        fresh.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    else:
        fresh.rename(folder)
    _flush_folder(folder.parent)


def _flush(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# ── reading ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _checksum(path: Path) -> int:
    checksum = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            checksum = zlib.crc32(chunk, checksum)
    return checksum


def _read_head(folder: Path) -> _Head:
    """`snapshot.json`: its own checksum in hex on the first line, then JSON."""
    checksum, _, encoded = (folder / _HEAD).read_bytes().partition(b"\n")
    if checksum != b"%08x" % zlib.crc32(encoded):
        raise ValueError(f"{_HEAD} is damaged: its checksum does not match")
    return from_json(encoded, _Head)


def _read(folder: Path, head: _Head) -> Partition:
    partition = Partition(head.namespace, head.dimension)
    columns = {name: _array(folder, f"column.{name}", head.rows) for name in COLUMNS}
    names = {facet: _strings(folder, f"names.{facet}") for facet in FACETS}
    bounds = np.cumsum(_array(folder, "tags.counts"))[:-1]
    tagged = np.split(_array(folder, "tags.rows"), bounds) if len(bounds) or len(_array(folder, "tags.counts")) else []
    tags = {str(tag): rows for tag, rows in zip(_strings(folder, "tags"), tagged, strict=True)}
    described = _array(folder, "attributes.rows")
    attributes = AttributeIndex(
        described, _array(folder, "attributes.codes", len(described)), _strings(folder, "attributes")
    )
    partition.catalog.restore(columns, names, tags, attributes)
    segments = [
        Segment(first, end, *(_array(folder, f"postings.{number}.{field}") for field in Segment._fields[2:]))
        for number, (first, end) in enumerate(head.spans)
    ]
    partition.lexical.restore(_strings(folder, "words"), segments, _array(folder, "lengths", head.rows), head.live_rows)
    if head.dimension is not None:
        partition.dense = ExactDenseIndex(head.dimension)
        partition.dense.restore(
            [
                Block(_array(folder, f"vectors.{number}.codes"), _array(folder, f"vectors.{number}.scales"))
                for number in range(head.blocks)
            ]
        )
    return partition


def _array(folder: Path, name: str, rows: int | None = None) -> NDArray[Any]:
    """One array; a large one is mapped copy-on-write. Raises ValueError if it does not have `rows` entries."""
    path = folder / f"{name}.npy"
    large = path.stat().st_size > _MIN_MAPPED_BYTES
    # As a plain ndarray: every slice of a np.memmap would run its slow `__array_finalize__`.
    array: NDArray[Any] = np.load(path, mmap_mode="c" if large else None, allow_pickle=False).view(np.ndarray)
    if rows is not None and len(array) != rows:
        raise ValueError(f"{name} has {len(array)} rows, not {rows}")
    return array


def _strings(folder: Path, name: str) -> list[str | None]:
    text = (folder / f"{name}.txt").read_bytes().decode("utf-8", "surrogatepass")
    lengths = _array(folder, f"{name}.lengths")
    ends = np.cumsum(np.maximum(lengths, 0))
    if len(ends) and int(ends[-1]) != len(text):
        raise ValueError(f"{name} has {len(text)} characters, not {ends[-1]}")
    starts = (ends - np.maximum(lengths, 0)).tolist()
    return [
        None if length < 0 else text[start:end]
        for length, start, end in zip(lengths.tolist(), starts, ends.tolist(), strict=True)
    ]
