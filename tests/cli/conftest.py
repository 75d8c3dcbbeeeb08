"""The command line on a store of its own."""

from __future__ import annotations

from tests.support.command_line import run as run
