"""Kinds of text in files: the value that a text stands for, as a DuckDB expression over `{x}`.

`{x}` is the trimmed text, never empty. Only ingest reads files and it runs on DuckDB, so these expressions
need not be portable.
"""

from dataclasses import dataclass

from ceir.tables.declaration import SqlType


@dataclass(frozen=True)
class Kind:
    """A kind of text.

    Args:
        value: expression over `{x}`; null says that the text is not of this kind. One expression both judges
            and reads, so that no text can pass the one and fail the other.
        draft: expression over `{x}`, computed once before `value`, which may use it as `{t}`.
        expects: what the file should have had, completes "expected ...".
        shown_digits: digits that people are shown of a number, zeros before it included; 0: as it is.
    """

    name: str
    sql_type: SqlType
    value: str
    expects: str
    draft: str = ""
    shown_digits: int = 0

    def draft_sql(self, x: str) -> str:
        """The draft of the expression `x`."""
        return self.draft.replace("{x}", x)

    def value_sql(self, x: str, t: str) -> str:
        """The value of the expression `x` whose draft is `t`."""
        return self.value.replace("{x}", x).replace("{t}", t)


MALFORMED_KEY = "-1 - CAST(md5_number_lower(upper({x})) >> 2 AS BIGINT)"
"""A malformed identity's key: negative, the same for the same text everywhere, 62 bits of its MD5."""

_WELL_FORMED = "regexp_full_match({x}, '[0-9]{14}[0-9A-Fa-f*#]{0,2}')"
_POSSIBLE = "regexp_full_match({x}, '[0-9A-Fa-f*#]{1,16}')"
_DAYS = "CAST(date_diff('day', DATE '1970-01-01', CAST({t} AS DATE)) AS INTEGER)"

IMEI = Kind(
    "imei",
    "BIGINT",
    f"CASE WHEN {_WELL_FORMED} THEN CAST(substr({{x}}, 1, 14) AS BIGINT) "
    f"WHEN {_POSSIBLE} THEN {MALFORMED_KEY} END",
    "1 to 16 of the characters 0-9 A-F * #",
)
WHOLE_IMEI = Kind(
    "whole-imei",
    "BIGINT",
    f"CASE WHEN {_WELL_FORMED} THEN CAST(substr({{x}}, 1, 14) AS BIGINT) END",
    "an identity of 14 digits, with up to two more characters",
    shown_digits=14,
)
"""An identity that must not be malformed: one that is a place among others."""
DIGITS = Kind(
    "digits",
    "BIGINT",
    "CASE WHEN regexp_full_match({x}, '[0-9]{1,15}') THEN CAST('1' || {x} AS BIGINT) END",
    "1 to 15 digits",
)
TAC = Kind(
    "tac",
    "INTEGER",
    "CASE WHEN regexp_full_match({x}, '[0-9]{8}') THEN CAST({x} AS INTEGER) END",
    "a TAC of 8 digits",
)
SOFTWARE_VERSION = Kind(
    "software-version",
    "INTEGER",
    "CASE WHEN regexp_full_match({x}, '[0-9]{2}') THEN CAST({x} AS INTEGER) END",
    "a software version of two digits",
    shown_digits=2,
)
# strptime accepts parts with fewer digits: only the full length says that each part has all of its own.
DAY = Kind(
    "day",
    "INTEGER",
    f"CASE WHEN {{t}} >= TIMESTAMP '1970-01-01' THEN {_DAYS} END",
    "a calendar day as YYYYMMDD, from 1970 on",
    "CASE strlen({x}) WHEN 8 THEN try_strptime({x}, '%Y%m%d') WHEN 10 THEN try_strptime({x}, '%Y-%m-%d') END",
)
GSMA_DAY = Kind(
    "gsma-day",
    "INTEGER",
    f"CASE WHEN {{t}} >= TIMESTAMP '1970-01-01' THEN {_DAYS} END",
    "a calendar day as dd-Mon-yyyy, from 1970 on",
    "CASE strlen({x}) WHEN 11 THEN try_strptime({x}, '%d-%b-%Y') END",
)
MOMENT = Kind(
    "moment",
    "BIGINT",
    "CASE WHEN {t} >= TIMESTAMP '2000-01-01' THEN CAST(epoch({t}) AS BIGINT) END",
    "a moment in UTC as YYYY-MM-DDThh:mm:ssZ, from 2000 on",
    "CASE strlen({x}) WHEN 20 THEN try_strptime({x}, '%Y-%m-%dT%H:%M:%SZ') "
    "WHEN 19 THEN try_strptime({x}, '%Y-%m-%d %H:%M:%S') END",
)


