"""Imports OpenVINO late and without its telemetry; every other module imports it through this one.

`import openvino` also imports its model converter (`openvino.tools.ovc`), which sends an "import" event to Google
Analytics and writes `~/intel/openvino_ga_cid`, unless the user has opted out. No model is converted here, so the converter is
blocked while openvino is imported; that also halves the import time. docs/decisions/openvino.md shows what was observed.
"""

from __future__ import annotations

import sys
from typing import Any

from ai_memory.environment import set_default

_CONVERTER = "openvino.tools.ovc"
KEPT_SHAPES = "128"
"""Capacity of the primitive caches of OpenVINO and of oneDNN below it; each input shape takes some twenty entries. The defaults are
in the thousands, and a service with ever new lengths grows by a gigabyte; an evicted primitive is compiled again in a millisecond.
With 256 the heap still grew after 6,000 passes of ever new lengths; with 128 it is constant to a few MB from the 1,000th on."""


def import_openvino() -> tuple[Any, Any]:
    """The `openvino` module and its operations (opset 13). Raises ImportError if it is not installed."""
    set_default("ONEDNN_PRIMITIVE_CACHE_CAPACITY", KEPT_SHAPES)  # oneDNN reads it once, when it is loaded
    blocked = "openvino" not in sys.modules and _CONVERTER not in sys.modules
    if blocked:
        sys.modules[_CONVERTER] = None  # type: ignore[assignment]  # makes the import raise ModuleNotFoundError
    try:
        import openvino
        from openvino import opset13
    finally:
        if blocked:
            del sys.modules[_CONVERTER]
    return openvino, opset13
