"""Writes the typed Python methods of the operations (ai_memory/python/*methods.py)."""

from __future__ import annotations

import datetime as dt
import enum
import json
import re
import textwrap
from collections.abc import Iterable
from types import ModuleType
from typing import Any, Literal, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, UNSET, Struct, UnsetType

from ai_memory.operations import table as operation_table
from ai_memory.operations.base import Operation, fields_of, hints_of, meanings_of, without_none
from ai_memory.operations.schema import schemas
from ai_memory.operations.table import OPERATIONS
from ai_memory.types import Selection

WIDTH = 118
SCHEMAS = schemas(OPERATIONS)
FILTERS = tuple(name for name in Selection.__struct_fields__ if name != "namespace")


def _defined_in(*names: str) -> tuple[Operation, ...]:
    return tuple(o for o in OPERATIONS if o.request.__module__.split(".")[-1] in names)


OF_GRAPH, OF_MOVING = _defined_in("graph", "deciding", "about"), _defined_in("moving")
OF_UPKEEP, OF_INBOX = _defined_in("generations", "watching", "events", "keeping"), _defined_in("inbox")
"""Each a module of its own: all methods in one would be longer than a file should be."""

CONSTANTS = {
    operation.name: (module.__name__, name)
    for module in vars(operation_table).values()
    if isinstance(module, ModuleType)
    for name, operation in vars(module).items()
    if isinstance(operation, Operation)
}
"""The module of each operation, and its name there."""

HEAD = '''"""The operations as {kind} methods, typed and documented.

Written by scripts/generate.py from the operations; do not edit.
"""
{shadowing}
from __future__ import annotations

'''
SHADOWING = "# ruff: noqa: A002 (parameters have the names of the requests' fields: id, type)\n"


def sync_module() -> str:
    """The text of ai_memory/python/methods.py."""
    title = "One method for each operation. Fields that are not given keep the operation's defaults."
    others = (operation for operation in OPERATIONS if operation not in OF_GRAPH + OF_MOVING + OF_UPKEEP + OF_INBOX)
    body = (
        f"{_filters()}\n\n{_class('Methods(GraphMethods, InboxMethods, MovingMethods)', title, others, is_async=False)}"
    )
    bases = {
        "graph_methods": ["GraphMethods"],
        "inbox_methods": ["InboxMethods"],
        "moving_methods": ["MovingMethods"],
    }
    return _module("plain", body, {f"ai_memory.python.{module}": names for module, names in bases.items()})


def graph_module() -> str:
    """The text of ai_memory/python/graph_methods.py."""
    title = "The methods of relations and of what they join."
    body = _class("GraphMethods(UpkeepMethods)", title, OF_GRAPH, is_async=False)
    return _module("plain", body, {"ai_memory.python.upkeep_methods": ["UpkeepMethods"]})


def upkeep_module() -> str:
    """The text of ai_memory/python/upkeep_methods.py."""
    title = "The methods of a store's state and its vector generations."
    return _module("plain", _class("UpkeepMethods(Calls)", title, OF_UPKEEP, is_async=False), {})


def inbox_module() -> str:
    """The text of ai_memory/python/inbox_methods.py."""
    title = "The methods of proposals and feedback."
    return _module("plain", _class("InboxMethods(Calls)", title, OF_INBOX, is_async=False), {})


def moving_module() -> str:
    """The text of ai_memory/python/moving_methods.py."""
    title = "The methods that move memories out and in."
    return _module("plain", _class("MovingMethods(Calls)", title, OF_MOVING, is_async=False), {})


def async_module() -> str:
    """The text of ai_memory/python/async_methods.py."""
    title = "One coroutine for each operation; `ai_memory.python.methods.Methods` says what the fields mean."
    others = (operation for operation in OPERATIONS if operation not in OF_INBOX + OF_GRAPH)
    body = _class("AsyncMethods(AsyncGraphMethods)", title, others, is_async=True)
    bases = {"ai_memory.python.methods": ["Filters"], "ai_memory.python.async_graph_methods": ["AsyncGraphMethods"]}
    return _module("async", body, bases)


