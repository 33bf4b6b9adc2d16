"""Kinds of text in files: when one is valid, and the value it stands for, as DuckDB expressions over `{x}`.

`{x}` is the trimmed text, never null or empty. Only ingest reads files and it runs on DuckDB, so these
expressions need not be portable.
"""

from dataclasses import dataclass

from ceir.tables.declaration import SqlType


@dataclass(frozen=True)
class Kind:
    """A kind of text.

    Args:
        valid: predicate over `{x}`.
        value: expression over `{x}`, evaluated for valid text only.
        expects: what the file should have had, completes "expected ...".
    """

    name: str
    sql_type: SqlType
    valid: str
    value: str
    expects: str

    def valid_sql(self, x: str) -> str:
        """The predicate over the expression `x`."""
        return self.valid.replace("{x}", x)

    def value_sql(self, x: str) -> str:
        """The value of the expression `x`."""
        return self.value.replace("{x}", x)


MALFORMED_KEY = "-1 - CAST(md5_number_lower(upper({x})) >> 2 AS BIGINT)"
"""A malformed identity's key: negative, the same for the same text everywhere, 62 bits of its MD5."""

IMEI = Kind(
    "imei",
    "BIGINT",
    "regexp_full_match({x}, '[0-9A-Fa-f*#]{1,16}')",
    f"CASE WHEN regexp_matches({{x}}, '^[0-9]{{14}}') THEN CAST(substr({{x}}, 1, 14) AS BIGINT) "
    f"ELSE {MALFORMED_KEY} END",
    "1 to 16 of the characters 0-9 A-F * #",
)
DIGITS = Kind(
    "digits",
    "BIGINT",
    "regexp_full_match({x}, '[0-9]{1,15}')",
    "CAST('1' || {x} AS BIGINT)",
    "1 to 15 digits",
)
TAC = Kind(
    "tac", "INTEGER", "regexp_full_match({x}, '[0-9]{8}')", "CAST({x} AS INTEGER)", "a TAC of 8 digits"
)
DAY = Kind(
    "day",
    "INTEGER",
    "regexp_full_match({x}, '[0-9]{4}-?[0-9]{2}-?[0-9]{2}') AND "
    "try_strptime(replace({x}, '-', ''), '%Y%m%d') >= TIMESTAMP '1970-01-01'",
    "CAST(date_diff('day', DATE '1970-01-01', CAST(strptime(replace({x}, '-', ''), '%Y%m%d') AS DATE)) AS "
    "INTEGER)",
    "a calendar day as YYYYMMDD",
)
GSMA_DAY = Kind(
    "gsma-day",
    "INTEGER",
    "try_strptime({x}, '%d-%b-%Y') >= TIMESTAMP '1970-01-01'",
    "CAST(date_diff('day', DATE '1970-01-01', CAST(strptime({x}, '%d-%b-%Y') AS DATE)) AS INTEGER)",
    "a calendar day as dd-Mon-yyyy, from 1970 on",
)
MOMENT = Kind(
    "moment",
    "BIGINT",
    "try_strptime({x}, ['%Y-%m-%dT%H:%M:%SZ', '%Y-%m-%d %H:%M:%S']) >= TIMESTAMP '2000-01-01'",
    "CAST(epoch(strptime({x}, ['%Y-%m-%dT%H:%M:%SZ', '%Y-%m-%d %H:%M:%S'])) AS BIGINT)",
    "a moment in UTC as YYYY-MM-DDThh:mm:ssZ",
)
TEXT = Kind("text", "VARCHAR", "length({x}) <= 1000", "{x}", "at most 1,000 characters")
UID = Kind(
    "uid",
    "VARCHAR",
    "regexp_full_match({x}, '[0-9A-Za-z\\-\\\\]{1,20}')",
    "{x}",
    "1 to 20 letters, digits, - or \\",
)
WORD = Kind(
    "word", "VARCHAR", "regexp_full_match({x}, '[0-9A-Za-z]{1,64}')", "{x}", "1 to 64 letters or digits"
)
GOLDEN = Kind(
    "golden",
    "VARCHAR",
    "regexp_full_match({x}, '[0-9A-Fa-f*#]{1,16}|[0-9A-Fa-f]{32}')",
    "CASE WHEN length({x}) = 32 THEN lower({x}) "
    "WHEN regexp_matches({x}, '^[0-9]{14}') THEN md5(substr({x}, 1, 14)) ELSE md5(upper({x})) END",
    "an IMEI, or the 32 hexadecimal characters of its MD5",
)


def status(*known: str) -> Kind:
    """One of the known words (any case), kept in lower case: a status is never a trusted free string."""
    listed = ", ".join(f"'{word}'" for word in known)
    return Kind("status", "VARCHAR", f"lower({{x}}) IN ({listed})", "lower({x})", " or ".join(known))
