"""Slows down callers that try API keys, by address. A right key from the same address is answered as ever."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from time import monotonic

import anyio

from ai_memory.errors import OverloadedError

FREE = 10
"""Wrong keys of one address that are answered at once: a person who mistypes is not an attack."""
FORGIVEN_SECONDS = 6.0
"""After each such time, one wrong key of an address is forgotten."""
STEP_SECONDS, LONGEST_SECONDS = 0.1, 2.0
"""How much later each further one is answered than the one before, up to the longest delay."""
WAITING = 64
"""Answers delayed at once; those over it are refused, so that no attack fills the server with waiting requests."""
ADDRESSES = 1_024
"""Addresses that are remembered, those with the latest wrong keys."""


class WrongKeys:
    """Counts wrong keys, and delays the answers to them. Used in the event loop only."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        """`clock` counts seconds."""
        self._clock = clock
        self._seen: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """For each address how many wrong keys count, and when the last one came."""
        self._waiting = 0

    def __len__(self) -> int:
        return len(self._seen)

    def count(self, address: str) -> float:
        """Note a wrong key from this address; returns the seconds by which the answer is to be delayed."""
        now, network = self._clock(), _network(address)
        counted, last = self._seen.pop(network, (0.0, now))
        counted = max(0.0, counted - (now - last) / FORGIVEN_SECONDS) + 1
        self._seen[network] = counted, now
        if len(self._seen) > ADDRESSES:
            self._seen.popitem(last=False)
        return min(LONGEST_SECONDS, STEP_SECONDS * max(0.0, counted - FREE))

    async def slow_down(self, address: str) -> None:
        """Note a wrong key and wait. Raises OverloadedError where too many wait already."""
        seconds = self.count(address)
        if seconds <= 0:
            return
        if self._waiting >= WAITING:
            raise OverloadedError(
                "too many requests with unknown API keys",
                hint="see api_keys in the server's settings",
                retry_after=round(LONGEST_SECONDS),
                limit=WAITING,
            )
        self._waiting += 1
        try:
            await anyio.sleep(seconds)
        finally:
            self._waiting -= 1


def _network(address: str) -> str:
    """The address, or of an IPv6 address the network of 64 bits, of which one caller usually has all addresses."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return address if found.version == 4 else str(ipaddress.ip_network((found, 64), strict=False))
