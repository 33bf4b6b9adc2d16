"""From verdicts to decisions, and to whom they matter: the relations that lists are made of."""

from collections.abc import Iterable, Sequence

from ceir.clock import day_of
from ceir.facts._ranges import in_ranges_sql
from ceir.pipeline.catalogue import ReleaseState
from ceir.pipeline.classify.inputs import equipment_sql
from ceir.pipeline.classify.preparing import month_masks
from ceir.pipeline.engines import Engine
from ceir.pipeline.release.dating import name_staged
from ceir.policy import Policy


def name_decisions(engine: Engine, policy: Policy, as_of: int, releases: Iterable[ReleaseState] = ()) -> None:
    """Name `decisions`: one outcome per equipment with a verdict in force, with the texts lists carry; and
    `counted`, the verdicts it was made of with the days on which their blocks come.

    Reads the relations `verdicts`, `malformed`, `golden`, `appeals`. Golden equipment is spared from blocking
    and from notices, whatever its verdicts. A verdict that an appeal restored equipment from counts as one of
    a trial. A block that comes step by step has the day of its step; one whose release is stopped has none,
    and its equipment is tracked.

    Args:
        releases: where blocks that come step by step stand, as the run keeps it.
    """
    labels = list(policy.conditions.items())
    rows = " UNION ALL ".join(
        f"SELECT '{label}' AS condition, CAST({1 << bit} AS BIGINT) AS bit, {_truth(c.tracked)} AS tracked, "
        f"'{c.exceptions}' AS exceptions"
        for bit, (label, c) in enumerate(labels)
    )
    engine.table("policy_conditions", rows)
    staged = name_staged(engine, policy, releases)
    comes = "CASE WHEN s.imei IS NULL THEN v.block_on ELSE s.release_on END" if staged else "v.block_on"
    held = "(s.imei IS NOT NULL AND s.release_on IS NULL)" if staged else "FALSE"
    join = "LEFT JOIN staged AS s ON s.imei = v.imei AND s.condition = v.condition " if staged else ""
    engine.view(
        "counted",
        "SELECT v.imei, v.first_matched_on, v.amnesty, k.bit, "
        f"CASE WHEN a.imei IS NULL THEN {comes} END AS block_on, "
        f"({held} AND a.imei IS NULL) AS held, ((k.tracked OR {held}) AND a.imei IS NULL) AS tracked "
        "FROM verdicts AS v JOIN policy_conditions AS k ON k.condition = v.condition "
        f"{join}LEFT JOIN (SELECT DISTINCT imei, condition FROM appeals) AS a "
        "ON a.imei = v.imei AND a.condition = v.condition",
    )
    engine.table(
        "outcomes",
        "SELECT imei, MIN(block_on) AS block_on, MIN(first_matched_on) AS since, "
        "COALESCE(BIT_OR(CASE WHEN block_on IS NOT NULL THEN bit END), 0) AS reasons, "
        "BIT_OR(bit) AS conditions, BOOL_OR(tracked) AS tracked, BOOL_OR(held) AS held, "
        "BOOL_OR(amnesty) AS amnesty FROM counted GROUP BY imei",
    )
    equipment = equipment_sql("seen_nothing", ())
    engine.view(
        "seen_nothing",
        "SELECT imei, CAST(NULL AS INTEGER) AS first_day, CAST(NULL AS INTEGER) AS last_day, "
        "CAST(NULL AS INTEGER) AS rats, CAST(NULL AS BIGINT) AS imsi_low, CAST(NULL AS BIGINT) AS imsi_high, "
        "CAST(NULL AS BIGINT) AS msisdn_low, CAST(NULL AS BIGINT) AS msisdn_high FROM outcomes",
    )
    engine.table(
        "decided",
        "SELECT o.imei, e.text, CASE WHEN (o.block_on IS NOT NULL OR o.held) AND g.imei_md5 IS NOT NULL "
        "THEN 'spared' "
        f"WHEN o.block_on <= {as_of} THEN 'blocked' WHEN o.block_on IS NOT NULL THEN 'notified' "
        "WHEN o.tracked THEN 'tracked' ELSE 'trial' END AS outcome, o.block_on, o.since, o.reasons, "
        f"o.conditions, o.amnesty FROM outcomes AS o JOIN ({equipment}) AS e ON e.imei = o.imei "
        "LEFT JOIN (SELECT DISTINCT imei_md5 FROM golden) AS g "
        # only what would be blocked is hashed
        "ON g.imei_md5 = CASE WHEN o.block_on IS NOT NULL OR o.held THEN MD5(e.text) END",
    )
    _name_texts(engine, policy)
    keep = "" if policy.lists.include_malformed else " WHERE d.imei >= 0"
    engine.table(
        "decisions",
        f"SELECT d.*, {text_sql('d.imei', 'd.text', policy)} AS imei_text, "
        "COALESCE(b.day_text, '') AS block_date, s.day_text AS since_date, "
        "r.mask_text AS reason_text, c.mask_text AS condition_text, c.label_text FROM decided AS d "
        "LEFT JOIN day_texts AS b ON b.day = d.block_on LEFT JOIN day_texts AS s ON s.day = d.since "
        "LEFT JOIN mask_texts AS r ON r.mask = d.reasons "
        f"LEFT JOIN mask_texts AS c ON c.mask = d.conditions{keep}",
    )


