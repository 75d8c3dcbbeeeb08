"""Drafts from fields that other programs wrote: front matter, columns of a table, JSON objects.

A memory is never lost for a field. What a draft has no field for, or what its field cannot hold, becomes an attribute as it was
written, and a warning says so. An oversized text becomes several drafts.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, get_args, get_origin

import msgspec

from ai_memory.attributes import ATTRIBUTES, check_attributes
from ai_memory.errors import InvalidInputError, MemoryServiceError
from ai_memory.operations.base import fields_of, hints_of, instant, parse
from ai_memory.operations.writing import MAX_TEXT, Draft
from ai_memory.text.normal import clean_text
from ai_memory.text.passages import split
from ai_memory.types import MemoryType
from ai_memory.wording.spelling import nearest

OTHER_NAMES = {
    "date": "valid_from",
    "created": "valid_from",
    "created_at": "valid_from",
    "expires": "expires_at",
    "expiration_date": "expires_at",
    "authors": "author",
    "category": "context",
    "tag": "tags",
    "user_id": "user",
    "agent_id": "agent",
    "run_id": "session",
    "metadata": "attributes",
}
"""Names that other programs use for a draft's field. Of two names for one field, the field's own wins, then the earlier here."""

TEXT_NAMES = ("content", "body", "memory", "note", "message")
"""Names that other programs use for the text, where there is no `text`; the first one wins."""

_TYPES = {name: hint for name, hint in hints_of(Draft).items() if name not in ("text", "attributes")}
_LISTS = frozenset(name for name, hint in _TYPES.items() if get_origin(hint) is tuple)
_DATES = frozenset(name for name, hint in _TYPES.items() if dt.datetime in get_args(hint))
_FLAGS = frozenset(name for name, hint in _TYPES.items() if hint is bool)
_NUMBERS = frozenset(name for name, hint in _TYPES.items() if hint is float)
_PERIOD = {"valid_from", "valid_to"}
_EXACT = {"text", *_TYPES}
_ORDER = [*_TYPES, *OTHER_NAMES]

_FLAG_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}

SHOWN = 60
MAX_NAMES = 200
"""Characters of the names of fields that a message lists."""
TITLE_ROOM = 960
"""Characters of a title that are kept where the number of a part is added to it."""


class Plain(str):
    """A scalar that was written without quotes: as an attribute it may be a number, a truth value or nothing."""

    __slots__ = ()


class Imported(NamedTuple):
    """The values of a draft, and what had to be read otherwise than it was meant: one sentence each."""

    values: dict[str, Any]
    warnings: tuple[str, ...]


def exact_draft(given: Mapping[str, Any]) -> Draft | None:
    """The draft where nothing needs to be read leniently, which takes a tenth of the time; None where something may."""
    lists = (value for name, value in given.items() if name in _LISTS)
    if (
        not given.keys() <= _EXACT
        or given.keys() >= _PERIOD
        or any(map(_is_absent, given.values()))
        or not all(
            isinstance(entries, list) and not any(str(entry)[:1] in "# " for entry in entries) for entries in lists
        )
    ):
        return None
    try:
        return parse(Draft, given)
    except MemoryServiceError:
        return None


def lenient_drafts(values: dict[str, Any]) -> tuple[list[Draft], tuple[str, ...]]:
    """The drafts of a line whose fields are not all as a draft has them, and the warnings about it.

    Raises InvalidInputError where there is no text among them.
    """
    read = read_fields(values)
    if "text" not in read.values:
        raise InvalidInputError(
            f"no text among the fields {', '.join(values)[:MAX_NAMES] or '(none)'}; a draft has one in `text`",
            hint=f"or in one of {', '.join(TEXT_NAMES)}",
            field="text",
        )
    warnings = list(read.warnings)
    if unknown := unknown_fields(values):
        near = {name: nearest(name, fields_of(Draft)) for name in unknown}
        named = ", ".join(f"{name} (did you mean {meant}?)" if meant else name for name, meant in near.items())
        warnings.append(f"unknown fields, kept as attributes: {named[:MAX_NAMES]}")
    drafts = [parse(Draft, part) for part in parts_of(read.values)]
    if len(drafts) > 1:
        warnings.append(split_warning(len(drafts)))
    return drafts, tuple(warnings)


def read_fields(given: Mapping[str, Any], text: str | None = None) -> Imported:
    """The values of a draft from fields as they were written; None and empty values are read as not given.

    `text` is the text where it is not among the fields; without it, whether there is a text is not checked.
    """
    values: dict[str, Any] = {} if text is None else {"text": text}
    attributes: dict[str, Any] = {}
    warnings: list[str] = []
    for key, value in _in_order(given, text is None):
        field = _field_of(key)
        if field == "text" and "text" not in values:
            values["text"] = value
        elif field == "attributes" and (given_attributes := _object_in(value)) is not None:
            attributes |= {name: plain_value(part) for name, part in given_attributes.items()}
        elif field not in _TYPES or (field in values and field not in _LISTS):
            _keep(attributes, key, value)
        else:
            try:
                values[field] = _understood(field, [*values[field], *listed(value)] if field in values else value)
            except MemoryServiceError:
                _keep(attributes, key, value)
                warnings.append(f"{key}: {_shown(value)} is not a valid {field}; kept as an attribute")
    warnings += _checked_period(values, attributes)
    warnings += _checked_attributes(values, attributes)
    if attributes:
        values["attributes"] = attributes
    return Imported(values, tuple(warnings))


def unknown_fields(given: Mapping[str, Any]) -> list[str]:
    """The names among given values that no draft has, under any of their names; `read_fields` makes them attributes."""
    known = {"text", "attributes", *_TYPES, *TEXT_NAMES}
    return [key for key, value in given.items() if not _is_absent(value) and _field_of(key) not in known]


def plain_value(value: Any) -> Any:
    """A value as JSON can hold it; an unquoted whole number, `true`, `false` or `null` as that, anything else as written."""
    if isinstance(value, Mapping):
        return {str(key): plain_value(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain_value(part) for part in value]
    if isinstance(value, Plain):
        return _scalar(value)
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


def listed(value: Any) -> list[str]:
    """The entries of a list as people write it: a list, `a, b`, `a b`, `#a #b`, `[a, b]`; without `#` before an entry."""
    if isinstance(value, list | tuple):
        return [entry for part in value if part is not None and (entry := _entry(str(part)))]
    text = str(value).strip()
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    parts = text.split(",") if "," in text else text.split()
    nested = (part.split() if " #" in part.strip() else [part] for part in parts)
    return [entry for part in nested for piece in part if (entry := _entry(piece))]


def written_instant(text: str) -> dt.datetime:
    """The instant that a date means in one of the forms people write; without a zone it means UTC.

    RFC 3339 and ISO 8601, 14.02.2026, 2026/02/14, 14 February 2026, Feb 14, 2026, each with or without a time, with the months of
    `_MONTHS`; 14/02/2026 only where no month could be meant by the first number. Raises InvalidInputError for anything else.
    """
    text = _SPACED_ZONE.sub("", " ".join(text.split()))
    match = _DAY.fullmatch(text)
    if match is None:
        return instant(text)
    year, month, day = _date_of(match)
    hour, minute, second = (int(match[name] or 0) for name in ("hour", "minutes", "seconds"))
    if match["half"]:
        hour = hour % 12 + (12 if match["half"].lower() == "p" else 0)
    try:
        return dt.datetime(year, month, day, hour, minute, second, tzinfo=dt.UTC)
    except ValueError:
        return instant(text)  # which raises


def parts_of(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The draft itself, or where its text is over the limit several, cut at paragraphs and numbered in title and attributes.

    Only the first of them supersedes what the draft supersedes.
    """
    text = values.get("text")
    if not isinstance(text, str) or len(text) <= MAX_TEXT:
        return [dict(values)]
    texts = [part for start, end in split(text, MAX_TEXT) if (part := text[start:end].strip("\n")).strip()]
    parts = []
    for number, part in enumerate(texts, start=1):
        which = f"part {number} of {len(texts)}"
        title = values.get("title")
        attributes = {**(values.get("attributes") or {}), "part": number, "parts": len(texts)}
        parts.append(
            {
                **values,
                "text": part,
                "title": f"{title[:TITLE_ROOM]} ({which})" if isinstance(title, str) and title else which,
                "attributes": attributes,
            }
        )
        if number > 1:
            parts[-1].pop("supersedes", None)
    return parts


