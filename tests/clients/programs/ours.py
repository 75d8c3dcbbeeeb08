"""Puts this checkout and its packages behind those of a framework's own environment: imported first by programs that need both."""

from __future__ import annotations

import os
import sys

sys.path += os.environ["AI_MEMORY_PATHS"].split(os.pathsep)
