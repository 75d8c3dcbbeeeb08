"""Calendars (`.ics`, RFC 5545): each event becomes an episodic memory with its period, place and people."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ai_memory.importers.base import MAX_TITLE, Importer, Reading, Record, draft, present
from ai_memory.importers.decoding import text_of

_LINE = re.compile(
    r"(?P<name>[A-Za-z0-9-]+)(?P<parameters>(?:;[^=:;]+=(?:\"[^\"]*\"|[^\":;]*))*):(?P<value>.*)", re.DOTALL
)
_PARAMETER = re.compile(r";([^=:;]+)=(\"[^\"]*\"|[^\":;]*)")
_ESCAPED = re.compile(r"\\([\\;,nN])")


class _Property(NamedTuple):
    value: str
    parameters: dict[str, str]


def finds(path: Path) -> bool:
    """Whether a file is a calendar, by its ending and its first line."""
    if path.suffix.lower() not in (".ics", ".ical") or not path.is_file():
        return False
    with path.open("rb") as file:
        return b"BEGIN:VCALENDAR" in file.read(512).upper()


def read(path: Path, reading: Reading) -> Iterator[Record]:
    """The events in their order; those that were cancelled are left out and counted."""
    event: dict[str, list[_Property]] | None = None
    depth = number = 0
    for line in _unfolded(text_of(path)):
        found = _LINE.fullmatch(line)
        if found is None:
            if line.strip():
                reading.refuse(f"not a line of a calendar: {line[:60]!r}", f"{path.name}, after event {number}")
            continue
        name, value = found["name"].upper(), found["value"]
        if name == "BEGIN" and value.upper() == "VEVENT":
            event, depth, number = {}, 0, number + 1
            reading.place = f"{path.name}, event {number}"
        elif event is None:
            continue
        elif name == "END" and value.upper() == "VEVENT":
            yield from _event(event, reading)
            event = None
        elif name in ("BEGIN", "END"):  # an alarm within the event
            depth += 1 if name == "BEGIN" else -1
        elif depth == 0:
            parameters = {key.upper(): given.strip('"') for key, given in _PARAMETER.findall(found["parameters"])}
            event.setdefault(name, []).append(_Property(value, parameters))
    if event is not None:
        reading.refuse("the file ends within it")


def _unfolded(text: str) -> list[str]:
    return re.sub(r"\r?\n[ \t]", "", text).replace("\r\n", "\n").split("\n")


def _event(event: dict[str, list[_Property]], reading: Reading) -> Iterator[Record]:
    if _first(event, "STATUS").upper() == "CANCELLED":
        reading.leave("cancelled events")
        return
    title = _first(event, "SUMMARY").strip()
    place, note = _first(event, "LOCATION").strip(), _first(event, "DESCRIPTION").strip()
    start, end = _instant(event, "DTSTART"), _instant(event, "DTEND")
    if not title and not note:
        reading.leave("events without a title")
        return
    if start is None:
        reading.refuse("it has no DTSTART that can be read")
        return
    people = [_person(each) for name in ("ORGANIZER", "ATTENDEE") for each in event.get(name, ())]
    attributes: dict[str, Any] = present(
        {
            "location": place,
            "participants": list(dict.fromkeys(filter(None, people))),
            "repeats": _first(event, "RRULE"),
        }
    )
    text = "\n".join(filter(None, (title + (f" ({place})" if place else ""), note)))
    yield draft(
        text,
        type="episodic",
        title=title[:MAX_TITLE],
        valid_from=start,
        valid_to=None if attributes.get("repeats") or end is None or end <= start else end,
        tags=[tag.strip() for tag in _first(event, "CATEGORIES").split(",") if tag.strip()],
        source=f"ics:{_first(event, 'UID')}"[:2000],
        attributes=attributes,
    )


def _first(event: dict[str, list[_Property]], name: str) -> str:
    found = event.get(name)
    return _ESCAPED.sub(lambda match: "\n" if match[1] in "nN" else match[1], found[0].value) if found else ""


def _person(one: _Property) -> str:
    return one.parameters.get("CN") or re.sub(r"^mailto:", "", one.value, flags=re.IGNORECASE)


def _instant(event: dict[str, list[_Property]], name: str) -> str | None:
    """A date or time as RFC 3339; one with an unknown zone, or none, is read as UTC."""
    found = event.get(name)
    if not found:
        return None
    value, parameters = found[0]
    digits = re.fullmatch(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?", value.strip(), re.ASCII)
    if digits is None:
        return None
    zone: dt.tzinfo = dt.UTC
    if not digits[7] and "TZID" in parameters:
        try:
            zone = ZoneInfo(parameters["TZID"])
        except (ZoneInfoNotFoundError, ValueError, OSError):
            zone = dt.UTC
    try:
        written = [int(each or 0) for each in digits.groups()[:6]]
        return dt.datetime(
            written[0], written[1], written[2], written[3], written[4], written[5], tzinfo=zone
        ).isoformat()
    except ValueError:
        return None


IMPORTER = Importer("ics", "a calendar (.ics)", 1, finds, read)
