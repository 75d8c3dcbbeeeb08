"""The one door through which OpenVINO comes in: late, and without its telemetry.

`import openvino` also imports its model converter (`openvino.tools.ovc`), and that sends an "import" event to Google
Analytics and writes `~/intel/openvino_ga_cid`, unless the user has opted out. We convert nothing, so the converter is kept
out while openvino is imported; that also halves the import's time. docs/decisions/openvino.md shows what was observed.
"""

from __future__ import annotations

import os
import sys
from typing import Any

_CONVERTER = "openvino.tools.ovc"
KEPT_SHAPES = "128"
"""Compiled primitives that OpenVINO and oneDNN below it keep each, some twenty a shape of input. By default they keep thousands,
and a service that meets ever new lengths grows by a gigabyte; one that has left is compiled again in a millisecond. With 256 the
heap still grew after 6,000 passes of ever new lengths; with 128 it is level to some MB from the 1,000th on."""


def import_openvino() -> tuple[Any, Any]:
    """The `openvino` module and its operations (opset 13). Raises ImportError where it is not installed."""
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", KEPT_SHAPES)  # read once, when oneDNN is loaded
    blocked = "openvino" not in sys.modules and _CONVERTER not in sys.modules
    if blocked:
        sys.modules[_CONVERTER] = None  # type: ignore[assignment]  # the import system's own way to say "not there"
    try:
        import openvino
        from openvino import opset13
    finally:
        if blocked:
            del sys.modules[_CONVERTER]
    return openvino, opset13
