"""From lines of text to typed columns, in the engine: one SELECT a file."""

from collections.abc import Sequence
from dataclasses import dataclass

from ceir.pipeline.ingest.opening import LONGEST_LINE, FileRefusedError, OpenedFile
from ceir.sources import Field, Source
from ceir.sources._kinds import IMEI, status


@dataclass(frozen=True)
class Fault:
    """Why a row cannot be read: the column and what was expected there."""

    column: str
    reason: str


@dataclass(frozen=True)
class Parser:
    """How the lines of one file are read.

    Args:
        present: names of the fields that the file has a column for.
        faults: by number, from 1; the engine marks a row with the number of its first fault.
        rows_sql: SELECT of all fields' values, `fault` (null: none), and the verbatim text of each
            malformed identity as `<field>_text`.
        numbered_sql: the same with `line`, counted from the header's 1, and its text `l`; slower.
    """

    present: frozenset[str]
    faults: tuple[Fault, ...]
    rows_sql: str
    numbered_sql: str


def parser_for(source: Source, opened: OpenedFile, *, delta: bool) -> Parser:
    """The SQL that reads an opened file as rows of a source.

    Raises:
        FileRefusedError: the header lacks a column or has one that the source does not know.
    """
    fields = source.fields + ((_change(source),) if delta else ())
    place = _places(fields, opened, delta=delta)
    found = tuple(f for f in fields if f.name in place)
    rest = [i for i, name in enumerate(opened.header) if i not in place.values() and name]
    if rest and not source.keep_unknown:
        names = ", ".join(opened.header[i] for i in rest)
        raise FileRefusedError(
            f"{opened.name} has columns that {source.name} does not know: {names}.",
            f"Columns: {', '.join(f.headers[0] for f in fields)}. See: ceir sources show {source.name}",
        )
    faults, tests = _tests(source, found, opened)
    results = [_result(f, present=f.name in place) for f in fields]
    if source.keep_unknown:
        pairs = ", ".join(
            f"{_quoted(opened.header[i])}, nullif({_trimmed(f'f[{i + 1}]', opened)}, '')" for i in rest
        )
        results.append(
            f"CAST(json_object({pairs}) AS VARCHAR) AS extra" if pairs else "CAST(NULL AS VARCHAR) AS extra"
        )
    # One step a layer, so that each expression is computed once however often the next layer uses it.
    layers = (
        ", ".join(f"f[{place[f.name] + 1}] AS s_{f.name}" for f in found),
        ", ".join(f"nullif({_trimmed(f's_{f.name}', opened)}, '') AS r_{f.name}" for f in found),
        ", ".join(f"{f.kind.draft_sql(f'r_{f.name}')} AS t_{f.name}" for f in found if f.kind.draft),
        ", ".join(f"{f.kind.value_sql(f'r_{f.name}', f't_{f.name}')} AS v_{f.name}" for f in found),
        f"CASE {' '.join(tests)} END AS fault",
    )

    def rows(lines: str, *carried: str) -> str:
        keep = "".join(f"{c}, " for c in carried)
        sql = _split_sql(source, opened, lines, keep)
        for layer in layers:
            sql = f"SELECT *, {layer} FROM ({sql})" if layer else sql
        return f"SELECT {keep}{', '.join(results)}, fault FROM ({sql})"

    reader = _reader(opened)
    lines = f"SELECT l FROM {reader} WHERE l IS NOT NULL AND l <> ''"
    # Line 1 is the header; blank lines keep their number.
    numbered = (
        f"SELECT * FROM (SELECT row_number() OVER () + 1 AS line, l FROM {reader}) "
        "WHERE l IS NOT NULL AND l <> ''"
    )
    return Parser(frozenset(place), faults, rows(lines), rows(numbered, "line", "l"))


def _change(source: Source) -> Field:
    """The column that says what a delta does with an entry; a source knows only some changes."""
    return Field(
        "change_type",
        ("change_type",),
        status(*source.changes),
        "What the delta does with the entry.",
        required=True,
    )


def _tests(
    source: Source, fields: Sequence[Field], opened: OpenedFile
) -> tuple[tuple[Fault, ...], list[str]]:
    """What can be wrong with a row, in the order in which it is looked for, as branches of a CASE."""
    width = len(opened.header)
    faults = [Fault("(line)", f"expected {width} values")]
    tests = [f"WHEN len(f) <> {width} THEN 1"]
    for i, name in enumerate(opened.header):
        if not name:
            faults.append(Fault("(line)", f"column {i + 1} has no name, expected nothing in it"))
            tests.append(f"WHEN {_trimmed(f'f[{i + 1}]', opened)} <> '' THEN {len(faults)}")
    for field in fields:
        raw = f"r_{field.name}"
        if field.required:
            faults.append(Fault(field.headers[0], "must not be empty"))
            tests.append(f"WHEN {raw} IS NULL THEN {len(faults)}")
        faults.append(Fault(field.headers[0], f"expected {field.kind.expects}"))
        tests.append(f"WHEN {raw} IS NOT NULL AND v_{field.name} IS NULL THEN {len(faults)}")
    header = {field.name: field.headers[0] for field in fields}
    for bond in source.bonds:
        if set(bond.fields) <= set(header):
            faults.append(Fault(header[bond.fields[-1]], f"expected {bond.expects}"))
            tests.append(f"WHEN NOT ({bond.holds_sql('v_')}) THEN {len(faults)}")
    return tuple(faults), tests


