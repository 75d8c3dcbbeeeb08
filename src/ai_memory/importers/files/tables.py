"""Tables as memories: one per row; columns that are a draft's fields become fields, the others attributes."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator, Mapping

from ai_memory.errors import InvalidInputError
from ai_memory.operations.imported import TEXT_NAMES, Imported, Plain, read_fields

DELIMITERS = ",;\t|"


def rows(text: str, source: str, mapping: Mapping[str, str] | None = None) -> Iterator[Imported]:
    """The drafts of a table whose first row names the columns; each draft's source ends in the number of its row.

    `mapping` has the names of columns without capitals, each with the name of the field that it is. Where no column is a text, the
    text is made of all columns. Raises InvalidInputError for what is no table, and for a column in `mapping` that is not there.
    """
    csv.field_size_limit(sys.maxsize)
    first = text.lstrip("\ufeff\r\n").split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=""), delimiter=delimiter)
    try:
        filled = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise InvalidInputError(f"not a table: {error} (line {reader.line_num})", hint="save it as CSV again") from None
    if len(filled) < 2:
        raise InvalidInputError(
            "the table has no rows below the row of names" if filled else "there is no text in it",
            hint="its first row names the columns, such as text, title, tags",
        )
    named = {name.strip().casefold() for name in filled[0][1]}
    if missing := set(mapping or ()) - named:
        raise InvalidInputError(
            f"the table has no column {sorted(missing)[0]!r}, which is mapped",
            hint=f"its columns: {', '.join(filled[0][1])}",
        )
    names: list[str] = []
    for number, name in enumerate(map(str.strip, filled[0][1]), start=1):
        name = mapping.get(name.casefold(), name) if mapping else name
        names.append(name if name and name not in names else f"{name} column {number}".strip())
    for number, (_, row) in enumerate(filled[1:], start=1):
        cells = dict(zip(names, map(str.strip, row), strict=False))
        extra = [cell for cell in row[len(names) :] if cell.strip()]
        texts = {name: cell for name, cell in cells.items() if name.lower() in ("text", *TEXT_NAMES)}
        fields = (
            {name: Plain(cell) for name, cell in cells.items()} | texts | ({"more columns": extra} if extra else {})
        )
        if any(texts.values()):
            read = read_fields(fields)
        else:
            lines = [*(f"{name}: {cell}" for name, cell in cells.items() if cell), *extra]
            read = read_fields(fields, "\n".join(lines))
            read = Imported(read.values, (*read.warnings, f"row {number} has no text; its columns became its text"))
        yield Imported({"source": f"{source}#{number}", **read.values, "text": str(read.values["text"])}, read.warnings)
