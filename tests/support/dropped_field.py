"""A pytest plugin that breaks the stores on purpose: it drops one field of a memory's content on its way.

`AI_MEMORY_DROP=BACKEND:PLACE:FIELD`, as `scripts/mutate_fields.py` sets it. BACKEND is `sqlite`, `neo4j` or `both`; PLACE:
`write` (the store writes the field's default), `read` (it reads the default), `compare` (a revision that changes the field
alone counts as no change), `first` (a new memory's first revision has the default).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

import ai_memory.store.mapping as mapping
from ai_memory.types import Content, MemoryRecord

BACKEND, PLACE, FIELD = os.environ["AI_MEMORY_DROP"].split(":")
DEFAULT = getattr(Content(text=""), FIELD)

_MODULES = {
    "sqlite": "ai_memory.store.sqlite.rows",
    "neo4j": "ai_memory.store.neo4j.nodes",
    "both": "ai_memory.store.content",
}
_PLACES: dict[str, tuple[str, type]] = {
    "write": ("writer", MemoryRecord),
    "read": ("reader", MemoryRecord),
    "compare": ("writer", Content),
    "first": ("maker", MemoryRecord),
}


def _broken(name: str, kind: type, make: Callable[..., Any]) -> Callable[..., Any]:
    def making(of: type, *arguments: Any) -> Any:
        made = make(of, *arguments)
        if of is not kind or sys._getframe(1).f_globals["__name__"] != _MODULES[BACKEND]:
            return made
        if name == "writer":
            return lambda value: made(replace(value, **{FIELD: DEFAULT}))
        return lambda value, *more: replace(made(value, *more), **{FIELD: DEFAULT})

    return making


assert not sys.modules.keys() & set(_MODULES.values()), "the mappers are made already: load this first, by -p"
_name, _kind = _PLACES[PLACE]
setattr(mapping, _name, _broken(_name, _kind, getattr(mapping, _name)))
