"""What the programs of frameworks share: checks over a store here and a service elsewhere, and a framework's own suite of tests.

A program prints a JSON object: `checks` are their names, `failed` by memory what failed and why, `suites` what a suite of the
framework's own reported.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ours  # noqa: F401
import pytest

from ai_memory import Client, Memory

CHECKS: dict[str, Callable[..., Any]] = {}
NAMES = ("in process", "over HTTP")


def check(function: Callable[..., Any]) -> Callable[..., Any]:
    """Run the function over each memory, in a namespace of its own; it may be a coroutine."""
    CHECKS[function.__name__] = function
    return function


@contextmanager
def memories() -> Iterator[dict[str, Any]]:
    """An open store and a client of the running service, by name; the address and a folder are the program's arguments."""
    url, folder = sys.argv[1:3]
    with Memory(data_dir=Path(folder) / "ours", model="hashing") as memory, Client(url) as client:
        yield dict(zip(NAMES, (memory, client), strict=True))


@pytest.fixture(scope="module")
def opened() -> Iterator[dict[str, Any]]:
    """The memories, for a suite of tests: a program imports this fixture."""
    with memories() as found:
        yield found


def run(*suites: str) -> None:
    """Run the checks, and the classes of tests of these names in the program, and report."""
    failed: dict[str, dict[str, str]] = {}
    with memories() as opened:
        for name, memory in opened.items():
            failed[name] = {}
            for each, function in CHECKS.items():
                try:
                    done = function(memory, each)
                    if inspect.isawaitable(done):
                        asyncio.run(_finished(done))
                except Exception as error:  # noqa: BLE001 - whatever it is, it is what the report says
                    failed[name][each] = _why(error)
    report = {"checks": list(CHECKS), "failed": failed, "suites": _suites(suites) if suites else {}}
    print(json.dumps(report))


def _why(error: Exception) -> str:
    """The error, and the line of the program that it came from."""
    own = [each for each in traceback.extract_tb(error.__traceback__) if each.filename == sys.argv[0]]
    return f"{type(error).__name__}: {error} ({own[-1].lineno}: {own[-1].line})"[:500]


async def _finished(coroutine: Any) -> Any:
    return await coroutine


def _suites(names: tuple[str, ...]) -> dict[str, Any]:
    """The framework's suites, as pytest in this process finds them in the program."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # those of the checkout's environment are not for this one
    outcomes: Counter[str] = Counter()
    failures: dict[str, str] = {}

    class Report:
        def pytest_runtest_logreport(self, report: Any) -> None:
            if report.when == "call" or report.outcome != "passed":
                outcomes[report.outcome] += 1
            if report.failed:
                failures[report.nodeid.partition("::")[2]] = str(report.longrepr)[-600:]

    options = ["-q", "--noconftest", "-p", "no:cacheprovider", "-p", "pytest_asyncio.plugin", "-o", "asyncio_mode=auto"]
    options += [
        "-o",
        "asyncio_default_fixture_loop_scope=function",
        "-o",
        "python_files=*.py",
        "-c",
        os.devnull,
        "--rootdir",
        str(Path(__file__).parent),
        "--import-mode=importlib",
    ]
    code = pytest.main([*options, *(f"{sys.argv[0]}::{name}" for name in names)], plugins=[Report()])
    return {"exit": int(code), **outcomes, "failures": failures}