def split_warning(count: int) -> str:
    """What is said about a text that became `count` memories."""
    return f"the text is over {MAX_TEXT:,} characters and was stored as {count} memories"


def _object_in(value: Any) -> dict[str, Any] | None:
    """An object, or one that is written as JSON, as it is in a column of a table."""
    if isinstance(value, str) and value.startswith("{"):
        try:
            value = msgspec.json.decode(str(value).encode())
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return None
    return value if isinstance(value, dict) else None


def _in_order(given: Mapping[str, Any], has_text: bool) -> Iterator[tuple[str, Any]]:
    """The values that are given, those first that win where two mean the same field; `has_text`: one of them is the text."""
    found = [(str(key), value) for key, value in given.items() if not _is_absent(value)]
    names = {_name(key) for key, _ in found}
    if has_text and "text" not in names and (other := next((name for name in TEXT_NAMES if name in names), None)):
        found = [("text" if _name(key) == other else key, value) for key, value in found]
    return iter(sorted(found, key=lambda pair: _ORDER.index(name) if (name := _name(pair[0])) in _ORDER else -1))


def _name(key: str) -> str:
    return re.sub(r"[\s-]+", "_", key.strip().lower())


def _field_of(key: str) -> str:
    name = _name(key)
    return OTHER_NAMES.get(name, name)


