"""API keys: which namespaces a request may use."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping

from msgspec import Struct
from starlette.types import Scope

from ai_memory.api.http.headers import Headers, address_of, header
from ai_memory.errors import ForbiddenError, InvalidInputError, UnauthorizedError
from ai_memory.operations.base import Operation, Request, Response
from ai_memory.remote import ACTOR_HEADER, PROOF_HEADER
from ai_memory.types import Actor
from ai_memory.wording.ways import API_KEY

EVERY = "*"
_SCHEMES = ("bearer", "token")
"""Of the header Authorization; the second is that of mem0's clients."""
_DECLARED = (Actor.AGENT, Actor.PERSON, Actor.IMPORT, Actor.POLICY)
"""What a caller may say of itself; that it is a person it must show."""


class Access(Struct, frozen=True):
    """The namespaces that a caller may use; `everything` opens all of them."""

    namespaces: frozenset[str] = frozenset()
    everything: bool = False

    def check(self, operation: Operation, request: Struct) -> None:
        """Raise ForbiddenError unless this access opens the namespaces that `request` uses."""
        if self.everything:
            return
        if operation.whole_store:
            raise ForbiddenError(
                f"{operation.name} concerns all namespaces, and this key does not open all",
                hint='use a key of "*" in the setting api_keys',
            )
        if "namespace" not in operation.request.__struct_fields__:
            return
        namespace: str | None = getattr(request, "namespace")  # noqa: B009 (not every request type has it)
        if namespace is None:
            raise ForbiddenError(
                f"{operation.name} without a namespace covers all of them, and this key does not open all",
                hint=f"give one of: {', '.join(sorted(self.namespaces))}",
            )
        if namespace not in self.namespaces:
            raise ForbiddenError(
                f"this key does not open the namespace {namespace!r}",
                hint=f"it opens: {', '.join(sorted(self.namespaces))}",
                namespace=namespace,
            )

    def visible(self, operation: Operation[Request, Response], response: Response) -> Response:
        """The part of a response that this access opens."""
        if self.everything or operation.visible is None:
            return response
        return operation.visible(response, self.namespaces)


ALL = Access(everything=True)


class Keys:
    """The server's API keys; without any, every caller may do everything."""

    def __init__(self, keys: Mapping[str, Iterable[str]], persons: Iterable[str] = (), proof: str = "") -> None:
        """`keys` by namespace, `*` for all; `persons` are those that a person holds, and `proof` shows a person without one.

        Raises InvalidInputError for a blank key.
        """
        self._persons = frozenset(map(_digest, persons))
        self._proof = _digest(proof) if proof else None
        opened: dict[bytes, set[str]] = {}
        for namespace, texts in keys.items():
            for text in texts:
                if not text.strip():
                    raise InvalidInputError(
                        f"api_keys holds a blank key for {namespace!r}", hint="make one with: openssl rand -hex 24"
                    )
                opened.setdefault(_digest(text), set()).add(namespace)
        self._access = {
            digest: ALL if EVERY in namespaces else Access(frozenset(namespaces))
            for digest, namespaces in opened.items()
        }

    @property
    def required(self) -> bool:
        """Whether a request must carry a key."""
        return bool(self._access)

    def access(self, headers: Headers) -> Access:
        """What the request's key opens; raises UnauthorizedError without a known key."""
        if not self._access:
            return ALL
        token = key_in(headers)
        if token is None:
            raise UnauthorizedError("this server requires an API key", hint=API_KEY)
        digest, found = _digest(token), None
        for known, access in self._access.items():  # all of them, so that the time does not depend on which one matches
            if hmac.compare_digest(known, digest):
                found = access
        if found is None:
            raise UnauthorizedError(
                "this API key is unknown", hint=API_KEY.after("one of the server's api_keys is needed: ")
            )
        return found

    def caller(self, scope: Scope) -> str:
        """Who a request is from: its key's digest, or its address on a server without keys, where anybody may send any key."""
        key = key_in(scope["headers"]) if self._access else None
        return address_of(scope) if key is None else _digest(key).hex()

    def actor(self, headers: Headers) -> Actor:
        """As whose a request's writes are recorded: a person's where that is shown, else an agent's or what it declares.

        Raises InvalidInputError for an actor that is none.
        """
        declared = header(headers, ACTOR_HEADER.lower().encode())
        if declared not in (None, "", *_DECLARED):
            raise InvalidInputError(
                f"{ACTOR_HEADER}: {declared[:80]!r} is no actor",
                hint=f"one of: {', '.join(_DECLARED)}",
                field=ACTOR_HEADER,
            )
        if declared and declared != Actor.PERSON:
            return Actor(declared)
        return Actor.PERSON if self._shows_person(headers, declared) else Actor.AGENT

    def _shows_person(self, headers: Headers, declared: str | None) -> bool:
        """Whether a request has a person's key, or claims to be a person's and has the proof."""
        token, proof = key_in(headers), header(headers, PROOF_HEADER.lower().encode())
        if self._persons and token is not None and _digest(token) in self._persons:
            return True
        return bool(declared and proof and self._proof and hmac.compare_digest(_digest(proof), self._proof))


def key_in(headers: Headers) -> str | None:
    """The key that a request carries, or None."""
    given = header(headers, b"authorization")
    if given is not None:
        scheme, _, token = given.partition(" ")
        if scheme.lower() in _SCHEMES and token.strip():
            return token.strip()
    return header(headers, b"x-api-key")


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