def _result(field: Field, *, present: bool) -> str:
    if not present:
        return f"CAST(NULL AS {field.kind.sql_type}) AS {field.name}"
    value = f"CASE WHEN fault IS NULL THEN v_{field.name} END AS {field.name}"
    if field.kind is IMEI:
        value += (
            f", CASE WHEN fault IS NULL AND v_{field.name} < 0 THEN upper(r_{field.name}) END "
            f"AS {field.name}_text"
        )
    return value


def _reader(opened: OpenedFile) -> str:
    """The engine's reader of whole lines.

    Why the option for mixed endings: left alone it takes the first line's for all, and splits a CR LF among
    LFs into two lines.
    """
    endings = ", new_line = '\\r\\n', parallel = FALSE" if opened.text.endings == "mixed" else ""
    return (
        f"read_csv({_quoted(str(opened.path))}, header = FALSE, skip = 1, delim = '\x1f', quote = '', "
        "escape = '', columns = {'l': 'VARCHAR'}, auto_detect = FALSE, strict_mode = FALSE, "
        f"compression = '{opened.compression}', max_line_size = {2 * LONGEST_LINE}{endings})"
    )


def _trimmed(x: str, opened: OpenedFile) -> str:
    """A value without spaces and tabs around it; only what has any pays for that."""
    if not opened.text.spaced:
        return x
    return f"CASE WHEN contains({x}, ' ') OR contains({x}, '\t') THEN trim({x}, ' \t') ELSE {x} END"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _places(fields: Sequence[Field], opened: OpenedFile, *, delta: bool) -> dict[str, int]:
    place: dict[str, int] = {}
    missing: list[str] = []
    twice = [name for name in opened.header if name and opened.header.count(name) > 1]
    if twice:
        raise FileRefusedError(f"{opened.name} has the column {twice[0]} twice.", "Leave one of them out.")
    for field in fields:
        found = [i for i, name in enumerate(opened.header) if name in field.headers]
        if len(found) > 1:
            raise FileRefusedError(
                f"{opened.name} has the column {field.headers[0]} under two names.", "Leave one of them out."
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


def _split_sql(source: Source, opened: OpenedFile, lines: str, keep: str) -> str:
    """SELECT of the values `f` of each line `l` as a list."""
    separator = opened.delimiter
    plain = f"string_split(l, '{separator}')"
    if not opened.text.quoted:
        return f"SELECT {keep}{plain} AS f FROM ({lines})"
    if not source.split_quotes:
        return f"SELECT {keep}string_split(replace(l, '\"', ''), '{separator}') AS f FROM ({lines})"
    # Exports put nothing or everything into quotes; only other lines are taken apart by slow expressions.
    between = f'"{separator}"'
    inside = (
        "CASE WHEN starts_with(l, '\"') AND ends_with(l, '\"') AND strlen(l) > 1 "
        "THEN substr(l, 2, length(l) - 2) END"
    )
    shape = (
        "CASE WHEN NOT contains(l, '\"') THEN 'none' "
        f"WHEN NOT contains(replace(inside, '{between}', ''), '\"') THEN 'all' ELSE 'some' END"
    )
    token = f'[{separator}]("([^"]|"")*"|[^{separator}"]*)'
    tokens = f"CASE WHEN shape = 'some' THEN regexp_extract_all('{separator}' || l, '{token}') END"
    value = "CASE WHEN t[2] = '\"' THEN replace(t[3:-2], '\"\"', '\"') ELSE t[2:] END"
    values = (
        f"CASE shape WHEN 'none' THEN {plain} WHEN 'all' THEN string_split(inside, '{between}') "
        # A line whose quotes do not pair up is longer than its values: it becomes a row without values.
        "ELSE CASE WHEN length(list_aggregate(tokens, 'string_agg', '')) = length(l) + 1 "
        f"THEN list_transform(tokens, lambda t: {value}) ELSE CAST([] AS VARCHAR[]) END END"
    )
    for layer in (f"{inside} AS inside", f"{shape} AS shape", f"{tokens} AS tokens"):
        lines = f"SELECT *, {layer} FROM ({lines})"
    return f"SELECT {keep}{values} AS f FROM ({lines})"
