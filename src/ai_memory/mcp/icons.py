"""Icons for user interfaces: of the server, and of tools by what they do to the memory. Models never read them."""

from __future__ import annotations

import base64
from typing import Any

_SHAPES = {
    "server": "M4 3h16v5H4zm0 7h16v5H4zm0 7h16v5H4z",
    "read": "M10 2a8 8 0 1 0 5 14l5 6 2-2-6-5a8 8 0 0 0-6-13zm0 3a5 5 0 1 1 0 10 5 5 0 0 1 0-10z",
    "write": "M10 3h4v7h7v4h-7v7h-4v-7H3v-4h7z",
    "erase": "M9 2h6v2h5v3H4V4h5zM6 9h12l-1 13H7z",
}
"""Filled shapes on a field of 24 by 24: a stack, a magnifier, a plus, a bin."""


def icon(name: str) -> dict[str, Any]:
    """An icon as MCP describes one; it is its own address, since a client may have no network. `name` is `server` or an
    operation's effect.
    """
    shape = f"<path fill='#888' d='{_SHAPES[name]}'/>"
    picture = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'>{shape}</svg>"
    encoded = base64.b64encode(picture.encode()).decode()
    return {"src": f"data:image/svg+xml;base64,{encoded}", "mimeType": "image/svg+xml"}
