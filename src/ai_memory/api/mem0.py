"""mem0's REST interface below /mem0, so that its clients work when they are pointed here, with bodies and errors as they read them.

The paths are those of `mem0ai`'s `MemoryClient` (v1 to v3) and of mem0's own server. What they do is `ai_memory.integrations.mem0`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from msgspec import Struct
from starlette.types import Receive, Scope, Send

from ai_memory.api.endpoints import Api, Handler, json_object
from ai_memory.api.http.body import Body
from ai_memory.api.http.headers import Headers
from ai_memory.api.http.keys import Access
from ai_memory.api.http.responses import RenderedError, send_body
from ai_memory.errors import InvalidInputError, MemoryServiceError, NotFoundError
from ai_memory.integrations.items import listed
from ai_memory.integrations.mem0 import SCOPES, Memory, scope_of, selection, shown
from ai_memory.operations.base import Operation, Request, Response, to_json
from ai_memory.operations.caller import Caller
from ai_memory.python.methods import Methods
from ai_memory.service.acting import Acting
from ai_memory.types import DEFAULT_NAMESPACE, Actor

PREFIX = "/mem0"
PAGE_SIZE = 100

Values = Mapping[str, Any]
Answer = Callable[[Memory, Values], Any]


class Route(NamedTuple):
    """One method of some paths."""

    method: str
    paths: tuple[str, ...]
    answer: Answer


def mem0_paths(api: Api) -> dict[str, dict[str, Handler]]:
    """What answers the methods of each path."""
    paths: dict[str, dict[str, Handler]] = {}
    for route in _ROUTES:
        for path in route.paths:
            paths.setdefault(PREFIX + path, {})[route.method] = Handler("other", _Endpoint(api, route.answer))
    return paths


def render(error: MemoryServiceError) -> RenderedError:
    """An error as mem0's clients read it."""
    return error.status, {"detail": f"{error.message} ({error.way})" if error.way else error.message}


class _Endpoint:
    """One call: reads the request, makes it in a thread, and answers with JSON."""

    def __init__(self, api: Api, answer: Answer) -> None:
        self._api = api
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: Headers = scope["headers"]
        access, actor = self._api.keys.access(headers), self._api.keys.actor(headers)
        body = await self._api.bodies.read(headers, receive)
        await send_body(send, await self._api.pool.run(partial(self._work, scope, body, access, actor)))

    def _work(self, scope: Scope, body: Body, access: Access, actor: Actor) -> bytes:
        sent = body.unpacked()
        values = {
            **dict(parse_qsl(scope["query_string"].decode("latin-1"))),
            **(json_object(scope["headers"], sent) if sent else {}),
            **scope.get("path_params", {}),
        }
        own = next(iter(access.namespaces)) if len(access.namespaces) == 1 else DEFAULT_NAMESPACE
        memory = Memory(Methods(_Checked(Acting(self._api.service, actor), access)), namespace=own)
        return to_json(self._answer(memory, values))


class _Checked:
    """A caller that carries out what a key opens."""

    def __init__(self, caller: Caller, access: Access) -> None:
        self._caller = caller
        self._access = access
        self.export, self.import_lines, self.close = caller.export, caller.import_lines, caller.close

    def carry_out(self, operation: Operation[Request, Response], request: Request) -> Response:
        """As `Caller.carry_out`; raises ForbiddenError."""
        assert isinstance(request, Struct)
        self._access.check(operation, request)
        return self._access.visible(operation, self._caller.carry_out(operation, request))


def _ping(memory: Memory, values: Values) -> Any:
    del memory, values
    return {"status": "ok", "org_id": "ai-memory", "project_id": "ai-memory", "user_email": None}


def _add(memory: Memory, values: Values) -> Any:
    options = _known(values, "metadata", "infer", "timestamp", "expiration_date")
    return memory.add(values.get("messages") or "", **_ids({**(values.get("filters") or {}), **values}), **options)


def _search(memory: Memory, values: Values) -> Any:
    top_k = _number(values, "top_k", _number(values, "limit", 10))
    return memory.search(
        str(values.get("query") or ""),
        top_k=top_k,
        filters=values.get("filters"),
        **_known(values, "threshold"),
        **_ids(values),
    )


def _get_all(memory: Memory, values: Values) -> Any:
    page, size = _number(values, "page", 1), _number(values, "page_size", PAGE_SIZE)
    chosen = selection(values.get("filters"), **_ids(values))
    found = list(_records(memory, chosen))
    start = (page - 1) * size
    return {
        "count": len(found),
        "next": f"?page={page + 1}&page_size={size}" if start + size < len(found) else None,
        "previous": f"?page={page - 1}&page_size={size}" if page > 1 else None,
        "results": found[start : start + size],
    }


