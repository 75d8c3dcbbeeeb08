"""Snapshots of partitions in a folder next to the store, so that opening a large store rebuilds nothing.

`progress.json` says how far the store had been followed when the partitions were saved, and which namespace is in which
sub-folder. Small partitions are not worth files of their own: they are rebuilt from the store.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from ai_memory.decoding import from_json
from ai_memory.errors import StoreError
from ai_memory.index import snapshot
from ai_memory.index.partition import Partition
from ai_memory.index.snapshot import Origin
from ai_memory.places import open_private

logger = logging.getLogger(__name__)

WORTH_SAVING = 1_000
"""Partitions of fewer rows are rebuilt rather than read."""
_HEAD = "progress.json"


class Saved(Struct, frozen=True):
    """What `progress.json` holds: how far the store had been followed, and the namespaces that have a snapshot.

    `digest` is that of the log entry at `origin.sequence`: a store that was put back to an earlier day has another one there.
    """

    origin: Origin
    digest: str
    namespaces: tuple[str, ...]


class SnapshotFolder:
    """The folder that holds the snapshots of one store."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: Saved | None = None
        """The head that this process last read or wrote: it is still on disk unless another process has saved since."""

    def load(self, store_id: str) -> tuple[dict[str, Partition], Saved] | None:
        """The saved partitions and how far they had followed the store, or None when they cannot be used as they are."""
        try:
            saved = self._read_head()
        except (OSError, msgspec.MsgspecError) as error:
            logger.warning("the saved index is not used: %s", error)
            return None
        if saved is None:
            return None
        partitions: dict[str, Partition] = {}
        for namespace in saved.namespaces:
            loaded = snapshot.load(self._place(namespace), store_id=store_id, namespace=namespace)
            if loaded.partition is None or loaded.origin is None or not _fits(loaded.origin, saved.origin):
                logger.warning("the saved index is not used: %s", loaded.reason or "it is of another moment")
                return None
            partitions[namespace] = loaded.partition
        self._known = saved
        return partitions, saved

    def damage(self, store_id: str) -> str | None:
        """What happened to the saved files, None where they are sound or nothing is saved. Reads all of them."""
        try:
            saved = self._read_head()
        except (OSError, msgspec.MsgspecError) as error:
            return f"{_HEAD}: {error}"
        for namespace in saved.namespaces if saved is not None else ():
            loaded = snapshot.load(self._place(namespace), store_id=store_id, namespace=namespace)
            if loaded.damaged:
                return loaded.reason
        return None

    def save(self, partitions: Mapping[str, Partition], changed: set[str], origin: Origin, digest: str) -> bool:
        """Save the partitions that changed, then say how far they go; whether that was done.

        A failure is logged and leaves nothing half-said. While another process saves, nothing is done; after it has saved,
        its partitions may be of another moment, so that all are written.
        """
        kept = tuple(sorted(name for name, partition in partitions.items() if partition.n >= WORTH_SAVING))
        try:
            with self._alone() as alone:
                if alone:
                    self._save(partitions, changed, Saved(origin, digest, kept))
                return alone
        except (StoreError, OSError) as error:
            logger.warning("the index could not be saved and will be rebuilt at the next start: %s", error)
            return False

    def discard(self) -> None:
        """Delete everything saved, the head first, so that a half-deleted folder is not read."""
        if self._folder.exists():
            (self._folder / _HEAD).unlink(missing_ok=True)
            shutil.rmtree(self._folder, ignore_errors=True)

    def _save(self, partitions: Mapping[str, Partition], changed: set[str], saved: Saved) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # words of memories are in it
        mine = self._is_mine()
        (self._folder / _HEAD).unlink(missing_ok=True)
        for namespace in saved.namespaces:
            place = self._place(namespace)
            if namespace in changed or not mine or not place.exists():
                snapshot.save(partitions[namespace], place, saved.origin)
        self._write_head(saved)
        self._known = saved

    def _is_mine(self) -> bool:
        """True if the head on disk is the one that this process last read or wrote."""
        try:
            return self._known is not None and self._read_head() == self._known
        except msgspec.MsgspecError:
            return False

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Whether no other process is saving here; none begins before the block ends."""
        lock = os.open(self._folder.with_name(self._folder.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(lock)

    def _read_head(self) -> Saved | None:
        try:
            return from_json((self._folder / _HEAD).read_bytes(), Saved)
        except FileNotFoundError:
            return None

    def _place(self, namespace: str) -> Path:
        return self._folder / hashlib.blake2b(namespace.encode(), digest_size=10).hexdigest()

    def _write_head(self, saved: Saved) -> None:
        fresh = self._folder / f"{_HEAD}.new"
        with open_private(fresh) as file:
            file.write(msgspec.json.encode(saved))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._folder / _HEAD)


def _fits(partition: Origin, whole: Origin) -> bool:
    """Whether a partition saved at one moment, and unchanged since, belongs to what was saved at another."""
    return (
        partition.store_id == whole.store_id
        and partition.generation == whole.generation
        and partition.sequence <= whole.sequence
        and partition.vector_position <= whole.vector_position
    )