def _is_absent(value: Any) -> bool:
    if isinstance(value, Plain):
        return _scalar(value) is None
    return value is None or (isinstance(value, str | list | tuple | dict) and not value)


def _scalar(written: Plain) -> Any:
    text = str(written)
    if text.lower() in ("", "~", "null"):
        return None
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    return int(text) if _WHOLE.fullmatch(text) else text


def _understood(field: str, value: Any) -> Any:
    """The value as the field takes it; raises MemoryServiceError where it cannot."""
    if field in _LISTS:
        read: Any = listed(value)
        if field == "supersedes" and not all(entry.startswith("mem_") for entry in read):
            raise InvalidInputError(f"{field}: not the ids of memories")
    elif field in _DATES:
        read = written_instant(value) if isinstance(value, str) else value
        if isinstance(read, dt.datetime) and not 1 < read.year < dt.MAXYEAR:
            raise InvalidInputError(f"{field}: out of range")
    elif field in _NUMBERS:
        read = _number(value)
    elif field in _FLAGS:
        read = _FLAG_WORDS.get(str(value).strip().lower(), value)
    elif isinstance(value, list) and all(isinstance(part, str) for part in value):
        read = ", ".join(value)
    else:
        read = str(value) if isinstance(value, str | int | float) else value
    if field == "type" and isinstance(read, str):
        read = read.strip().lower()
    for text in read if isinstance(read, list) else (read,):
        if isinstance(text, str):
            clean_text(text, field)
    parse(Draft, {"text": "-", field: read})
    return read


def _number(value: Any) -> Any:
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        raise InvalidInputError(f"{value!r} is not a number") from None


def _keep(attributes: dict[str, Any], key: str, value: Any) -> None:
    """Put a value among the attributes without replacing one."""
    while key in attributes:
        key += "_as_written"
    attributes[key] = plain_value(value)


def _checked_period(values: dict[str, Any], attributes: dict[str, Any]) -> list[str]:
    """Make an end that does not come after the beginning an attribute."""
    if "valid_from" not in values or "valid_to" not in values:
        return []
    period = parse(Draft, {"text": "-", "valid_from": values["valid_from"], "valid_to": values["valid_to"]})
    if period.valid_from is None or period.valid_to is None or period.valid_from < period.valid_to:
        return []
    del values["valid_to"]
    _keep(attributes, "valid_to", period.valid_to)
    return ["valid_to is not after valid_from; kept as an attribute"]


