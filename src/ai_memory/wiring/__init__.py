"""Builds the service from settings: the only place that reads the environment and chooses implementations."""

from __future__ import annotations

import datetime as dt
import logging
import shutil
import tempfile
import weakref
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from msgspec import Struct

from ai_memory.clock import Clock, SystemClock, period
from ai_memory.embed.base import Embedder
from ai_memory.embed.deterministic import HashingEmbedder
from ai_memory.embed.load import load_embedder
from ai_memory.embed.matryoshka import at_dimension
from ai_memory.embed.models.known import known_model
from ai_memory.embed.models.locate import find_model
from ai_memory.embed.models.own import remember_folder, remembered
from ai_memory.embed.remote import RemoteEmbedder
from ai_memory.errors import (
    EmbedderUnavailableError,
    InvalidInputError,
    ModelFilesError,
    NotFoundError,
    OfflineError,
    StoreCorruptError,
    StoreError,
    StoreReadOnlyError,
)
from ai_memory.extraction import extract
from ai_memory.places import absolute, model_places, shown_address, tighten
from ai_memory.recall.tuned import Tuned, decode
from ai_memory.service.background.embedder import Choice, active_generation, binding, check_identity
from ai_memory.service.background.extraction import OpenFile
from ai_memory.service.background.snapshots import SnapshotFolder
from ai_memory.service.parts import Keeping
from ai_memory.service.service import Service
from ai_memory.settings import Settings
from ai_memory.store.base import Store
from ai_memory.store.copying import OnPage, copy_store, export_digest
from ai_memory.store.graph_file import GraphFile
from ai_memory.store.sqlite.file.files import delete
from ai_memory.store.sqlite.store import open_sqlite_store
from ai_memory.truth.ageing import Background, policies_of
from ai_memory.types import EmbedderIdentity, Generation, OnConflict, Problem
from ai_memory.wire import is_on_this_machine
from ai_memory.wiring.stores import make_folder, open_store_at
from ai_memory.wording.ways import USE_FOLDER, by_field

if TYPE_CHECKING:
    from ai_memory.store.neo4j.store import Neo4jStore
    from ai_memory.store.sqlite.store import SqliteStore

logger = logging.getLogger(__name__)

NO_MODEL = "none"
AUTO = "auto"
HASHING = "hashing"
"""The model-free embedder: for trying the mechanics, not for meaning."""
HASHING_DIMENSION = 64


class Migration(Struct, frozen=True):
    """What a migration has copied where: rows by part, and the sha256 of what both stores export."""

    target: str
    counts: dict[str, int]
    digest: str


def open_service(
    settings: Settings,
    *,
    clock: Clock | None = None,
    any_embedder: bool = False,
    shipped: bool = False,
    ahead_seconds: float = 0.0,
) -> Service:
    """The service over the store that the settings name, made when it is not there yet.

    The model is loaded at its first use. With `shipped`, tuned weights are not even looked for; `ahead_seconds` as for `Service`.
    Raises EmbedderMismatchError when a model, dimension or dtype is named that is not the one this store's vectors were made with
    (unless `any_embedder`: to make them again), StoreError's subclasses when the store cannot be opened, and InvalidInputError for
    a recipe file that is none; nothing is written then.
    """
    clock = clock or SystemClock()
    tuned = None if shipped else tuned_recipe(settings)
    store = open_store(settings, clock)
    embedders, beside = Embedders(settings), settings.beside_store
    try:
        if not any_embedder:
            embedders.refuse_others(binding(store, active_generation(store)))
        return Service(
            store,
            None if settings.model == NO_MODEL else embedders.of_store,
            clock=clock,
            snapshots=SnapshotFolder(beside.with_name(beside.name + ".index")),
            snapshot_rows=0 if store.read_only else settings.snapshot_rows,
            graph_file=_graph_file(store, beside.with_name(beside.name + ".graph"), settings),
            forget_share=settings.forget_share,
            on_conflict={name: OnConflict(then) for name, then in settings.on_conflict.items()},
            policies=policies_of(settings.expire_after),
            background=background_of(settings),
            choose=embedders.chosen,
            build_lock=beside.with_name(beside.name + ".reembed.lock"),
            tuned=tuned,
            zone=settings.zone,
            ahead_seconds=ahead_seconds,
            place=Keeping(beside, settings.data_dir, settings.offline),
        )
    except BaseException:
        store.close()  # else its connections would stand in the way of whoever opens it next
        raise


def background_of(settings: Settings) -> Background:
    """What the settings have decided in the background."""

    def after(written: str) -> dt.timedelta | None:
        return period(written) if written else None

    return Background(
        erase_after=after(settings.erase_expired_after),
        lapse_after=after(settings.lapse_proposals_after),
        share=settings.brake_share,
        per_hour=settings.decisions_per_hour,
        is_on=settings.background,
    )


