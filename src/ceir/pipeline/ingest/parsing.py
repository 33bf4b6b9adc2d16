"""From lines of text to typed columns, in the engine: one SELECT a file."""

from collections.abc import Sequence
from dataclasses import dataclass

from ceir.pipeline.ingest.opening import FileRefusedError, OpenedFile
from ceir.sources import Field, Source
from ceir.sources._kinds import IMEI, Kind

CHANGE = Field(
    "change_type",
    ("change_type",),
    Kind(
        "change",
        "VARCHAR",
        "lower({x}) IN ('add', 'remove', 'update')",
        "lower({x})",
        "add, remove or update",
    ),
    "What the delta does with the entry.",
    required=True,
)


@dataclass(frozen=True)
class Fault:
    """Why a row cannot be read: the column and what was expected there."""

    column: str
    reason: str


@dataclass(frozen=True)
class Parser:
    """How the lines of one file are read.

    Args:
        faults: by number, from 1; the engine marks a row with the number of its first fault.
        lines_sql: SELECT of `l`, the text of each line after the header.
        rows_sql: SELECT of all fields' values, `fault` (null: none), and the verbatim text of each
            malformed identity as `<field>_text`.
    """

    fields: tuple[Field, ...]
    faults: tuple[Fault, ...]
    lines_sql: str
    rows_sql: str
    numbered_sql: str


def parser_for(source: Source, opened: OpenedFile, *, delta: bool) -> Parser:
    """The SQL that reads an opened file as rows of a source.

    Raises:
        FileRefusedError: the header lacks a column or has one that the source does not know.
    """
    fields = source.fields + ((CHANGE,) if delta else ())
    place = _places(fields, opened, delta=delta)
    rest = [i for i, name in enumerate(opened.header) if i not in place.values() and name]
    if rest and not source.keep_unknown:
        names = ", ".join(opened.header[i] for i in rest)
        raise FileRefusedError(
            f"{opened.name} has columns that {source.name} does not know: {names}.",
            f"Columns: {', '.join(f.headers[0] for f in fields)}. See: ceir sources show {source.name}",
        )
    faults = [Fault("(line)", f"expected {len(opened.header)} values")]
    tests = [f"WHEN len(f) <> {len(opened.header)} THEN 1"]
    values: list[str] = []
    for field in fields:
        raw = f"r_{field.name}"
        if field.name not in place:
            values.append(f"CAST(NULL AS {field.kind.sql_type}) AS {field.name}")
            continue
        if field.required:
            faults.append(Fault(field.headers[0], "must not be empty"))
            tests.append(f"WHEN {raw} IS NULL THEN {len(faults)}")
        faults.append(Fault(field.headers[0], f"expected {field.kind.expects}"))
        tests.append(f"WHEN NOT ({field.kind.valid_sql(raw)}) THEN {len(faults)}")
        values.append(f"CASE WHEN fault IS NULL THEN {field.kind.value_sql(raw)} END AS {field.name}")
        if field.kind is IMEI:
            values.append(
                f"CASE WHEN fault IS NULL AND NOT regexp_matches({raw}, '^[0-9]{{14}}') "
                f"THEN upper({raw}) END AS {field.name}_text"
            )
    if source.keep_unknown:
        pairs = ", ".join(f"'{opened.header[i]}', nullif(trim(f[{i + 1}]), '')" for i in rest)
        values.append(
            f"CAST(json_object({pairs}) AS VARCHAR) AS extra" if pairs else "CAST(NULL AS VARCHAR) AS extra"
        )
    raws = ", ".join(
        f"nullif(trim(f[{place[f.name] + 1}]), '') AS r_{f.name}" for f in fields if f.name in place
    )
    path = str(opened.path).replace("'", "''")
    reader = (
        f"read_csv('{path}', header = FALSE, skip = 1, delim = '\x1f', quote = '', escape = '', "
        f"columns = {{'l': 'VARCHAR'}}, auto_detect = FALSE, strict_mode = FALSE, "
        f"compression = '{opened.compression}', max_line_size = 1048576)"
    )

    def rows(lines: str, *carried: str) -> str:
        keep = "".join(f"{c}, " for c in carried)
        return (
            f"SELECT {keep}{', '.join(values)}, fault FROM ("
            f"SELECT *, CASE {' '.join(tests)} END AS fault FROM ("
            f"SELECT {keep}{raws}, f FROM (SELECT {keep}{_split(source, opened)} AS f FROM ({lines}))))"
        )

    lines = f"SELECT l FROM {reader} WHERE l IS NOT NULL AND l <> ''"
    # Line 1 is the header; blank lines keep their number.
    numbered = (
        f"SELECT * FROM (SELECT row_number() OVER () + 1 AS line, l FROM {reader}) "
        "WHERE l IS NOT NULL AND l <> ''"
    )
    return Parser(fields, tuple(faults), lines, rows(lines), rows(numbered, "line", "l"))


def _places(fields: Sequence[Field], opened: OpenedFile, *, delta: bool) -> dict[str, int]:
    place: dict[str, int] = {}
    missing: list[str] = []
    for field in fields:
        found = [i for i, name in enumerate(opened.header) if name in field.headers]
        if len(found) > 1:
            raise FileRefusedError(
                f"{opened.name} has the column {field.headers[0]} twice.", "Leave one of them out."
            )
        if found:
            place[field.name] = found[0]
        elif not field.optional_header:
            missing.append(field.headers[0])
    if missing:
        hint = f"Its first line must name: {', '.join(f.headers[0] for f in fields)}."
        if not delta and "change_type" in opened.header:
            hint = "It has a change_type: give --delta if it is a delta."
        raise FileRefusedError(f"{opened.name} lacks the columns {', '.join(missing)}.", hint)
    return place


def _split(source: Source, opened: OpenedFile) -> str:
    """Values of a line as a list."""
    separator = opened.delimiter
    if not opened.quoted:
        return f"string_split(l, '{separator}')"
    if not source.split_quotes:
        return f"string_split(replace(l, '\"', ''), '{separator}')"
    token = f'[{separator}]("([^"]|"")*"|[^{separator}"]*)'
    tokens = f"regexp_extract_all('{separator}' || l, '{token}')"
    # A line whose quotes do not pair up is longer than its values: it becomes a row without values.
    return (
        f"CASE WHEN length(list_aggregate({tokens}, 'string_agg', '')) = length(l) + 1 THEN "
        f"list_transform({tokens}, lambda t: replace(trim(t[2:], '\"'), '\"\"', '\"')) ELSE CAST([] AS "
        f"VARCHAR[]) END"
    )
