"""Where a Neo4j store is: `neo4j://user@host:port/database`, read without opening anything."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote, urlsplit

from msgspec import Struct

from ai_memory.errors import InvalidInputError

SCHEMES = ("neo4j", "neo4j+s", "neo4j+ssc", "bolt", "bolt+s", "bolt+ssc")
"""With routing or to one server, in the clear, with TLS, or with TLS and a self-signed certificate."""

DEFAULT_PORT = 7687
DEFAULT_USER = "neo4j"
DEFAULT_DATABASE = "neo4j"
_FORM = "neo4j://USER@HOST:PORT/DATABASE"


class Address(Struct, frozen=True, kw_only=True):
    """The parts of an address. `uri` is what the driver connects to; `shown` is for people and holds no password."""

    uri: str
    user: str
    database: str
    password: str | None = None

    @property
    def host(self) -> str:
        """The name or number of the machine."""
        return urlsplit(self.uri).hostname or ""

    @property
    def shown(self) -> str:
        """The address with its user and database, without a password."""
        scheme, _, host = self.uri.partition("://")
        return f"{scheme}://{self.user}@{host}/{self.database}"

    def __repr__(self) -> str:
        return f"Address({self.shown!r})"


def is_address(store: str) -> bool:
    """Whether the setting `store` names a Neo4j server rather than a file."""
    return store.partition("://")[0].lower() in SCHEMES and "://" in store


def parse_address(store: str) -> Address:
    """The parts of an address. Raises InvalidInputError, never showing a password."""
    try:
        parts = urlsplit(store)
        port = parts.port or DEFAULT_PORT
    except ValueError as error:
        raise InvalidInputError(
            f"the address of the store cannot be read: {error}", hint=f"write it as {_FORM}"
        ) from None
    scheme, host, database = parts.scheme.lower(), parts.hostname, unquote(parts.path.strip("/")) or DEFAULT_DATABASE
    if scheme not in SCHEMES or not host or "/" in database or parts.fragment or parse_qs(parts.query):
        raise InvalidInputError(
            "the address of the store is not complete, or says too much", hint=f"write it as {_FORM}"
        )
    if ":" in host:
        host = f"[{host}]"
    return Address(
        uri=f"{scheme}://{host}:{port}",
        user=unquote(parts.username or DEFAULT_USER),
        database=database,
        password=None if parts.password is None else unquote(parts.password),
    )
