"""Structs to rows and back, field by field and by name.

A reader or a writer is compiled once, at import, from the fields of a struct, as `dataclasses` compiles `__init__`: a new
field needs no line here, and a row costs what code written out by hand would cost. A loop over the fields takes twice as long
a record, and stores read and write tens of thousands of them at a time.
"""

from __future__ import annotations

import datetime as dt
import math
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

from ai_memory.clock import EPOCH, to_micros
from ai_memory.inbox import ProposalKind, ProposalState, Verdict
from ai_memory.store.values import finite, json_text
from ai_memory.types import Actor, JobStatus, MemoryType

T = TypeVar("T", bound=Struct)
Row = tuple[Any, ...]


class Codec(NamedTuple):
    """How one kind of value is stored: two Python expressions, in which `{0}` is the value and `{name}` its field's name.

    In `read`, `{row[FIELD]}` is the stored value of another field of the same row.
    """

    write: str = "{0}"
    read: str = "{0}"


AS_IT_IS = Codec()
INSTANT = Codec("to_micros({0})", "EPOCH + timedelta(0, 0, {0})")
JSON = Codec("json_text({0})", "decode({0})")

Codecs = Mapping[Any, Codec]
"""By the type of a field, or by its name where one field is stored in another way than its type."""

CODECS: Codecs = {
    str: AS_IT_IS,
    int: AS_IT_IS,
    bool: Codec("int({0})", "bool({0})"),
    float: Codec("{0} + 0.0 if isfinite({0}) else finite({0}, '{name}')"),
    dt.datetime: INSTANT,
    MemoryType: Codec("str({0})", "MEMORY_TYPES[{0}]"),
    Actor: Codec("str({0})", "actor_of({0})"),
    ProposalKind: Codec("str({0})", "proposal_kind({0})"),
    ProposalState: Codec("str({0})", "proposal_state({0})"),
    JobStatus: Codec("str({0})", "job_status({0})"),
    Verdict: Codec("str({0})", "verdict({0})"),
    tuple[str, ...]: Codec("json_text({0}) if {0} else None", "() if {0} is None else tuple(decode({0}))"),
    dict[str, Any]: Codec("json_text({0}) if {0} else None", "dict() if {0} is None else decode({0})"),
}
"""Instants as microseconds since 1970; lists and objects as JSON, empty ones as None; numbers only if they are finite.

The sum makes a float of an integer and 0.0 of -0.0, as databases do: what is read is what was sealed.
"""

_ACTORS = {str(member): member for member in Actor}

_NAMES: dict[str, Any] = {
    "EPOCH": EPOCH,
    "MEMORY_TYPES": {str(member): member for member in MemoryType},
    "actor_of": lambda stored: _ACTORS.get(stored, Actor.UNKNOWN),
    "decode": msgspec.json.decode,
    "finite": finite,
    "isfinite": math.isfinite,
    "job_status": JobStatus,
    "json_text": json_text,
    "proposal_kind": ProposalKind,
    "proposal_state": ProposalState,
    "timedelta": dt.timedelta,
    "to_micros": to_micros,
    "verdict": Verdict,
}
"""What the expressions of codecs may call."""


def reader(kind: type[T], columns: Sequence[str], codecs: Codecs = CODECS) -> Callable[[Sequence[Any]], T]:
    """A function from a row that begins with `columns` to a `kind`. Columns that are no field of it are passed over.

    Raises TypeError for a field that has no column or no codec.
    """
    row = {name: f"row[{place}]" for place, name in enumerate(columns)}
    missing = [name for name in kind.__struct_fields__ if name not in row]
    if missing:
        raise TypeError(f"{kind.__name__} has fields without a column: {', '.join(missing)}")
    parts = []
    for name, hint in _fields(kind).items():
        codec = _codec(name, hint, codecs)
        parts.append(f"{name}={_expression(codec.read, hint, row[name], name=name, row=row)}")
    return cast(Callable[[Sequence[Any]], T], _compiled(f"lambda row: kind({', '.join(parts)})", kind))


def writer(kind: type[T], fields: Sequence[str], codecs: Codecs = CODECS) -> Callable[[T], tuple[Any, ...]]:
    """A function from a `kind` to the stored values of these of its fields, in this order; it may raise InvalidInputError.

    Raises TypeError for a field that has no codec.
    """
    hints = _fields(kind)
    parts = []
    for name in fields:
        codec = _codec(name, hints[name], codecs)
        parts.append(_expression(codec.write, hints[name], f"value.{name}", name=name))
    return cast(Callable[[T], tuple[Any, ...]], _compiled(f"lambda value: ({', '.join(parts)},)", kind))


def maker(kind: type[T], sources: Mapping[str, str], *given: str) -> Callable[..., T]:
    """A function that makes a `kind` from the parts of another value: the attribute, maybe of an attribute, for each field.

    The fields `given` are its further arguments.
    """
    parts = [*(f"{name}=value.{source}" for name, source in sources.items()), *(f"{name}={name}" for name in given)]
    arguments = ", ".join(("value", *given))
    return cast(Callable[..., T], _compiled(f"lambda {arguments}: kind({', '.join(parts)})", kind))


def _fields(kind: type[Struct]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {name: hints[name] for name in kind.__struct_fields__}


def _codec(name: str, hint: Any, codecs: Codecs) -> Codec:
    """The field's own codec, else that of its type: without None, and a choice of strings is a string."""
    plain = hint
    if _may_be_none(hint):
        (plain,) = (part for part in get_args(hint) if part is not type(None))
    codec = codecs.get(name) or codecs.get(str if get_origin(plain) is Literal else plain)
    if codec is None:
        raise TypeError(f"no codec for {name}: {hint}")
    return codec


def _expression(template: str, hint: Any, value: str, **names: Any) -> str:
    """The expression for a field whose value is the expression `value`; None goes as it is where the field may be None."""
    expression = template.format(value, **names)
    return f"None if {value} is None else {expression}" if _may_be_none(hint) and expression != value else expression


def _may_be_none(hint: Any) -> bool:
    return get_origin(hint) in (Union, types.UnionType) and type(None) in get_args(hint)


def _compiled(source: str, kind: type[Struct]) -> Any:
    return eval(compile(source, f"<rows of {kind.__name__}>", "eval"), {**_NAMES, "kind": kind})  # noqa: S307 - text made here