def _graph_file(store: Store, path: Path, settings: Settings) -> OpenFile | None:
    """What opens the graph file; where extraction is switched off, the file is deleted.

    For a store that cannot be written it is made in a temporary folder, for as long as the service is open.
    """
    if not settings.extract:
        if not store.read_only:
            delete(path)
        return None
    temporary = Path(tempfile.mkdtemp(prefix="ai-memory-")) if store.read_only else None
    if temporary is not None:
        path = temporary / path.name
    # In another zone the same words mean other days, so the file is read again.
    version = " ".join(filter(None, (extract.VERSION, settings.timezone)))

    def opened(digest_at: Callable[[int], str]) -> GraphFile:
        try:
            return GraphFile(path, store.store_id, version, digest_at)
        except (
            StoreCorruptError
        ) as error:  # all of it is derived: it is read again, and what is unread is said meanwhile
            logger.warning("%s; it is made again", error.message)
            delete(path)
            return GraphFile(path, store.store_id, version, digest_at)

    if temporary is not None:
        weakref.finalize(opened, shutil.rmtree, temporary, ignore_errors=True)
    return opened


def tuned_recipe(settings: Settings) -> Tuned | None:
    """The weights that `ai-memory tune` wrote; None where there are none and the settings name no file.

    Raises InvalidInputError for a file that was named and is not there, that cannot be read, or that holds something else.
    """
    file = settings.recipe_path
    try:
        return decode(file.read_bytes(), str(file))
    except FileNotFoundError:
        if not settings.recipe_file:
            return None
        raise InvalidInputError(
            f"there is no recipe file {file}", hint="unset recipe_file, or run ai-memory tune"
        ) from None
    except OSError as error:
        raise InvalidInputError(f"cannot read {file}: {error.strerror}", hint="delete it, or let it be read") from None


def open_store(settings: Settings, clock: Clock) -> Store:
    """The store that the settings name, made when it is not there yet. Raises as `store.opening.open_store_at`."""
    make_folder(settings.beside_store.parent)
    try:
        opened = _open_at(settings.store_place, settings, clock)
    except StoreReadOnlyError as error:
        if "://" in settings.store or not settings.store_path.exists():
            raise
        read = open_sqlite_store(settings.store_path, clock=clock, read_only=True)
        logger.warning("%s; it is opened for reading only", error.message)
        return read
    tighten(settings.beside_store)
    return opened


def _open_at(place: str, settings: Settings, clock: Clock, *, half_filled: bool = False) -> SqliteStore | Neo4jStore:
    opened = open_store_at(
        place,
        settings.store_password.get_secret_value(),
        clock=clock,
        busy_seconds=settings.busy_timeout_seconds,
        offline=settings.offline,
        half_filled=half_filled,
    )
    if opened.rewritten:  # texts that were forgotten could be guessed from the old log's digests
        _discard_derived(settings.beside_store if "://" in place else absolute(place))
    return opened


def _discard_derived(beside: Path) -> None:
    """Delete the index and the graph file next to a store; they are made again when they are next needed."""
    SnapshotFolder(beside.with_name(beside.name + ".index")).discard()
    delete(beside.with_name(beside.name + ".graph"))


def doctor(settings: Settings, *, rebuild: bool = False) -> tuple[Problem, ...]:
    """Compare what is derived with what is canonical, and the store with itself; `rebuild` re-creates the derived parts."""
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


def migrate(settings: Settings, source: str, target: str, on_page: OnPage | None = None) -> Migration:
    """Copy the store at `source` into an empty one at `target`, then compare the two; again, it goes on where it was cut off.

    Places are paths or addresses. Raises NotFoundError where there is no source file, ConflictError where the target is not
    empty, and StoreError where the two differ at the end; the source is not changed.
    """
    if "://" not in source and not Path(source).expanduser().exists():
        raise NotFoundError(f"there is no store {source}", hint="check the path after --from")
    clock = SystemClock()
    with ExitStack() as stack:
        opened = _open_at(source, settings, clock)
        stack.callback(opened.close)
        filled = _open_at(target, settings, clock, half_filled=True)
        stack.callback(filled.close)
        if filled.location == opened.location:
            raise InvalidInputError("a store cannot be migrated into itself", hint="name another place after --to")
        counts = copy_store(opened, filled, on_page)
        digest = export_digest(filled)
        if digest != export_digest(opened):
            raise StoreError(
                "the two stores do not export the same", hint="start again with an empty target, while nothing writes"
            )
        location = filled.location
    if "://" not in target:  # an index of an earlier file of that name would not fit
        path = absolute(target)
        SnapshotFolder(path.with_name(path.name + ".index")).discard()
    return Migration(location, {part.label: count for part, count in counts.items()}, digest)


