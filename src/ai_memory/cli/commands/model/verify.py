"""`model verify`: compares the results of the local weights with published numbers."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ai_memory.cli import exits
from ai_memory.cli.model_options import add_model_options, open_model
from ai_memory.cli.output.progress import progress
from ai_memory.cli.output.screen import Screen

if TYPE_CHECKING:
    from ai_memory.modelcheck.verify import Check

FAILED = exits.BY_CODE["model_files"]


def add(parser: argparse.ArgumentParser) -> None:
    """The model and its arithmetic."""
    add_model_options(parser, dimension=False)


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Three lines per check: pass or fail, the published values and their source, the results. Exit code 8 if one fails."""
    with open_model(arguments) as model:
        from ai_memory.modelcheck.verify import are_vectors_published, verify

        checks = []
        with progress(screen, "verifying", " checks") as advance:
            for check in verify(model):
                checks.append(check)
                advance(1)
        info = model.info
        compared = are_vectors_published(model)
    failed = sum(not check.passed for check in checks)
    value = {
        "model": info.name,
        "folder": str(info.folder),
        "dtype": info.dtype,
        "runtime": info.runtime,
        "passed": failed == 0,
        "vectors_published": compared,
        "checks": [{name: getattr(check, name) for name in check.__dataclass_fields__} for check in checks],
    }
    lines = [f"{info.name} in {info.folder}, {info.dtype} on {info.runtime}", ""]
    lines += [line for check in checks for line in _lines(check)]
    verdict = f"all {len(checks)} checks passed" if not failed else f"{failed} of {len(checks)} checks FAILED"
    lines += [
        "",
        verdict if not failed else f"{verdict}: these are other weights, or the runtime computes them wrongly",
    ]
    if not compared:
        lines.append(
            "no vectors of this model are published: sizes and shapes were checked, not whether these are its weights"
        )
    screen.value(value, lines)
    return exits.OK if not failed else FAILED


def _lines(check: Check) -> list[str]:
    verdict = "pass" if check.passed else "FAIL"
    if check.difference is None:
        return [f"{verdict}  {check.name}: {check.found}" + ("" if check.passed else f", expected {check.expected}")]
    return [
        f"{verdict}  {check.name}: off by {check.difference:.6f}, allowed {check.tolerance}",
        f"      published {check.expected}  ({check.source})",
        f"      found     {check.found}",
    ]