def async_graph_module() -> str:
    """The text of ai_memory/python/async_graph_methods.py."""
    title = (
        "The coroutines of relations and of what they join; `ai_memory.python.graph_methods` says what the fields mean."
    )
    body = _class("AsyncGraphMethods(AsyncInboxMethods)", title, OF_GRAPH, is_async=True)
    return _module("async", body, {"ai_memory.python.async_inbox_methods": ["AsyncInboxMethods"]})


def async_inbox_module() -> str:
    """The text of ai_memory/python/async_inbox_methods.py."""
    title = "The coroutines of proposals and feedback; `ai_memory.python.inbox_methods` says what the fields mean."
    return _module("async", _class("AsyncInboxMethods(AsyncCalls)", title, OF_INBOX, is_async=True), {})


_STANDARD = {
    "collections.abc": ["AsyncIterable", "AsyncIterator", "Iterable", "Iterator", "Mapping", "Sequence"],
    "typing": ["Any", "Literal", "TypedDict", "Unpack"],
}


def _class(head: str, title: str, operations: Iterable[Operation], *, is_async: bool) -> str:
    body = "\n".join(_method(operation, is_async=is_async) for operation in operations)
    return f'class {head}:\n    """{title}"""\n\n{body}'


def _module(kind: str, body: str, more: dict[str, list[str]]) -> str:
    """A module of a body, with the imports of the names that occur in it."""
    named = set(re.findall(r"\w+", body))
    modules = {**_STANDARD, **_type_modules(), **more}
    blocks = []
    for part in (_STANDARD, ["msgspec"], [name for name in modules if name.startswith("ai_memory")]):
        used = {module: [name for name in modules[module] if name in named] for module in sorted(part)}
        lines = [_import_line(module, sorted(names, key=_isort_key)) for module, names in used.items() if names]
        if lines:
            blocks.append("\n".join(lines))
    imports = "\n\n".join(blocks)
    shadowing = SHADOWING if re.search(r"^ +(id|type): ", body, re.MULTILINE) else ""
    return f"{HEAD.format(kind=kind, shadowing=shadowing)}{imports}\n\n\n{body}"


def _type_modules() -> dict[str, list[str]]:
    """The types that the signatures name, by module."""
    from ai_memory.inbox import ProposalKind, ProposalState, Verdict
    from ai_memory.operations.upkeep.events import EventKind
    from ai_memory.operations.writing import Draft, Message
    from ai_memory.recall.answer import Layer
    from ai_memory.types import JobStatus, MemoryType, OnConflict

    named = {
        Draft,
        EventKind,
        JobStatus,
        Layer,
        MemoryType,
        Message,
        OnConflict,
        ProposalKind,
        ProposalState,
        Verdict,
        *(o.response for o in OPERATIONS if o.response is not bytes),
    }
    modules: dict[str, list[str]] = {
        "msgspec": ["UNSET", "UnsetType"],
        "ai_memory.operations.caller": ["Progress"],
        "ai_memory.python.async_calls": ["AsyncCalls"],
        "ai_memory.python.calls": ["Calls", "Instant", "Line"],
        "ai_memory.types": ["DEFAULT_NAMESPACE"],
    }
    for kind in named:
        modules.setdefault(kind.__module__, []).append(kind.__name__)
    for module, constant in CONSTANTS.values():
        modules.setdefault(module, []).append(constant)
    return modules


def _import_line(module: str, names: list[str]) -> str:
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= WIDTH + 2:
        return line
    inner = "".join(f"    {name},\n" for name in names)
    return f"from {module} import (\n{inner})"


def _isort_key(name: str) -> tuple[int, str]:
    return (0 if name.isupper() else 1, name)