def _checked_attributes(values: dict[str, Any], attributes: dict[str, Any]) -> list[str]:
    """Give the attributes that the memory's type defines their type; those that cannot have it get another name."""
    kind = MemoryType(values.get("type", MemoryType.SEMANTIC))
    warnings = []
    for name in [name for name in ATTRIBUTES[kind].__struct_fields__ if name in attributes]:
        value = attributes.pop(name)
        for read in _readings(value):
            try:
                check_attributes(kind, {name: read})
            except MemoryServiceError:
                continue
            attributes[name] = read
            break
        else:
            _keep(attributes, f"{name}_as_written", value)
            warnings.append(
                f"{name}: {_shown(value)} is not a valid {name} of a {kind} memory; kept as {name}_as_written"
            )
    return warnings


def _readings(value: Any) -> Iterable[Any]:
    """A value in the types that a typed attribute may have."""
    yield value
    if isinstance(value, str):
        yield [part.strip() for part in value.split(",") if part.strip()]
        try:
            yield float(value)
        except ValueError:
            return
    elif isinstance(value, list):
        yield [str(part) for part in value]
    elif isinstance(value, int | float):
        yield str(value)


def _entry(text: str) -> str:
    return text.strip().strip("\"'").removeprefix("#").strip()


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(plain_value(value)).decode()
    return repr(str(text)[:SHOWN] + ("…" if len(text) > SHOWN else ""))


def _date_of(match: re.Match[str]) -> tuple[int, int, int]:
    """Year, month and day; a day or month of 0 where there is none, or where the date can be read in two ways."""
    if match["name"]:
        day = 0 if match["number"] and match["last"] else int(match["number"] or match["last"] or 0)
        return int(match["named_year"]), _MONTHS.get(match["name"].lower(), 0), day
    if match["chinese"]:
        return int(match["chinese"]), int(match["chinese_month"]), int(match["chinese_day"])
    if match["year"]:
        return int(match["year"]), int(match["month"]), int(match["day"])
    first, second = int(match["first"]), int(match["second"])
    if match["mark"] == "." or first > 12 or first == second:
        return int(match["end_year"]), second, first
    return int(match["end_year"]), first if second > 12 else 0, second


_WHOLE = re.compile(r"-?[1-9][0-9]{0,14}|0", re.ASCII)
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january januar jänner ene enero janv janvier января",
            "feb february februar febrero févr février fevrier февраля",
            "mar march märz maerz marzo mars марта",
            "apr april abr abril avr avril апреля",
            "may mai mayo мая",
            "jun june juni junio juin июня",
            "jul july juli julio juil juillet июля",
            "aug august ago agosto août aout августа",
            "sep sept september septiembre septembre сентября",
            "oct october okt oktober octubre octobre октября",
            "nov november noviembre novembre ноября",
            "dec december dez dezember dic diciembre déc décembre decembre декабря",
        ),
        start=1,
    )
    for name in names.split()
}
"""Months in English, German, Spanish, French and Russian, as they are written in dates."""
_SPACED_ZONE = re.compile(r" (?=[+-][0-9]{2}:?[0-9]{2}$|Z$)")
_DAY = re.compile(
    r"""(?:[^\W\d_]+,\ |[a-z]+day\ )?
    (?: (?P<year>[0-9]{4})[/.-](?P<month>[0-9]{1,2})[/.-](?P<day>[0-9]{1,2})
      | (?P<chinese>[0-9]{4})年(?P<chinese_month>[0-9]{1,2})月(?P<chinese_day>[0-9]{1,2})日
      | (?P<first>[0-9]{1,2})(?P<mark>[/.-])(?P<second>[0-9]{1,2})(?P=mark)(?P<end_year>[0-9]{4})
      | (?:(?P<number>[0-9]{1,2})(?:st|nd|rd|th|er)?\.?\ (?:de\ )?)?(?P<name>[^\W\d_]{3,12})\.?\ (?:de\ )?
        (?:(?P<last>[0-9]{1,2})(?:st|nd|rd|th)?,?\ )?(?P<named_year>[0-9]{4})(?:\ г\.?|\ года)? )
    (?:,?\ (?:at\ )?(?P<hour>[0-9]{1,2}):(?P<minutes>[0-9]{2})(?::(?P<seconds>[0-9]{2}))?(?:\ ?(?P<half>[ap])m)?)?""",
    re.VERBOSE | re.IGNORECASE,
)