def name_lines(engine: Engine, as_of: int) -> None:
    """Name `line_stops`: for equipment that blocks with exceptions, the day each present user's line stops.

    Null: it goes on working. Of several conditions the earliest day counts, so that one without exceptions
    (a theft) stops everybody. Also `kept`: the lines that an exception list must carry.

    Reads `decisions`, `counted`, `policy_conditions` and the run's `claims`.
    """
    engine.table(
        "consequences",
        "SELECT v.imei, v.block_on, k.exceptions FROM counted AS v "
        "JOIN policy_conditions AS k ON k.bit = v.bit "
        "JOIN (SELECT imei FROM decisions WHERE outcome IN ('blocked', 'notified')) AS d ON d.imei = v.imei "
        "WHERE v.block_on IS NOT NULL",
    )
    engine.table(
        "line_stops",
        "SELECT c.imei, c.imsi, MIN(CASE "
        # who came after the block began was never permitted, and nobody takes it from him
        "WHEN q.exceptions = 'none' OR c.since > q.block_on THEN q.block_on "
        "WHEN q.exceptions = 'genuine' AND c.stops_on > q.block_on THEN c.stops_on "
        "WHEN q.exceptions = 'genuine' AND c.stops_on IS NOT NULL THEN q.block_on END) AS stop_on "
        "FROM claims AS c JOIN consequences AS q ON q.imei = c.imei "
        "WHERE c.imei IN (SELECT imei FROM consequences WHERE exceptions <> 'none') GROUP BY c.imei, c.imsi",
    )
    engine.table(
        "kept",
        "SELECT s.imei, s.imsi FROM line_stops AS s JOIN decisions AS d ON d.imei = s.imei "
        # before the block begins too: whatever an operator loads first, nobody is cut in between
        f"WHERE s.stop_on IS NULL OR (d.outcome = 'blocked' AND s.stop_on > {as_of})",
    )


