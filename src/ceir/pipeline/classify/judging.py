"""From today's matches and yesterday's verdicts to the verdicts in force."""

from datetime import date

from ceir.clock import day_number
from ceir.policy import Policy


def conditions_sql(policy: Policy) -> str:
    """The policy's conditions as rows: label, bit, and what follows."""
    rows = []
    for bit, (label, c) in enumerate(policy.conditions.items()):
        rows.append(
            f"SELECT '{label}' AS condition, CAST({1 << bit} AS BIGINT) AS bit, {_sql(c.blocking)} AS "
            f"blocking, "
            f"{_sql(c.sticky)} AS sticky, CAST({c.grace_days} AS INTEGER) AS grace, "
            f"{_sql(c.amnesty_eligible and policy.amnesty.enabled)} AS eligible"
        )
    return " UNION ALL ".join(rows)


def previous_sql(history: str, withdrawn: str, scope: str | None) -> str:
    """Verdicts of the run before that count as history.

    What rested on a file that was undone since does not: such a verdict starts anew, sticky or not.

    Args:
        withdrawn: relation (imei, since): equipment of undone files, and the day of the first run that saw
        it.
        scope: relation of the equipment looked at; None: all.
    """
    inside = f" AND p.imei IN (SELECT imei FROM {scope})" if scope else ""
    return (
        f"SELECT p.* FROM {history} AS p LEFT JOIN "
        f"(SELECT imei, MIN(since) AS since FROM {withdrawn} GROUP BY imei) AS w ON w.imei = p.imei "
        f"WHERE (w.imei IS NULL OR p.first_matched_on < w.since){inside}"
    )


def verdicts_sql(policy: Policy, as_of: date) -> str:
    """Verdicts in force, from the relations `matched`, `previous` and `conditions`.

    A match keeps the day and the block date of its first run, whatever the grace is now; a condition that
    became blocking since gets its date from today. Grain (imei, condition).
    """
    today = day_number(as_of)
    amnesty = policy.amnesty
    granting = amnesty.enabled and amnesty.evaluation_until is not None and as_of <= amnesty.evaluation_until
    until = day_number(amnesty.amnesty_until) if amnesty.enabled and amnesty.amnesty_until else today
    granted = "c.eligible" if granting else "(c.eligible AND COALESCE(p.amnesty, FALSE))"
    eligible_date = "CAST(NULL AS INTEGER)" if granting else str(until)
    return (
        "SELECT c.imei, c.condition, COALESCE(p.first_matched_on, "
        f"{today}) AS first_matched_on, CAST(CASE WHEN NOT c.blocking THEN NULL "
        f"WHEN {granted} THEN {eligible_date} "
        f"WHEN p.block_on IS NOT NULL THEN p.block_on ELSE {today} + c.grace END AS INTEGER) AS block_on, "
        f"c.matching AS matching, {granted} AS amnesty FROM ("
        "SELECT imei, condition, blocking, grace, eligible, BOOL_OR(matching) AS matching FROM ("
        "SELECT m.imei, k.condition, k.blocking, k.grace, k.eligible, TRUE AS matching FROM matched AS m "
        "CROSS JOIN conditions AS k WHERE (m.matched & k.bit) <> 0 "
        "UNION ALL SELECT p.imei, k.condition, k.blocking, k.grace, k.eligible, FALSE AS matching FROM "
        "previous AS p "
        "JOIN conditions AS k ON k.condition = p.condition WHERE k.sticky) AS candidates "
        "GROUP BY imei, condition, blocking, grace, eligible) AS c "
        "LEFT JOIN previous AS p ON p.imei = c.imei AND p.condition = c.condition"
    )


def ended_sql(as_of: date, history: str, scope: str | None) -> str:
    """Verdicts of the run before that are no longer in force."""
    inside = f" AND p.imei IN (SELECT imei FROM {scope})" if scope else ""
    return (
        f"SELECT p.imei, p.condition, p.first_matched_on, CAST({day_number(as_of)} AS INTEGER) AS ended_on "
        f"FROM {history} AS p LEFT JOIN verdicts AS v ON v.imei = p.imei AND v.condition = p.condition "
        f"WHERE v.imei IS NULL{inside}"
    )


def _sql(value: bool) -> str:
    return "TRUE" if value else "FALSE"
