"""`setup`: enters the service in the settings of the programs that are there, takes it out again, and tries it."""

from __future__ import annotations

import argparse
import difflib
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from ai_memory.cli import exits
from ai_memory.cli.files.written import written
from ai_memory.cli.output.layout import visible_line
from ai_memory.cli.output.screen import Screen
from ai_memory.cli.setup.checking import tools_of
from ai_memory.cli.target import Choices
from ai_memory.errors import InvalidInputError, MemoryServiceError
from ai_memory.programs.editing import ABSENT, changed, entry, parsed
from ai_memory.programs.known import PROGRAMS, Program, Server, server_in
from ai_memory.wording.spelling import did_you_mean

NAME = "memory"
BACKUP = ".before-ai-memory"
"""What the name of a backup ends in."""
LARGEST = 16_000_000
"""Bytes of a settings file; a larger one is none."""


class Step(Struct, frozen=True, kw_only=True):
    """What was done, or would be, with one program."""

    program: str
    file: str
    state: str
    """`added`, `removed`, `unchanged`, `would change`, `works` or `failed`."""
    diff: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    reason: str | None = None


def add(parser: argparse.ArgumentParser) -> None:
    """The programs, and what to do with them."""
    parser.add_argument(
        "programs",
        nargs="*",
        metavar="PROGRAM",
        help=f"{', '.join(PROGRAMS)}; without any, all that are there",
    )
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--undo", action="store_true", help="take the service out again, and put back what was there")
    group.add_argument(
        "--check", action="store_true", help="start the server as each program would, and list its tools"
    )
    parser.add_argument("--yes", action="store_true", help="write without asking")


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Show the change of each file and write it where the user agrees; without a terminal, only with --yes."""
    choices = Choices.of(arguments)
    programs = _chosen(arguments.programs, entered=arguments.undo or arguments.check)
    steps: list[Step] = []
    for program in programs:
        try:
            if arguments.check:
                steps.append(_checked(program))
            else:
                steps.append(_changed(program, _server(choices), screen, undo=arguments.undo, agreed=arguments.yes))
        except MemoryServiceError as error:
            reason = f"{error.message} ({error.way})" if error.way else error.message
            steps.append(Step(program=program.name, file=str(program.file()), state="failed", reason=reason))
    screen.value(steps, _lines(steps))
    return exits.REJECTED if any(step.state == "failed" for step in steps) else exits.OK


def _chosen(names: list[str], *, entered: bool) -> list[Program]:
    """The programs that were named, else those that are there; `entered`: of these, those that have the service."""
    for name in names:
        if name not in PROGRAMS:
            raise InvalidInputError(
                f"there is no program {name!r}{did_you_mean(name, PROGRAMS)}", hint=f"one of {', '.join(PROGRAMS)}"
            )
    if names:
        return [PROGRAMS[name] for name in dict.fromkeys(names)]
    found = [program for program in PROGRAMS.values() if (program.file().is_file() if entered else program.is_there)]
    if entered:
        found = [program for program in found if NAME.encode() in program.file().read_bytes()[:LARGEST]]
    if not found:
        raise InvalidInputError(
            "no program with the service in its settings was found"
            if entered
            else "no program that is known was found",
            hint=f"name one: {', '.join(PROGRAMS)}",
        )
    return found


def _server(choices: Choices) -> Server:
    """This command with its full path, as programs with windows have no PATH of a terminal, and the choices that were made."""
    own = Path(sys.argv[0])
    found = shutil.which("ai-memory") or (str(own.absolute()) if own.name == "ai-memory" and own.is_file() else None)
    variables = {
        "AI_MEMORY_NAMESPACE": choices.namespace,
        "AI_MEMORY_DATA_DIR": choices.data_dir and str(Path(choices.data_dir).expanduser().absolute()),
        "AI_MEMORY_CONFIG": choices.config and str(Path(choices.config).expanduser().absolute()),
        "AI_MEMORY_URL": choices.url,
    }
    given = {name: value for name, value in variables.items() if value}
    return Server(found, ["mcp"], given) if found else Server(sys.executable, ["-m", "ai_memory", "mcp"], given)


def _read(file: Path) -> str:
    """The text of a settings file; empty where there is none."""
    try:
        if file.stat().st_size > LARGEST:
            raise InvalidInputError(f"{file} has more than {LARGEST:,} bytes", hint="it is no settings file")
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{file} is not UTF-8 (byte {error.start})", hint="change it by hand") from None
    except OSError as error:
        raise InvalidInputError(f"{file} cannot be read: {error.strerror or error}", hint="check its rights") from None


def _changed(program: Program, server: Server, screen: Screen, *, undo: bool, agreed: bool) -> Step:
    file = program.file()
    before = _read(file)
    after = _without(program, before, server) if undo else _with(program, before, server)
    if after == before:
        return Step(program=program.name, file=str(file), state="unchanged")
    diff = tuple(_diff(file, before, after))
    if not agreed and not _asked(program, diff, screen):
        return Step(program=program.name, file=str(file), state="would change", diff=diff)
    _write(file, before, after, undo=undo)
    return Step(program=program.name, file=str(file), state="removed" if undo else "added", diff=diff)


def _with(program: Program, text: str, server: Server) -> str:
    return changed(text, program.form, (*program.path, NAME), program.write(server))


def _without(program: Program, text: str, server: Server) -> str:
    """What was there before, byte for byte, where nothing but the entry was changed since; else the text without the entry."""
    backup = _backup(program.file())
    if backup.is_file() and parsed(_with(program, _read(backup), server), program.form) == parsed(text, program.form):
        return _read(backup)
    without: str = changed(text, program.form, (*program.path, NAME), ABSENT)
    return without


def _backup(file: Path) -> Path:
    return file.with_name(file.name + BACKUP)


def _write(file: Path, before: str, after: str, *, undo: bool) -> None:
    """Keep the first state that was found, then write; a file that the service's entry was alone in goes with it."""
    target = file.resolve()  # a settings file may be a link into a folder of such files, and stays one
    if undo:
        if not after.strip():
            target.unlink(missing_ok=True)
        else:
            _put(target, after)
        _backup(file).unlink(missing_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if not _backup(file).exists():
        _put(_backup(file), before)
    _put(target, after)


def _put(file: Path, text: str) -> None:
    mode = file.stat().st_mode & 0o7777 if file.exists() else None
    with written(file, "choose what may be written") as stream:
        stream.write(text.encode())
    if mode is not None:
        file.chmod(mode)


def _diff(file: Path, before: str, after: str) -> Iterator[str]:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), str(file), str(file), lineterm="", n=2)
    return (visible_line(line) for line in lines)


def _asked(program: Program, diff: Iterable[str], screen: Screen) -> bool:
    """Whether the user agrees to a change that is shown; nobody does where nobody can be asked."""
    if screen.json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    for line in diff:
        screen.line(line)
    return input(f"Change the settings of {program.title}? [y/N] ").strip().lower() in ("y", "yes")


def _checked(program: Program) -> Step:
    """Start what the program's own settings say."""
    file = program.file()
    server = server_in(entry(parsed(_read(file), program.form), (*program.path, NAME)))
    if server is None:
        raise InvalidInputError(
            f"{program.title} has no server {NAME!r} that it starts", hint=f"ai-memory setup {program.name}"
        )
    return Step(program=program.name, file=str(file), state="works", tools=tuple(tools_of(server)))


def _lines(steps: list[Step]) -> Iterator[str]:
    for step in steps:
        if step.state == "would change":
            yield from step.diff
        about = step.reason or (f"{len(step.tools)} tools: {', '.join(step.tools)}" if step.tools else step.file)
        yield visible_line(f"{step.program}: {step.state}: {about}")
    if any(step.state == "would change" for step in steps):
        yield "nothing was written there; --yes writes"