def name_contacts(engine: Engine, policy: Policy, as_of: int) -> None:
    """Name `contacts`: whose line will stop, the day, and the operator that tells them.

    On equipment that blocks with exceptions these are the users whose own day is ahead, even though the
    identity may be blocked already; on other equipment all users, until the day it is blocked.
    """
    end = as_of + 1
    start = end - policy.lists.look_back_days
    first = day_of(start)
    engine.table(
        "ending",
        "SELECT d.imei, d.block_on, x.imei IS NOT NULL AS excepting FROM decisions AS d "
        "LEFT JOIN (SELECT DISTINCT imei FROM line_stops) AS x ON x.imei = d.imei "
        "WHERE d.outcome = 'notified' OR (d.outcome = 'blocked' AND x.imei IS NOT NULL)",
    )
    days = engine.rows(
        "SELECT day FROM (SELECT block_on AS day FROM ending WHERE NOT excepting "
        f"UNION SELECT stop_on AS day FROM line_stops) AS d WHERE day > {as_of} ORDER BY day"
    )
    _name_days(engine, "stop_texts", [int(str(day)) for (day,) in days])
    masks = month_masks(start, end)
    cases = " ".join(f"WHEN {month} THEN o.day_mask & {mask}" for month, mask in masks.items())
    engine.table(
        "contacts",
        "SELECT DISTINCT COALESCE(told.home, told.operator) AS operator, told.imei, told.imsi, "
        "SUBSTRING(CAST(told.imsi AS VARCHAR), 2) AS imsi_text, "
        "SUBSTRING(CAST(told.msisdn AS VARCHAR), 2) AS msisdn_text, t.day_text AS block_date "
        f"FROM (SELECT o.operator, o.imei, o.imsi, o.msisdn, {home_sql('o.imsi', policy)} AS home, "
        "CASE WHEN e.excepting THEN s.stop_on ELSE e.block_on END AS stop_on "
        "FROM observations AS o JOIN ending AS e ON e.imei = o.imei "
        "LEFT JOIN line_stops AS s ON s.imei = o.imei AND s.imsi = o.imsi "
        "LEFT JOIN (SELECT DISTINCT imei, imsi FROM pairings) AS p "
        "ON p.imei = o.imei AND p.imsi = o.imsi "
        f"WHERE o.month >= {first.year * 100 + first.month} AND o.imsi IS NOT NULL AND o.msisdn IS NOT NULL "
        f"AND p.imei IS NULL AND (CASE o.month {cases} ELSE 0 END) <> 0 "
        "AND (NOT e.excepting OR s.stop_on IS NOT NULL)) AS told "
        "JOIN stop_texts AS t ON t.day = told.stop_on",
    )


