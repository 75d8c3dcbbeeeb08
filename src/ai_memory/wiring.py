"""Builds the service from settings: the only place that reads the environment and chooses implementations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ai_memory.clock import Clock, SystemClock
from ai_memory.embed.base import Embedder
from ai_memory.embed.deterministic import HashingEmbedder
from ai_memory.embed.known import known_model
from ai_memory.embed.load import load_embedder
from ai_memory.embed.locate import find_model
from ai_memory.errors import InvalidInputError, StoreReadOnlyError
from ai_memory.service.embedding import Loader, active_generation, check_identity
from ai_memory.service.reembedding import reembed_store
from ai_memory.service.service import Service
from ai_memory.service.snapshots import SnapshotFolder
from ai_memory.settings import Settings
from ai_memory.store.base import Store
from ai_memory.store.sqlite.store import open_sqlite_store
from ai_memory.types import EmbedderIdentity, Problem

NO_MODEL = "none"
HASHING = "hashing"
"""The model-free embedder: for trying the mechanics, not for meaning."""


def open_service(settings: Settings, *, clock: Clock | None = None) -> Service:
    """The service over the store that the settings name, made when it is not there yet.

    The model is loaded at its first use. Raises EmbedderMismatchError when a model is named that is not the one this store's
    vectors were made with, and StoreError's subclasses when the store cannot be opened; nothing is written then.
    """
    clock = clock or SystemClock()
    store = open_store(settings, clock)
    try:
        _refuse_other_embedder(settings, store)
        return Service(
            store,
            embedder_loader(settings),
            clock=clock,
            snapshots=SnapshotFolder(settings.store_path.with_name(settings.store_path.name + ".index")),
            snapshot_rows=settings.snapshot_rows,
            forget_share=settings.forget_share,
        )
    except BaseException:
        store.close()  # else its connections would stand in the way of whoever opens it next
        raise


def open_store(settings: Settings, clock: Clock) -> Store:
    """The store that the settings name; the folder is made, readable by its owner only, when it is not there yet."""
    if "://" in settings.store:
        raise InvalidInputError(
            f"no store speaks {settings.store.split('://')[0]}://",
            hint="give the path of a SQLite file, or leave `store` empty",
            field="store",
        )
    path = settings.store_path
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreReadOnlyError(
            f"the folder {path.parent} cannot be made: {error.strerror}", hint="choose another with --data-dir"
        ) from error
    return open_sqlite_store(path, clock=clock, busy_timeout_seconds=settings.busy_timeout_seconds)


def embedder_loader(settings: Settings) -> Loader | None:
    """What loads the embedder that the settings name, or None when they switch it off."""
    if settings.model == NO_MODEL:
        return None

    def load(pinned: EmbedderIdentity | None) -> Embedder | None:
        return _embedder(settings, pinned)

    return load


def doctor(settings: Settings, *, rebuild: bool = False) -> tuple[Problem, ...]:
    """Compare what is derived with what is canonical, and the store with itself; `rebuild` makes derived parts anew."""
    service = open_service(settings)
    try:
        return service.doctor(rebuild=rebuild)
    finally:
        service.close()


def backup(settings: Settings, target: Path) -> None:
    """A consistent copy of the store at `target`, which must not exist; a running service need not stop."""
    store = open_store(settings, SystemClock())
    try:
        store.backup(target)
    finally:
        store.close()


def reembed(settings: Settings, progress: Callable[[int, int], None] | None = None) -> int:
    """Make all vectors anew with the embedder that the settings name, then switch to it; returns how many revisions.

    The old generation stays active, and recall right, until the new one is complete. Interrupted, it goes on where it ended.
    """
    store = open_store(settings, SystemClock())
    try:
        embedder = _embedder(settings, None)
        return reembed_store(store, embedder, progress)
    finally:
        store.close()


def _embedder(settings: Settings, pinned: EmbedderIdentity | None) -> Embedder | None:
    wanted = settings.model
    if wanted == "auto" and pinned is not None and (pinned.model == HASHING or known_model(pinned.model)):
        wanted = pinned.model
    if wanted == HASHING:
        return HashingEmbedder()
    folder = find_model(wanted, settings.data_dir)
    if folder is None:
        return None
    return load_embedder(folder, dtype=settings.dtype, threads=settings.threads, cache_dir=settings.cache_dir)


def _refuse_other_embedder(settings: Settings, store: Store) -> None:
    """A model that was asked for by name must be the store's own; its identity is known without loading its weights."""
    if settings.model in ("auto", NO_MODEL) or active_generation(store) is None:
        return
    embedder = _embedder(settings, None)
    if embedder is not None:
        check_identity(store, embedder.identity)