def _filters() -> str:
    """The filters that recall, list, timeline and forget_many share."""
    lines = ["class Filters(TypedDict, total=False):", '    """Which memories are meant. Fields are joined by AND.', ""]
    hints = hints_of(Selection)
    for name in FILTERS:
        lines += _doc_line(name, _description(Selection, name), "    ")
    lines += ['    """', ""]
    lines += [f"    {name}: {annotation(hints[name])}" for name in FILTERS]
    return "\n".join(lines) + "\n"


def _method(operation: Operation, *, is_async: bool) -> str:
    hints = hints_of(operation.request)
    fields = fields_of(operation.request)
    filtered = issubclass(operation.request, Selection)
    shown = [name for name in fields if not (filtered and name in FILTERS)]
    positional = _positional(operation, [name for name in shown if _is_required(fields[name])])
    keywords = [name for name in shown if name not in positional]

    lines = "Iterable[Line] | AsyncIterable[Line]" if is_async else "Iterable[Line]"
    parameters = [f"lines: {lines}"] if operation.stream == "in" else []
    spelt = {name: (meaning.extra or {}).get("python") for name, meaning in meanings_of(operation.request).items()}
    parameters += [_parameter(name, hints[name], fields[name], spelt.get(name)) for name in positional]
    parameters += ["*"] if keywords else []
    parameters += [_parameter(name, hints[name], fields[name], spelt.get(name)) for name in keywords]
    parameters += ["progress: Progress | None = None"] if operation.stream == "in" else []
    parameters += ["**filters: Unpack[Filters]"] if filtered else []
    values = [f'"{name}": {name},' for name in (*positional, *keywords)] + (["**filters,"] if filtered else [])
    return "\n".join(
        [
            *_signature(operation, parameters, is_async=is_async),
            *(_short_doc(operation) if is_async else _doc(operation, (*positional, *keywords), filtered=filtered)),
            *_body(operation, values, is_async=is_async),
            "",
        ]
    )


def _signature(operation: Operation, parameters: list[str], *, is_async: bool) -> list[str]:
    define = "async def" if is_async and operation.stream != "out" else "def"
    lines = "AsyncIterator[dict[str, Any]]" if is_async else "Iterator[dict[str, Any]]"
    returns = lines if operation.stream == "out" else operation.response.__name__
    if not parameters:
        return [f"    {define} {operation.name}(self) -> {returns}:"]
    one_line = f"    {define} {operation.name}(self, {', '.join(parameters)}) -> {returns}:"
    if len(one_line) <= WIDTH + 2 and len(parameters) < 3:
        return [one_line]
    inner = [f"        {parameter}," for parameter in ("self", *parameters)]
    return [f"    {define} {operation.name}(", *inner, f"    ) -> {returns}:"]


def _body(operation: Operation, values: list[str], *, is_async: bool) -> list[str]:
    wait = "await " if is_async and operation.stream != "out" else ""
    made = [f"        values: dict[str, Any] = {{{' '.join(values).removesuffix(',')}}}"]
    if len(made[0]) > WIDTH + 2:
        # Several on a line, as nobody reads them: one on each would make the methods longer than a function should be.
        packed = textwrap.wrap(
            " ".join(value.replace(" ", "\0") for value in values),
            WIDTH,
            initial_indent=" " * 12,
            subsequent_indent=" " * 12,
            break_long_words=False,
            break_on_hyphens=False,
        )
        lines = (line.replace("\0", " ") for line in packed)
        made = ["        values: dict[str, Any] = {", *lines, "        }  # fmt: skip"]
    if operation.stream == "in":
        return [*made, f"        return {wait}self._import(values, lines, progress)"]
    if operation.stream == "out":
        return [*made, "        return self._export(values)"]
    return [*made, f"        return {wait}self._carry_out({CONSTANTS[operation.name][1]}, values)"]