def name_paired(engine: Engine, policy: Policy) -> None:
    """Name `paired`: pairings and kept lines that go to an exception list, with the operator that receives
    them; `bound`: all of them, whether or not their equipment is listed; and `unable`: operators that cannot
    hold exceptions.

    One definition for full lists and deltas alike.
    """
    rules = policy.lists
    joins, where = "", []
    tac = "CASE WHEN q.imei >= 0 THEN CAST(q.imei // 1000000 AS INTEGER) ELSE m.tac END"
    if not rules.include_barred_in_exceptions:
        joins += " LEFT JOIN (SELECT DISTINCT imei FROM barred) AS b ON b.imei = q.imei"
        joins += f" LEFT JOIN (SELECT DISTINCT tac FROM barred_tacs) AS t ON t.tac = {tac}"
        known = f"(SELECT DISTINCT q.imei, {tac} AS tac FROM excepted AS q LEFT JOIN malformed AS m "
        known += "ON m.imei = q.imei) AS k"
        joins += f" LEFT JOIN ({in_ranges_sql(known, 'barred_ranges')}) AS r ON r.imei = q.imei"
        where += ["b.imei IS NULL", "t.tac IS NULL", "r.imei IS NULL"]
    if rules.restrict_exceptions_to_blocked:
        where.append("q.imei IN (SELECT imei FROM decisions WHERE outcome = 'blocked')")
    if not rules.include_malformed:
        where.append("q.imei >= 0")
    text = "CASE WHEN q.imei >= 0 THEN LPAD(CAST(q.imei AS VARCHAR), 14, '0') ELSE m.text END"
    shown = (
        f"{text_sql('q.imei', text, policy)} AS imei_text, SUBSTRING(CAST(q.imsi AS VARCHAR), 2) AS imsi_text"
    )
    engine.table(
        "bound",
        "SELECT imei_text, imsi_text, BOOL_OR(kept) AS kept FROM ("
        f"SELECT {shown}, q.kept FROM (SELECT imei, imsi, FALSE AS kept FROM pairings "
        "UNION ALL SELECT imei, imsi, TRUE AS kept FROM kept) AS q "
        "LEFT JOIN malformed AS m ON m.imei = q.imei) AS q GROUP BY imei_text, imsi_text",
    )
    engine.table(
        "excepted",
        "SELECT imei, imsi, msisdn FROM pairings UNION ALL "
        "SELECT k.imei, k.imsi, CAST(NULL AS BIGINT) AS msisdn FROM kept AS k LEFT JOIN "
        "(SELECT DISTINCT imei, imsi FROM pairings) AS p ON p.imei = k.imei AND p.imsi = k.imsi "
        "WHERE p.imei IS NULL",
    )
    engine.table(
        "pairs",
        f"SELECT q.imei, {shown}, "
        "COALESCE(SUBSTRING(CAST(q.msisdn AS VARCHAR), 2), '') AS msisdn_text, "
        f"{home_sql('q.imsi', policy)} AS home FROM excepted AS q LEFT JOIN malformed AS m ON m.imei = q.imei"
        f"{joins}" + (f" WHERE {' AND '.join(where)}" if where else ""),
    )
    operators = " UNION ALL ".join(f"SELECT '{o.id}' AS operator" for o in policy.operators)
    unable = [f"SELECT '{o.id}' AS operator" for o in policy.operators if not o.holds_exceptions]
    engine.table(
        "unable", " UNION ALL ".join(unable) or "SELECT CAST(NULL AS VARCHAR) AS operator WHERE 1 = 0"
    )
    columns = "imei, imei_text, imsi_text, msisdn_text"
    engine.table(
        "paired",
        f"SELECT home AS operator, {columns} FROM pairs WHERE home IS NOT NULL "
        f"UNION ALL SELECT o.operator, {columns} FROM (SELECT {columns} FROM pairs WHERE home IS NULL) AS h "
        f"CROSS JOIN ({operators}) AS o",
    )


def name_permitted(engine: Engine, policy: Policy) -> None:
    """Name `permitted_equipment`: registered, golden, or seen and of an exempt kind; and not blocked.

    Reads `devices_seen`: golden equipment is known by a hash only, so it can be named once it was seen.
    """
    if policy.mode != "restrictive":
        engine.view("permitted_equipment", "SELECT CAST(NULL AS VARCHAR) AS imei_text WHERE 1 = 0")
        return
    text = "CASE WHEN q.imei >= 0 THEN LPAD(CAST(q.imei AS VARCHAR), 14, '0') ELSE m.text END"
    shown = text_sql("q.imei", text, policy)
    exempt = ", ".join("'" + kind.replace("'", "''") + "'" for kind in policy.exempt_device_types)
    exempted = (
        "UNION SELECT d.imei FROM devices_seen AS d "
        f"JOIN (SELECT DISTINCT tac FROM tac WHERE device_type IN ({exempt})) AS t "
        "ON t.tac = CASE WHEN d.imei >= 0 THEN CAST(d.imei // 1000000 AS INTEGER) END "
        if exempt
        else ""
    )
    seen = "CASE WHEN d.imei >= 0 THEN LPAD(CAST(d.imei AS VARCHAR), 14, '0') ELSE n.text END"
    keep = "" if policy.lists.include_malformed else " AND q.imei >= 0"
    engine.table(
        "permitted_equipment",
        f"SELECT {shown} AS imei_text FROM ("
        "SELECT imei FROM registrations WHERE status IS NULL OR status = 'whitelist' "
        "UNION SELECT imei FROM decisions WHERE outcome = 'spared' "
        "UNION SELECT d.imei FROM devices_seen AS d LEFT JOIN malformed AS n ON n.imei = d.imei "
        f"WHERE MD5({seen}) IN (SELECT imei_md5 FROM golden) {exempted}) AS q "
        "LEFT JOIN malformed AS m ON m.imei = q.imei "
        "LEFT JOIN (SELECT imei FROM decisions WHERE outcome = 'blocked') AS x ON x.imei = q.imei "
        f"WHERE x.imei IS NULL{keep}",
    )


