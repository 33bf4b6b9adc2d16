"""What operators' networks saw: equipment, subscriber, number and radio technology, by day."""

from ceir.identifiers.rat import TECHNOLOGIES
from ceir.sources._checks import QUARANTINE
from ceir.sources._kinds import DAY, DIGITS, IMEI, Kind
from ceir.sources.declaration import Check, Field, Source

_CODES = "|".join(t.code for t in TECHNOLOGIES)


def _bit(text: str) -> str:
    """The mask of one code; null: no code."""
    codes = " ".join(f"WHEN '{t.code}' THEN {t.mask}" for t in TECHNOLOGIES)
    return f"CASE {text} {codes} END"


_SEVERAL = " | ".join(f"CASE WHEN contains({{x}}, '{t.code}') THEN {t.mask} ELSE 0 END" for t in TECHNOLOGIES)
RATS = Kind(
    "rats",
    "INTEGER",
    # Nearly all rows have one code or two, and looking for each of all codes is what costs.
    f"CASE strlen({{x}}) WHEN 3 THEN {_bit('{x}')} "
    f"WHEN 7 THEN CASE WHEN substr({{x}}, 4, 1) = '|' "
    f"THEN {_bit('substr({x}, 1, 3)')} | {_bit('substr({x}, 5, 3)')} END "
    f"ELSE CASE WHEN regexp_full_match({{x}}, '({_CODES})([|]({_CODES}))*') THEN {_SEVERAL} END END",
    "radio technology codes joined by |",
)

SOURCE = Source(
    name="observations",
    title="Operators' observations",
    doc="One row per distinct day, IMEI, IMSI and MSISDN of an operator, made from all its record types. "
    "Leave out emergency calls and attempts that the EIR refused: they would count against people.",
    fields=(
        Field("seen_on", ("date",), DAY, "Local calendar day.", required=True, unit="days since 1970-01-01"),
        Field("imei", ("imei",), IMEI, "Equipment identity; may be empty."),
        Field("imsi", ("imsi",), DIGITS, "Subscriber; may be empty.", personal=True),
        Field("msisdn", ("msisdn",), DIGITS, "Number in E.164; may be empty.", personal=True),
        Field("rats", ("rat",), RATS, "Radio technologies; may be empty.", optional_header=True),
    ),
    key=(),
    subject="imei",
    checks=(
        QUARANTINE,
        Check(
            "leading_zero_ones",
            1,
            "at most",
            "spreadsheets strip leading zeros: more IMEIs then start with 1 than with 0",
            "IMEIs starting 1 per IMEI starting 0",
        ),
        Check(
            "leading_zero_tacs",
            0.5,
            "at most",
            "spreadsheets strip leading zeros: 1... IMEIs are then known TACs with a 0 before",
            "share of IMEIs starting 1",
        ),
        Check("null_imei", 0.05, "at most", "an export that loses the IMEI shows no devices"),
        Check("null_imsi", 0.05, "at most", "an export that loses the IMSI hides duplicates"),
        Check("null_msisdn", 0.05, "at most", "nobody can be told without a number"),
        Check("null_rat", 0.05, "at most", "an export that loses the technology blinds that rule"),
        Check("null_any", 0.05, "at most", "an export that loses columns"),
        Check("unclean_imei", 0.05, "at most", "columns shifted or masked"),
        Check("unclean_imsi", 0.05, "at most", "columns shifted or masked"),
        Check("unclean_any", 0.05, "at most", "columns shifted or masked"),
        Check("foreign_imsi", 0.1, "at most", "more roamers than a country has: another country's file"),
        Check("foreign_msisdn", 0.1, "at most", "numbers not in E.164, or another country's file"),
        Check("foreign_any", 0.1, "at most", "another country's file"),
        Check("other_operator_imsi", 0.2, "at most", "another operator's file under this operator's name"),
        Check(
            "daily_imeis",
            0.9,
            "at least",
            "a part of the day or of the network is missing",
            "share of the average of the last 30 days with data",
        ),
        Check(
            "daily_imsis",
            0.9,
            "at least",
            "a part of the day or of the network is missing",
            "share of the average of the last 30 days with data",
        ),
        Check(
            "daily_msisdns",
            0.9,
            "at least",
            "a part of the day or of the network is missing",
            "share of the average of the last 30 days with data",
        ),
    ),
    example="date,imei,imsi,msisdn,rat\n20260901,35675904000001,111010000000001,220000000001,002|006\n",
    folded="months",
    changes=(),
    per_operator=True,
    dated_name=True,
    peer_name="operator",
)