def _doc(operation: Operation, names: tuple[str, ...], *, filtered: bool) -> list[str]:
    lines = [f'        """{operation.summary}.', ""]
    if operation.stream == "in":
        lines += _doc_line("lines", "Values, or JSON text: drafts as for remember, or an archive's lines.", "        ")
    for name in names:
        lines += _doc_line(name, _description(operation.request, name), "        ")
    if operation.stream == "in":
        lines += _doc_line("progress", "Called after each batch with the lines done and the counts so far.", "        ")
    if filtered:
        lines += _doc_line("filters", "Which memories are meant; see `Filters`.", "        ")
    if len(lines) == 2:
        return [f'        """{operation.summary}."""']
    return [*lines, '        """']


def _short_doc(operation: Operation) -> list[str]:
    return [f'        """{operation.summary}."""']


def _doc_line(name: str, text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        f"{name}: {text}",
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + "    ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _description(request: type[Struct], name: str) -> str:
    if request is Selection:
        request = next(o.request for o in OPERATIONS if o.name == "list")
    return str(SCHEMAS[request.__name__]["properties"][name].get("description", ""))


def _positional(operation: Operation, required: list[str]) -> list[str]:
    """The required fields in the command line's order, then the optional ones that follow them there."""
    order = operation.command.positional if operation.command is not None else ()
    first = [name for name in order if name in required]
    first += [name for name in required if name not in first]
    last = max((order.index(name) for name in first if name in order), default=-1)
    return [*first, *(name for name in order[last + 1 :] if name not in first)]


def _parameter(name: str, hint: Any, field: msgspec.structs.FieldInfo, spelt: str | None) -> str:
    """A parameter; `spelt` is what may be given for it where that is more than its type says."""
    if spelt is not None:
        spelt += " | None" if type(None) in get_args(hint) else ""
    if _is_required(field):
        return f"{name}: {spelt or annotation(hint)}"
    return f"{name}: {spelt or annotation(hint, field)} = {default(field)}"


def _is_required(field: msgspec.structs.FieldInfo) -> bool:
    return field.default is NODEFAULT and field.default_factory is NODEFAULT


def annotation(hint: Any, field: msgspec.structs.FieldInfo | None = None) -> str:
    """A field's type as a caller may give it, as source."""
    wanted = without_none(hint)
    others = [arg for arg in get_args(hint) if arg in (type(None), UnsetType)] if wanted is not hint else []
    text = _given(wanted)
    if UnsetType in others or (field is not None and default(field) == "UNSET"):
        text += " | UnsetType"
    return f"{text} | None" if type(None) in others else text


def _given(wanted: Any) -> str:
    origin, args = get_origin(wanted), get_args(wanted)
    if wanted is dt.datetime:
        return "Instant"
    if origin is Literal:
        return f"Literal[{', '.join(json.dumps(arg) for arg in args)}]"
    if origin is dict:
        return "Mapping[str, Any]"
    if origin in (tuple, list):
        if isinstance(args[0], type) and issubclass(args[0], Struct):
            short = (
                " | str" if [name for name, of in fields_of(args[0]).items() if _is_required(of)] == ["text"] else ""
            )
            return f"Sequence[{args[0].__name__} | Mapping[str, Any]{short}]"
        return f"{_given(args[0])} | Sequence[{_given(args[0])}]"
    if isinstance(wanted, type) and issubclass(wanted, enum.Enum):
        return f"{wanted.__name__} | str"
    if isinstance(wanted, type):
        return wanted.__name__
    raise TypeError(f"no Python spelling for {wanted!r}")


def default(field: msgspec.structs.FieldInfo) -> str:
    """A field's default as source; what is created for each request is left to the operation."""
    value = field.default
    if value is NODEFAULT or value is UNSET:
        return "UNSET"
    if value == "default" and field.name == "namespace":
        return "DEFAULT_NAMESPACE"
    if isinstance(value, str) and not isinstance(value, enum.Enum):
        return json.dumps(value)
    return _source(value)


def _source(value: Any) -> str:
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, tuple):
        return f"({', '.join(_source(item) for item in value)}{',' if len(value) == 1 else ''})"
    return repr(value)