def home_sql(imsi: str, policy: Policy) -> str:
    """The id of the operator whose network an IMSI (stored form) belongs to; null: none of the policy's."""
    cases = " ".join(
        f"WHEN SUBSTRING(CAST({imsi} AS VARCHAR), 2, {len(prefix)}) = '{prefix}' THEN '{operator.id}'"
        for operator in policy.operators
        for prefix in operator.prefixes
    )
    return f"CASE {cases} ELSE NULL END"


def text_sql(imei: str, text: str, policy: Policy) -> str:
    """How an identity is written in lists: 14 digits, or 15 with the Luhn check digit; malformed verbatim."""
    if not policy.lists.check_digit:
        return text
    # Luhn: from the right of the 14 digits, every other digit is doubled and its digits summed.
    terms = []
    for place in range(14):
        digit = f"(({imei} // {10**place}) % 10)"
        doubled = f"(({digit} * 2) // 10 + ({digit} * 2) % 10)"
        terms.append(doubled if place % 2 == 0 else digit)
    check = f"((10 - ({' + '.join(terms)}) % 10) % 10)"
    return f"CASE WHEN {imei} >= 0 THEN CONCAT({text}, CAST({check} AS VARCHAR)) ELSE {text} END"


def _name_texts(engine: Engine, policy: Policy) -> None:
    """Name `day_texts` and `mask_texts`: texts of the few different days and masks (reasons, and labels of
    conditions), made here, once for all engines."""
    days = [
        int(str(d))
        for (d,) in engine.rows(
            "SELECT DISTINCT day FROM (SELECT block_on AS day FROM decided UNION SELECT since AS day FROM "
            "decided) AS d "
            "WHERE day IS NOT NULL ORDER BY day"
        )
    ]
    reasons = [c.reason for c in policy.conditions.values()]
    labels = list(policy.conditions)
    masks = [
        int(str(m))
        for (m,) in engine.rows(
            "SELECT DISTINCT mask FROM (SELECT reasons AS mask FROM decided "
            "UNION SELECT conditions AS mask FROM decided) AS m ORDER BY mask"
        )
    ]
    mask_rows = []
    for mask in masks:
        told = sorted({reason for bit, reason in enumerate(reasons) if mask >> bit & 1})
        text = "|".join(told).replace("'", "''")
        named = "|".join(sorted(label for bit, label in enumerate(labels) if mask >> bit & 1))
        mask_rows.append(
            f"SELECT CAST({mask} AS BIGINT) AS mask, '{text}' AS mask_text, '{named}' AS label_text"
        )
    no_mask = (
        "SELECT CAST(NULL AS BIGINT) AS mask, CAST(NULL AS VARCHAR) AS mask_text, "
        "CAST(NULL AS VARCHAR) AS label_text WHERE 1 = 0"
    )
    _name_days(engine, "day_texts", days)
    engine.table("mask_texts", " UNION ALL ".join(mask_rows) or no_mask)


def _name_days(engine: Engine, name: str, days: Sequence[int]) -> None:
    rows = [f"SELECT CAST({d} AS INTEGER) AS day, '{day_of(d):%Y%m%d}' AS day_text" for d in days]
    nothing = "SELECT CAST(NULL AS INTEGER) AS day, CAST(NULL AS VARCHAR) AS day_text WHERE 1 = 0"
    engine.table(name, " UNION ALL ".join(rows) or nothing)


def _truth(value: bool) -> str:
    return "TRUE" if value else "FALSE"
