"""Refuses requests that other websites' pages make through the user's browser.

A page can point its own name at 127.0.0.1 (DNS rebinding), and can send requests across sites. The Host header of the first
has the page's host name, the Origin header of the second its site; both are refused before the body is read.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

from ai_memory.api.http.headers import Headers
from ai_memory.errors import ForbiddenError
from ai_memory.places import is_loopback


class TrustedHost:
    """Checks the Host and Origin headers of requests."""

    def __init__(self, host: str, allowed_hosts: Iterable[str]) -> None:
        """`host` is the address that the server listens on; `allowed_hosts` are further names, with or without a port."""
        self._names = {host.lower(), *(_host_and_port(name)[0] for name in allowed_hosts)}

    def check(self, headers: Headers) -> None:
        """Raise ForbiddenError for a request that is addressed to another server, or sent by a page of another site."""
        first = dict(reversed(headers))  # reversed: the first of a name counts
        named = first.get(b"host", b"").decode("latin-1").strip()
        host, port = _host_and_port(named)
        # A numeric address cannot be rebound: only a name can point to a server that its owner did not mean.
        if host not in self._names and not _is_address(host) and not is_loopback(host):
            raise ForbiddenError(
                f"this server is not {named[:100]!r}",
                hint="use its own address, or add the name to AI_MEMORY_ALLOWED_HOSTS",
                host=named[:100],
            )
        if b"origin" in first:
            origin = first[b"origin"].decode("latin-1").strip()
            if _host_and_port(origin.partition("://")[2]) != (host, port):
                raise ForbiddenError(
                    f"pages of {origin[:100]!r} may not use this server",
                    hint="call it from a program, or through a server of the page's own site",
                    origin=origin[:100],
                )


@lru_cache(maxsize=64)  # nearly every request names the same host
def _host_and_port(netloc: str) -> tuple[str, str]:
    """Name in lower case and port of `name`, `name:port`, `[v6]` or `[v6]:port`."""
    if netloc.startswith("["):
        host, _, rest = netloc[1:].partition("]")
        return host.lower(), rest.removeprefix(":")
    host, _, port = netloc.partition(":")
    return host.lower().rstrip("."), port if port not in ("80", "443") else ""


@lru_cache(maxsize=64)
def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
