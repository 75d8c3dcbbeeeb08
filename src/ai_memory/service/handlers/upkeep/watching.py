"""Handlers that report how the service is doing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from ai_memory import __version__
from ai_memory.clock import BELIEVED_AFTER, SystemClock, in_zone
from ai_memory.errors import MemoryServiceError, NotInstalledError, StoreError
from ai_memory.installation import install_hint, require
from ai_memory.operations.watching import VECTORS_PENDING, Health, HealthRequest, Part, Stats, StatsRequest
from ai_memory.service.background.embedder import Lack, active_generation
from ai_memory.service.handlers.ageing.runner import held_jobs, is_paused
from ai_memory.service.handlers.generations import build
from ai_memory.service.parts import Parts
from ai_memory.types import Generation, Problem, WipePending
from ai_memory.wording.ways import ACTIVATE, EMBED_PENDING, REBUILD, REEMBED, RESUME, WIPE, by_operator, installing

SET_CLOCK = by_operator("set the clock of this machine", "have the machine's clock set")
AHEAD = dt.timedelta(days=1)
"""Clocks of several machines differ by less."""


def stats(parts: Parts, request: StatsRequest) -> Stats:
    """Counts of what is stored and what is pending."""
    counts = parts.store.stats(request.namespace)
    generation = parts.slot.generation()
    return Stats(
        namespace=request.namespace,
        memories=counts.memories,
        revisions=counts.revisions,
        retired=counts.retired,
        relations=counts.relations,
        entities=counts.entities,
        tombstones=counts.tombstones,
        pending=counts.pending,
        unread=_unread(parts),
        by_type=counts.by_type,
        embedder=generation.embedder if generation else None,
        generations=tuple(parts.store.generations()),
        build=build(parts) if request.namespace is None else None,
        store=parts.store.location,
        sequence=parts.store.sequence(),
        index_bytes=parts.follower.bytes_used(),
        problems=(*_backlog(parts, counts.pending), *unwiped(parts), *held_back(parts)),
    )


def health(parts: Parts, request: HealthRequest) -> Health:
    """Which parts work; asks the store, but loads nothing."""
    del request
    found = (
        _store(parts),
        *_wipe(parts),
        _embedder(parts),
        *_vectors(parts),
        _graph(parts),
        *_build(parts),
        *_clock(parts),
        *_decisions(parts),
        *_mcp(),
    )
    return Health(
        live=True,
        ready=found[0].state == "ok",
        degraded=tuple(part.name for part in found if part.state in ("degraded", "failed")),
        parts=found,
        version=__version__,
    )


def _store(parts: Parts) -> Part:
    try:
        sequence = parts.store.sequence()
    except StoreError as error:
        return Part(name="store", state="failed", message=error.message, mend=error.hint)
    trouble = parts.store.trouble()
    if trouble is not None:
        return Part(name="store", state="degraded", message=f"{trouble.message}; reading works", mend=trouble.hint)
    return Part(name="store", state="ok", message=f"{parts.store.location}, {sequence} changes")


def _clock(parts: Parts) -> Iterator[Part]:
    """The clock, while what is written may be dated wrongly."""
    if isinstance(parts.clock, SystemClock) and (jump := parts.clock.jump()):
        seconds = BELIEVED_AFTER // 1_000_000
        message = f"the machine's clock jumped by {jump}; changes are dated as before until it has stayed there for {seconds} s"
        yield Part(name="clock", state="degraded", message=message, mend=str(SET_CLOCK))
    try:
        newest = parts.store.log(after=parts.store.sequence() - 1, limit=1)
    except StoreError:
        return  # the part `store` says so
    if newest and newest[-1].at > parts.clock.now() + AHEAD:
        message = f"the newest change is dated {newest[-1].at:%Y-%m-%d}: the clock was ahead then, or is behind now"
        yield Part(name="clock", state="degraded", message=message, mend=str(SET_CLOCK))


def dated_ahead(parts: Parts) -> Iterator[Problem]:
    """The finding that changes are dated in the future; reads the whole log."""
    limit, after, count, first = parts.clock.now() + AHEAD, 0, 0, 0
    while entries := parts.store.log(after=after):
        after = entries[-1].sequence
        ahead = [entry.sequence for entry in entries if entry.at > limit]
        count, first = count + len(ahead), first or next(iter(ahead), 0)
    if count:
        yield Problem(
            check="dated_ahead",
            message=f"changes are dated in the future, the first of them is log entry {first}: the clock was ahead then",
            count=count,
            mend=f"{SET_CLOCK}; what is dated wrongly can be forgotten and remembered again",
        )


def _embedder(parts: Parts) -> Part:
    state, error = parts.slot.state, parts.slot.error
    generation = _generation(parts)
    if state == "ready":
        message = f"{generation.embedder.model}, {generation.embedder.dimension} dimensions" if generation else "ready"
        if error is not None:
            message += f"; last failure: {error.message}"
            return Part(name="embedder", state="degraded", message=message, mend=error.hint)
        return Part(name="embedder", state="ok", message=message)
    if state == "loading":
        return Part(
            name="embedder", state="loading", message="the model is being loaded; recall uses lexical search only"
        )
    if error is not None:
        return Part(name="embedder", state="failed", message=error.message, mend=error.hint)
    if state == "idle":
        message = (
            f"{generation.embedder.model}, loaded at the first use" if generation else "looked for at the first use"
        )
        return Part(name="embedder", state="ok", message=message)
    lack = parts.slot.lack()
    message = "no embedder" if lack is None else lack.message
    way = None if lack is None or lack.way is None else str(lack.way)
    return Part(name="embedder", state="degraded", message=f"{message}; recall uses lexical search only", mend=way)


def _vectors(parts: Parts) -> Iterator[Part]:
    try:
        pending = parts.backlog.pending()
    except MemoryServiceError:
        return
    if not pending:
        yield Part(name="vectors", state="ok", message="every revision is embedded")
        return
    message = "1 revision is not embedded yet" if pending == 1 else f"{pending:,} revisions are not embedded yet"
    lack = parts.slot.lack()
    if lack is None:
        yield Part(name="vectors", state="loading", message=message, mend=str(EMBED_PENDING))
    else:
        mend = None if lack.way is None else str(lack.way)
        yield Part(name="vectors", state="degraded", message=f"{message}: {lack.message}", mend=mend)


def backlog(parts: Parts) -> Iterator[Problem]:
    """The finding that some revisions lack a vector that they should have: nothing is lost, but semantic search misses them."""
    yield from _backlog(parts, parts.backlog.pending())


def unwiped(parts: Parts) -> Iterator[Problem]:
    """The finding that bytes of forgotten memories are still on disk."""
    found = parts.upkeep.unwiped()
    if found is not None:
        yield Problem(check="wipe_pending", message=_waits(parts, found), mend=str(WIPE))


def _wipe(parts: Parts) -> Iterator[Part]:
    """The wipe of forgotten memories, while it has to wait."""
    try:
        found = parts.upkeep.unwiped()
    except StoreError:
        return  # the part `store` says so
    if found is not None:
        yield Part(name="wipe", state="degraded", message=_waits(parts, found), mend=str(WIPE))


def held_back(parts: Parts) -> Iterator[Problem]:
    """The findings that the brake has stopped background decisions until a person says so."""
    for held in held_jobs(parts):
        yield Problem(check=f"{held.kind.part}_waits", message=held.message, count=held.due, mend=str(held.way))


def _decisions(parts: Parts) -> Iterator[Part]:
    """Background decisions, while they wait for a person."""
    try:
        if is_paused(parts.store):
            yield Part(name="jobs", state="ok", message="all background decisions are paused", mend=str(RESUME))
        for held in held_jobs(parts):
            yield Part(name=held.kind.part, state="degraded", message=held.message, mend=str(held.way))
    except StoreError:
        return  # the part `store` says so


def _waits(parts: Parts, found: WipePending) -> str:
    since = (
        "an earlier version's time" if found.since is None else f"{in_zone(found.since, parts.zone):%Y-%m-%d %H:%M:%S}"
    )
    return f"bytes of what was forgotten are still on disk, since {since}: {found.why}"


def _backlog(parts: Parts, pending: int) -> Iterator[Problem]:
    if not pending or parts.slot.state == "disabled":
        return
    lack = parts.slot.lack() or Lack("they wait", EMBED_PENDING)
    yield Problem(
        check=VECTORS_PENDING,
        message=f"revisions have no vector and are found lexically only: {lack.message}",
        count=pending,
        mend=None if lack.way is None else str(lack.way),
    )


def _unread(parts: Parts) -> int | None:
    try:
        return None if parts.graph is None else parts.graph.unread()
    except StoreError:
        return None  # the part `graph` of health says so


def _graph(parts: Parts) -> Part:
    """A graph that lags behind or fails degrades nothing else."""
    if parts.graph is None:
        return Part(name="graph", state="ok", message="switched off (extract = false)")
    try:
        unread = parts.graph.unread()
    except StoreError as error:
        return Part(name="graph", state="degraded", message=error.message, mend=str(REBUILD))
    if unread:
        return Part(name="graph", state="loading", message=f"{unread} changes have not been read yet")
    return Part(name="graph", state="ok", message="what memories name has been read")


def _mcp() -> Iterator[Part]:
    """That MCP is not installed, which is no fault."""
    try:
        require("mcp", "MCP")
    except NotInstalledError:
        yield Part(
            name="mcp",
            state="ok",
            message="not installed (the extra `mcp`)",
            mend=str(installing("mcp", install_hint("mcp"))),
        )


def _generation(parts: Parts) -> Generation | None:
    try:
        return active_generation(parts.store)
    except StoreError:
        return None  # the part `store` says so


def _build(parts: Parts) -> Iterator[Part]:
    """The build, while there is one that has not ended well."""
    try:
        found = build(parts)
    except StoreError:
        return
    if found is None or found.state in ("done", "cancelled"):
        return
    what = f"{found.embedder.model}, {found.embedder.dimension} dimensions: {found.done:,} of {found.total:,} revisions"
    if found.state == "failed":
        yield Part(name="reembed", state="degraded", message=f"{what}; {found.error}", mend=str(REEMBED))
    elif found.state == "waiting":
        yield Part(name="reembed", state="loading", message=f"{what}; no process is working on it", mend=str(REEMBED))
    elif found.state == "ready":
        yield Part(name="reembed", state="ok", message=f"{what}; ready", mend=str(ACTIVATE))
    else:
        left = f", {found.seconds_left:,.0f} s left" if found.seconds_left is not None else ""
        yield Part(name="reembed", state="loading", message=what + left)
