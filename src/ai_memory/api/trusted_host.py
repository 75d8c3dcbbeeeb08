"""Who may talk to this server at all: guards against other websites' pages in the user's browser.

A page can point its own name at 127.0.0.1 (DNS rebinding), and can send requests across sites. The Host header of the first
carries the foreign name, the Origin header of the second the foreign site; both are refused before anything is read.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from ai_memory.api.headers import Headers, header
from ai_memory.errors import ForbiddenError

LOOPBACK_NAMES = frozenset({"localhost", "ip6-localhost", "127.0.0.1", "::1"})


def is_loopback(host: str) -> bool:
    """Whether only programs on this machine can reach a server that listens on `host`."""
    if host.lower() in LOOPBACK_NAMES:
        return True
    address = _address(host)
    return address is not None and address.is_loopback


class HostGuard:
    """Checks the Host and Origin headers of requests."""

    def __init__(self, host: str, allowed_hosts: Iterable[str]) -> None:
        self._names = {host.lower(), *LOOPBACK_NAMES, *(_host_of(name)[0] for name in allowed_hosts)}

    def check(self, headers: Headers) -> None:
        """Raise ForbiddenError for a request that did not mean this server, or that another site's page sent."""
        named = header(headers, b"host") or ""
        host, port = _host_of(named)
        if host not in self._names and _address(host) is None:  # an address in digits cannot be rebound
            raise ForbiddenError(
                f"this server is not {named[:100]!r}",
                hint="use its own address, or add the name to AI_MEMORY_ALLOWED_HOSTS",
                host=named[:100],
            )
        origin = header(headers, b"origin")
        if origin is not None and _host_of(origin.partition("://")[2]) != (host, port):
            raise ForbiddenError(
                f"pages of {origin[:100]!r} may not use this server",
                hint="call it from a program, or through a server of your own",
                origin=origin[:100],
            )


def _host_of(netloc: str) -> tuple[str, str]:
    """Name in lower case and port of `name`, `name:port`, `[v6]` or `[v6]:port`."""
    if netloc.startswith("["):
        host, _, rest = netloc[1:].partition("]")
        return host.lower(), rest.removeprefix(":")
    host, _, port = netloc.partition(":")
    return host.lower().rstrip("."), port if port not in ("80", "443") else ""


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