def _degrees(largest: int) -> str:
    """Degrees as whole millionths, between the negative and the positive of the largest."""
    digits = len(str(largest))
    return (
        f"CASE WHEN regexp_full_match({{x}}, '[+-]?[0-9]{{1,{digits}}}([.][0-9]{{1,12}})?') "
        f"AND abs({{t}}) <= {largest} THEN CAST(round({{t}} * 1000000) AS INTEGER) END"
    )


LATITUDE = Kind(
    "latitude",
    "INTEGER",
    _degrees(90),
    "decimal degrees from -90 to 90",
    "TRY_CAST({x} AS DECIMAL(38, 12))",
)
LONGITUDE = Kind(
    "longitude",
    "INTEGER",
    _degrees(180),
    "decimal degrees from -180 to 180",
    "TRY_CAST({x} AS DECIMAL(38, 12))",
)
METRES = Kind(
    "metres",
    "INTEGER",
    "CASE WHEN regexp_full_match({x}, '[0-9]{1,6}') AND CAST({x} AS INTEGER) <= 200000 "
    "THEN CAST({x} AS INTEGER) END",
    "whole metres from 0 to 200000",
)
OPAQUE = Kind(
    "opaque",
    "VARCHAR",
    "CASE WHEN regexp_full_match({x}, '[0-9A-Za-z._:\\-]{1,64}') THEN {x} END",
    "1 to 64 letters, digits, or . _ : -",
)
TEXT = Kind("text", "VARCHAR", "CASE WHEN length({x}) <= 1000 THEN {x} END", "at most 1,000 characters")
UID = Kind(
    "uid",
    "VARCHAR",
    "CASE WHEN regexp_full_match({x}, '[0-9A-Za-z\\-\\\\]{1,20}') THEN {x} END",
    "1 to 20 letters, digits, - or \\",
)
WORD = Kind(
    "word",
    "VARCHAR",
    "CASE WHEN regexp_full_match({x}, '[0-9A-Za-z]{1,64}') THEN {x} END",
    "1 to 64 letters or digits",
)
LABEL = Kind(
    "label",
    "VARCHAR",
    "CASE WHEN regexp_full_match({x}, '[0-9A-Za-z_]{1,64}') THEN {x} END",
    "a condition's label: 1 to 64 letters, digits and underscores",
)
GOLDEN = Kind(
    "golden",
    "VARCHAR",
    f"CASE WHEN regexp_full_match({{x}}, '[0-9A-Fa-f]{{32}}') THEN lower({{x}}) "
    f"WHEN {_WELL_FORMED} THEN md5(substr({{x}}, 1, 14)) WHEN {_POSSIBLE} THEN md5(upper({{x}})) END",
    "an IMEI, or the 32 hexadecimal characters of its MD5",
)


def status(*known: str) -> Kind:
    """One of the known words (any case), kept in lower case: a status is never a trusted free string."""
    listed = ", ".join(f"'{word}'" for word in known)
    return Kind(
        "status", "VARCHAR", f"CASE WHEN lower({{x}}) IN ({listed}) THEN lower({{x}}) END", " or ".join(known)
    )
