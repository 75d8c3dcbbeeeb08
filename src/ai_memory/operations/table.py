"""The one list of operations. Surfaces, the reference pages and the parity test all walk it."""

from __future__ import annotations

from ai_memory.operations import (
    about,
    changes,
    deciding,
    generations,
    graph,
    inbox,
    moving,
    reading,
    watching,
    writing,
)
from ai_memory.operations.base import Operation
from ai_memory.operations.upkeep import events

OPERATIONS: tuple[Operation, ...] = (
    writing.REMEMBER,
    writing.REMEMBER_MANY,
    writing.REMEMBER_MESSAGES,
    reading.RECALL,
    reading.GET,
    reading.LIST,
    writing.REVISE,
    writing.RETIRE,
    writing.FORGET,
    writing.FORGET_MANY,
    about.FORGET_ABOUT,
    graph.RELATE,
    graph.UNRELATE,
    graph.NEIGHBOURS,
    graph.ENTITIES,
    graph.PATH,
    graph.GRAPH,
    deciding.MERGE,
    deciding.SPLIT,
    deciding.DECISIONS,
    deciding.UNDO,
    inbox.PROPOSALS,
    inbox.PROPOSE,
    inbox.DECIDE,
    inbox.FEEDBACK,
    inbox.CONSOLIDATE,
    watching.JOBS,
    watching.STEER_JOB,
    reading.HISTORY,
    reading.TIMELINE,
    reading.CONTEXTS,
    changes.CHANGES,
    moving.NAMESPACES,
    watching.STATS,
    watching.HEALTH,
    events.EVENTS,
    moving.EXPORT,
    moving.IMPORT,
    generations.GENERATIONS,
    generations.REEMBED,
    generations.CANCEL_REEMBED,
    generations.ACTIVATE_GENERATION,
    generations.TAKE_BACK,
    generations.PRUNE_GENERATIONS,
)

BY_NAME: dict[str, Operation] = {operation.name: operation for operation in OPERATIONS}
