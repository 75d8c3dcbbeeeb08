"""Which function carries out which operation: the one place that binds the two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ai_memory.operations import about as erase
from ai_memory.operations import changes as change
from ai_memory.operations import deciding as decide
from ai_memory.operations import generations as generation
from ai_memory.operations import graph as relation
from ai_memory.operations import inbox as propose
from ai_memory.operations import moving as move
from ai_memory.operations import reading as read
from ai_memory.operations import watching as watch
from ai_memory.operations import writing as write
from ai_memory.operations.base import Operation, Request, Response
from ai_memory.operations.upkeep import events as event
from ai_memory.operations.upkeep import keeping as keep
from ai_memory.service.handlers import generations, jobs, moving, proposals, reading, writing
from ai_memory.service.handlers.ageing import changes, consolidating
from ai_memory.service.handlers.erasing import about, forgetting
from ai_memory.service.handlers.graph import deciding, relations, walking
from ai_memory.service.handlers.upkeep import events, keeping, watching
from ai_memory.service.parts import Parts

Handler = Callable[[Parts, Any], Any]


def _bind(
    operation: Operation[Request, Response], handler: Callable[[Parts, Request], Response]
) -> tuple[str, Handler]:
    """One entry; the signature has the type checker compare the handler with the operation's request and response."""
    return operation.name, handler


HANDLERS: dict[str, Handler] = dict(
    (
        _bind(write.REMEMBER, writing.remember),
        _bind(write.REMEMBER_MANY, writing.remember_many),
        _bind(write.REMEMBER_MESSAGES, writing.remember_messages),
        _bind(write.REVISE, writing.revise),
        _bind(write.RETIRE, writing.retire),
        _bind(write.FORGET, forgetting.forget),
        _bind(write.FORGET_MANY, forgetting.forget_many),
        _bind(erase.FORGET_ABOUT, about.forget_about),
        _bind(read.RECALL, reading.recall),
        _bind(read.GET, reading.get),
        _bind(read.LIST, reading.list_),
        _bind(read.HISTORY, reading.history),
        _bind(read.TIMELINE, reading.timeline),
        _bind(read.CONTEXTS, reading.contexts),
        _bind(relation.RELATE, relations.relate),
        _bind(relation.UNRELATE, relations.unrelate),
        _bind(relation.NEIGHBOURS, walking.neighbours),
        _bind(relation.ENTITIES, walking.entities),
        _bind(relation.PATH, walking.path),
        _bind(relation.GRAPH, walking.graph),
        _bind(decide.MERGE, deciding.merge),
        _bind(decide.SPLIT, deciding.split),
        _bind(decide.DECISIONS, deciding.decisions),
        _bind(decide.UNDO, deciding.undo),
        _bind(propose.PROPOSALS, proposals.proposals),
        _bind(propose.PROPOSE, proposals.propose),
        _bind(propose.DECIDE, proposals.decide),
        _bind(propose.FEEDBACK, proposals.feedback),
        _bind(watch.JOBS, jobs.jobs),
        _bind(watch.STEER_JOB, jobs.steer_job),
        _bind(propose.CONSOLIDATE, consolidating.consolidate),
        _bind(move.NAMESPACES, moving.namespaces),
        _bind(change.CHANGES, changes.changes),
        _bind(watch.STATS, watching.stats),
        _bind(watch.HEALTH, watching.health),
        _bind(event.EVENTS, events.events),
        _bind(keep.CHECK, keeping.check),
        _bind(keep.FINDINGS, keeping.findings),
        _bind(keep.BACKUPS, keeping.backups),
        _bind(keep.MAKE_BACKUP, keeping.make_backup),
        _bind(keep.VERIFY_BACKUP, keeping.verify_backup),
        _bind(keep.DELETE_BACKUP, keeping.delete_backup),
        _bind(keep.MODELS, keeping.models),
        _bind(keep.FETCH_MODEL, keeping.fetch_model),
        _bind(generation.GENERATIONS, generations.generations),
        _bind(generation.REEMBED, generations.reembed),
        _bind(generation.CANCEL_REEMBED, generations.cancel_reembed),
        _bind(generation.ACTIVATE_GENERATION, generations.activate_generation),
        _bind(generation.TAKE_BACK, generations.take_back),
        _bind(generation.PRUNE_GENERATIONS, generations.prune_generations),
    )
)
"""The handler of each operation by the operation's name. The two that stream lines are methods of every caller instead."""