class Embedders:
    """The embedders that the settings lead to. What is loaded is shared by all who ask for the same model meanwhile."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._loaded: WeakValueDictionary[tuple[str, str], Embedder] = WeakValueDictionary()

    def of_store(self, pinned: EmbedderIdentity | None) -> Embedder | None:
        """The embedder for a store whose vectors `pinned` made (None: a new one), where the settings name no other.

        What they leave open, `auto` or 0, is the store's. None where the model is not here.
        """
        settings = self._settings
        model = settings.model
        if model == AUTO and pinned is not None and not settings.embedder_url:
            model = self._model_of(pinned)
        return self._embedder(model, settings.dtype, settings.dimension, pinned)

    def chosen(self, choice: Choice, pinned: EmbedderIdentity | None) -> Embedder | None:
        """The embedder that was asked for in words; what is left open the settings say, and what they leave open the model.

        Where only a dimension or a dtype is asked for and the settings name no model, the store's own is meant.
        """
        settings = self._settings
        model, dimension = choice.model or settings.model, choice.dimension or settings.dimension
        own = choice.model is None and model in (AUTO, NO_MODEL) and (choice.dimension or choice.dtype)
        if own and pinned is not None and not settings.embedder_url:
            model, dimension = self._model_of(pinned), dimension or pinned.dimension
        if model == NO_MODEL:
            raise InvalidInputError("the setting `model` is none", hint=by_field("model", "e5").after("name one: "))
        dtype = choice.dtype or settings.dtype
        if dtype == AUTO and pinned is not None and (own or model == pinned.model):
            dtype = pinned.dtype
        return self._embedder(model, dtype, dimension, None)

    def _model_of(self, pinned: EmbedderIdentity) -> str:
        """How the settings would name the model of an identity: by its name, or by the folder that it was last loaded from.

        Raises EmbedderUnavailableError where neither is known.
        """
        if known_model(pinned.model) is not None or pinned.model == HASHING:
            return pinned.model
        folder = remembered(self._settings.data_dir, pinned)
        if folder is None:
            raise EmbedderUnavailableError(
                f"the store's vectors were made by {pinned.model}, a folder that is not known on this machine",
                hint=USE_FOLDER,
                model=pinned.model,
            )
        return str(folder)

    def refuse_others(self, active: Generation | None) -> None:
        """What was asked for by name must be the store's own; identities are known without loading weights.

        Raises EmbedderMismatchError.
        """
        settings = self._settings
        if active is None or settings.model == NO_MODEL or settings.embedder_url:
            return  # an embedder elsewhere is compared when it is first needed: it may not answer yet
        if settings.model == AUTO and settings.dtype == AUTO and not settings.dimension:
            return
        try:
            embedder = self.of_store(active.embedder)
        except (ModelFilesError, EmbedderUnavailableError):
            return  # without an embedder the service works lexically, and its answers say why
        if embedder is not None:
            check_identity(active, embedder.identity)

    def _embedder(self, model: str, dtype: str, dimension: int, pinned: EmbedderIdentity | None) -> Embedder | None:
        """One embedder; of what is left open, what `pinned` has where it is the same model."""
        if self._settings.embedder_url:
            return self._elsewhere(dimension, pinned)
        if model == HASHING:
            pinned_dimension = pinned.dimension if pinned is not None and pinned.model == HASHING else 0
            return HashingEmbedder(dimension or pinned_dimension or HASHING_DIMENSION)
        folder = find_model(model, self._settings.data_dir, model_places())
        if folder is None:
            return None
        same = pinned is not None and pinned.model == folder.name
        if pinned is not None and same:
            dtype = pinned.dtype if dtype == AUTO else dtype
            dimension = dimension or pinned.dimension
        whole = self._loaded.get((str(folder.path), dtype))
        if whole is None:
            settings = self._settings
            whole = load_embedder(folder, dtype=dtype, threads=settings.threads, cache_dir=settings.cache_dir)
            self._loaded[str(folder.path), dtype] = whole
            if known_model(folder.name) is None:
                remember_folder(settings.data_dir, whole.identity, folder.path)
        return at_dimension(whole, dimension)

    def _elsewhere(self, dimension: int, pinned: EmbedderIdentity | None) -> Embedder:
        """The embedder of the service at `embedder_url`."""
        settings = self._settings
        url = settings.embedder_url
        if settings.offline and not is_on_this_machine(url):
            raise OfflineError(
                f"the embedder at {shown_address(url)} is on another machine while `offline` is set",
                hint="use a local model, or unset offline",
            )
        whole = self._loaded.get((url, ""))
        if whole is None:
            key = settings.embedder_api_key.get_secret_value()
            whole = RemoteEmbedder(url, api_key=key or None, timeout=settings.embedder_timeout)
            self._loaded[url, ""] = whole
        same = pinned is not None and pinned.model == whole.identity.model
        return at_dimension(whole, dimension or (pinned.dimension if pinned is not None and same else 0))
