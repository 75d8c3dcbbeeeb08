"""All importers, and which of them reads a file or folder."""

from __future__ import annotations

from pathlib import Path

from ai_memory.errors import InvalidInputError
from ai_memory.importers.base import Importer
from ai_memory.importers.chats import calendar, chatgpt, claude, mail
from ai_memory.importers.memories import (
    chroma,
    cognee,
    graphiti,
    hindsight,
    langgraph,
    letta,
    mcp_memory,
    mcp_memory_service,
    mem0,
    mempalace,
)
from ai_memory.wording.spelling import did_you_mean

IMPORTERS: dict[str, Importer] = {
    module.IMPORTER.name: module.IMPORTER
    for module in (
        chatgpt,
        claude,
        mcp_memory,
        mem0,
        graphiti,
        letta,
        langgraph,
        mcp_memory_service,
        mempalace,
        chroma,
        hindsight,
        cognee,
        mail,
        calendar,
    )
}
"""By name, in the order in which they are asked whether a source is theirs: those that recognise it by more come first."""


def importer_named(name: str) -> Importer:
    """The importer of that name. Raises InvalidInputError with the names there are."""
    found = IMPORTERS.get(name.strip().lower())
    if found is None:
        raise InvalidInputError(
            f"there is no importer {name!r}{did_you_mean(name, IMPORTERS)}",
            hint=f"choose one of {', '.join(IMPORTERS)}",
        )
    return found


def importer_for(path: Path) -> Importer | None:
    """The importer that recognises a file or folder; None where it is of no program's own format."""
    return next((importer for importer in IMPORTERS.values() if importer.finds(path)), None)