def _list_all(memory: Memory, values: Values) -> Any:
    return {"results": list(_records(memory, selection(values.get("filters"), **_ids(values))))}


def _records(memory: Memory, chosen: Values) -> Iterator[dict[str, Any]]:
    filters = {name: value for name, value in chosen.items() if name != "include_ended"}
    return map(shown, listed(memory.memory, memory.namespace, order="newest", **filters))


def _get(memory: Memory, values: Values) -> Any:
    found = memory.get(values["memory_id"])
    if found is None:
        raise NotFoundError(f"there is no memory {values['memory_id'][:80]}", hint="ids come from search and get_all")
    return found


def _update(memory: Memory, values: Values) -> Any:
    text = values.get("text") or values.get("data") or values.get("memory")
    memory.update(values["memory_id"], text, **_known(values, "metadata", "timestamp", "expiration_date"))
    return {"message": "Memory updated successfully!", **_get(memory, values)}


def _delete(memory: Memory, values: Values) -> Any:
    return memory.delete(values["memory_id"])


def _delete_all(memory: Memory, values: Values) -> Any:
    return memory.delete_all(**_ids(values))


def _history(memory: Memory, values: Values) -> Any:
    return memory.history(values["memory_id"])


def _entities(memory: Memory, values: Values) -> Any:
    del values
    counts: dict[tuple[str, str], int] = {}
    for record in listed(memory.memory, memory.namespace):
        for name, value in scope_of(record).items():
            entity = (name.removesuffix("_id"), value)
            counts[entity] = counts.get(entity, 0) + 1
    results = [{"type": kind, "name": name, "total_memories": n} for (kind, name), n in sorted(counts.items())]
    return {"count": len(results), "results": results}


def _delete_entity(memory: Memory, values: Values) -> Any:
    return memory.delete_all(**_ids({f"{values['entity_type']}_id": values["entity_id"]}))


def _update_batch(memory: Memory, values: Values) -> Any:
    each = [_update(memory, one) for one in values.get("memories") or ()]
    return {"message": f"Successfully updated {len(each)} memories"}


def _delete_batch(memory: Memory, values: Values) -> Any:
    each = [_delete(memory, one) for one in values.get("memories") or ()]
    return {"message": f"Successfully deleted {len(each)} memories"}


def _reset(memory: Memory, values: Values) -> Any:
    del values
    memory.reset()
    return {"message": "All memories reset"}


def _ids(values: Values) -> dict[str, Any]:
    if values.get("app_id"):
        raise InvalidInputError("app_id has no counterpart here", hint="use user_id, agent_id or run_id")
    return {name: str(values[name]) for name in SCOPES if values.get(name)}


def _known(values: Values, *names: str) -> dict[str, Any]:
    return {name: values[name] for name in names if values.get(name) is not None}


def _number(values: Values, name: str, default: int) -> int:
    try:
        number = int(values.get(name) or default)
    except (TypeError, ValueError):
        number = 0
    if number < 1:
        raise InvalidInputError(f"{name}: {str(values[name])[:80]!r} is no number from 1", field=name)
    return number


_ONE = ("/v1/memories/{memory_id}", "/memories/{memory_id}")
_ROUTES = (
    Route("GET", ("/v1/ping",), _ping),
    Route("POST", ("/v3/memories/add", "/v1/memories", "/memories"), _add),
    Route("POST", ("/v3/memories", "/v2/memories"), _get_all),
    Route("GET", ("/v1/memories", "/memories"), _list_all),
    Route("POST", ("/v3/memories/search", "/v2/memories/search", "/v1/memories/search", "/search"), _search),
    Route("GET", _ONE, _get),
    Route("PUT", _ONE, _update),
    Route("DELETE", _ONE, _delete),
    Route("DELETE", ("/v1/memories", "/memories"), _delete_all),
    Route("GET", tuple(f"{path}/history" for path in _ONE), _history),
    Route("GET", ("/v1/entities",), _entities),
    Route("DELETE", ("/v2/entities/{entity_type}/{entity_id}",), _delete_entity),
    Route("PUT", ("/v1/batch",), _update_batch),
    Route("DELETE", ("/v1/batch",), _delete_batch),
    Route("POST", ("/reset",), _reset),
)
