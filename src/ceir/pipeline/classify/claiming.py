"""The ladder: which of the subscribers of an identity that several devices carry has the genuine one.

What rungs say is added up for each person, so that all lines of a person share the answer. Somebody is
called genuine only with enough evidence and a clear lead over everybody else, and somebody else a clone only
where there is a genuine one, next to whom he was seen day by day. In between nobody is called anything.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from ceir.clock import day_number
from ceir.facts import Context
from ceir.facts.declaration import WINDOW_PARAMETERS
from ceir.pipeline.catalogue import Run
from ceir.pipeline.classify.preparing import Frozen, Relation, relations_of, without_day, working_names
from ceir.pipeline.engines import Engine
from ceir.pipeline.workspace import Workspace
from ceir.policy import Condition, Policy, RuleUse
from ceir.rungs import Rung, all_rungs
from ceir.sources import all_sources
from ceir.tables.claims import TABLE as CLAIMS
from ceir.tables.suspects import TABLE as SUSPECTS
from ceir.weights import Weights, load_weights
from ceir.weights.declaration import thousandths
from ceir.weights.scale import DEFAULT, SCORED, scale_of
from ceir.workings import all_workings

_ANY_DAY = Context(end=0)


@dataclass(frozen=True)
class Claiming:
    """What a policy asks of the ladder.

    Args:
        labels: conditions whose identities it looks at: those that rest on the score, and those that spare
            users of a blocked identity.
        weights: those of the first blocking condition that names some.
        rungs: those that the weights weigh, sorted by name; a bit of `terms` each.
        known: of these, those whose sources were ever ingested.
        context: day, and the window and parameters of the weights.
        relations: of each rung, the workings that it reads.
    """

    labels: tuple[str, ...]
    genuine: tuple[str, ...]
    weights: Weights
    rungs: tuple[Rung, ...]
    known: frozenset[str]
    context: Context
    relations: Mapping[str, tuple[Relation, ...]] = field(default_factory=dict)

    @property
    def sources(self) -> frozenset[str]:
        """Lists that claims rest on, entry by entry."""
        read = {source for rung in self.rungs if rung.name in self.known for source in rung.reads}
        return frozenset(read - _rows() | {"subscribers"})

    @property
    def far_reading(self) -> bool:
        """Whether a claim may change with what was told of other equipment: then all are made anew."""
        return any(rung.name in self.known and not _rows().isdisjoint(rung.reads) for rung in self.rungs)

    def placed(self, rung: Rung, sql: str) -> str:
        """A query of a rung with the names of what it reads in place."""
        for relation in self.relations[rung.name]:
            sql = sql.replace(f"{{{relation.working.name}}}", relation.name)
        return sql

    @property
    def fingerprint(self) -> str:
        """Changes when a claim would mean something else."""
        parts = [repr(self.labels), repr(self.weights.ladder)]
        fixed = without_day(self.context)
        for rung in self.rungs:
            sqls = [self.placed(rung, sql) for sql in (*rung.tables_sql(fixed).values(), rung.sql(fixed))]
            parts.append(f"{rung.name}={rung.name in self.known}:{rung.speaks_for}:{':'.join(sqls)}")
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def score_use(condition: Condition) -> RuleUse | None:
    """The rule of a condition that rests on the score; None: it has none."""
    return next((use for use in condition.all if use.rule in SCORED and not use.negated), None)


def _rows() -> frozenset[str]:
    """Sources that are kept row by row."""
    return frozenset(name for name, source in all_sources().items() if source.folded == "rows")


def claiming_of(
    policy: Policy,
    known_sources: frozenset[str],
    context: Context = _ANY_DAY,
    relations: dict[tuple[str, Context], Relation] | None = None,
) -> Claiming | None:
    """What a policy asks of the ladder; None: nothing.

    Args:
        context: the day and the policy.
        relations: those made so far; what rungs read is added.
    """
    conditions = policy.conditions
    labels = tuple(n for n, c in conditions.items() if score_use(c) is not None or c.exceptions != "none")
    if not labels:
        return None
    uses = [(conditions[n].blocking, use) for n in labels if (use := score_use(conditions[n])) is not None]
    first = next((use for blocking, use in uses if blocking), uses[0][1] if uses else None)
    weights = scale_of(first.parameters).weights if first else load_weights(DEFAULT)
    rungs = tuple(all_rungs()[name] for name in sorted(weights.ladder.rungs))
    context = _of_weights(context, first.parameters if first else weights.parameters)
    made: dict[tuple[str, Context], Relation] = {} if relations is None else relations
    read = {
        # workings that nobody can compute, or no rung that counts asks for, are not made
        r.name: relations_of(r.workings, context, made, known_sources)
        if known_sources.issuperset(r.reads)
        else ()
        for r in rungs
    }
    return Claiming(
        labels=labels,
        genuine=tuple(n for n in labels if conditions[n].exceptions == "genuine"),
        weights=weights,
        rungs=rungs,
        known=frozenset(
            r.name for r in rungs if known_sources.issuperset(r.reads) and all(x.known for x in read[r.name])
        ),
        context=context,
        relations=read,
    )


def _of_weights(context: Context, given: Mapping[str, object]) -> Context:
    """The context of the workings that rungs read: as facts of the score have it."""
    names = working_names({name for rung in all_rungs().values() for name in rung.workings})
    defaults = {k: v for name in names for k, v in all_workings()[name].defaults.items()}
    own = {**defaults, **{k: v for k, v in given.items() if v is not None}}
    return replace(
        context,
        start=context.end - int(str(own["window_days"])),
        parameters=Frozen({k: v for k, v in own.items() if k not in WINDOW_PARAMETERS}),
    )


def name_past_claims(engine: Engine, workspace: Workspace, name: str, run: Run | None) -> None:
    """Name the claims of a run; none: an empty relation."""
    path = run.claims if run else None
    engine.files(name, [workspace.path(path)] if path else [], CLAIMS.columns)


def name_past_suspects(engine: Engine, workspace: Workspace, name: str, run: Run | None) -> None:
    """Name the suspects of a run; none: an empty relation."""
    path = workspace.path(f"runs/{run.id:05d}/suspects") if run else None
    engine.files(name, [path] if path and path.exists() else [], SUSPECTS.columns)


def name_claims(
    engine: Engine, claiming: Claiming, policy: Policy, as_of: date, masks: Mapping[int, int]
) -> None:
    """Compute `claims_now`: claims on the identities in `judged` that a condition of the ladder is about.

    Reads `judged`, `previous`, `conditions`, `devices`, `observations`, `claims_history` and lists.

    Args:
        masks: for each month of the look-back the bits of its days inside.
    """
    _name_users(engine, claiming, as_of, masks)
    _name_standing(engine, claiming)
    ladder = claiming.weights.ladder
    today = day_number(as_of)
    engine.table(
        "genuine_persons",
        f"SELECT imei, person FROM standing WHERE score >= {thousandths(ladder.genuine_at)} "
        f"AND (margin IS NULL OR margin >= {thousandths(ladder.margin)})",
    )
    months = (
        "SELECT u.imei, u.person, d.month, BIT_OR(d.day_mask) AS day_mask FROM users AS u JOIN used AS d "
        "ON d.imei = u.imei AND d.imsi = u.imsi WHERE d.day_mask <> 0 GROUP BY u.imei, u.person, d.month"
    )
    engine.table(
        "beside",
        "SELECT a.imei, a.person, CAST(SUM(BIT_COUNT(a.day_mask & b.day_mask)) AS INTEGER) AS days "
        f"FROM ({months}) AS a JOIN genuine_persons AS g ON g.imei = a.imei "
        f"JOIN ({months}) AS b ON b.imei = g.imei AND b.person = g.person AND b.month = a.month "
        "WHERE a.person <> g.person GROUP BY a.imei, a.person",
    )
    engine.table(
        "answered",
        "SELECT s.imei, s.person, s.score, s.margin, s.terms, "
        "CASE WHEN g.imei IS NULL OR g.person = s.person THEN NULL ELSE COALESCE(b.days, 0) END "
        "AS side_by_side, "
        "CASE WHEN g.person = s.person THEN 'genuine' "
        f"WHEN g.imei IS NOT NULL AND s.score < {thousandths(ladder.clone_below)} "
        f"AND b.days >= {ladder.side_by_side_days} THEN 'clone' ELSE 'undecided' END AS answer "
        "FROM standing AS s LEFT JOIN genuine_persons AS g ON g.imei = s.imei "
        "LEFT JOIN beside AS b ON b.imei = s.imei AND b.person = s.person",
    )
    spared = [n for n, c in policy.conditions.items() if c.exceptions != "none"]
    engine.table(
        "limits",
        "SELECT j.imei, MIN(j.block_on) AS block_on, "
        f"MIN(CASE WHEN {_among('j.condition', claiming.genuine)} THEN j.block_on END) AS stop_from, "
        f"MIN(CASE WHEN {_among('j.condition', claiming.genuine)} THEN k.grace END) AS grace "
        "FROM judged AS j JOIN conditions AS k ON k.condition = j.condition "
        f"WHERE j.block_on IS NOT NULL AND {_among('j.condition', spared)} GROUP BY j.imei",
    )
    engine.table(
        "claims_now",
        "SELECT u.imei, u.imsi, CAST(n.number AS INTEGER) AS person, a.answer, a.score, a.margin, a.terms, "
        "a.side_by_side, "
        "CASE WHEN u.first_day > l.block_on THEN 'refuse' WHEN a.answer = 'genuine' THEN 'pair' "
        "WHEN a.answer = 'clone' THEN 'stop' ELSE 'keep' END AS proposal, u.first_day AS since, "
        "CAST(CASE WHEN a.answer <> 'clone' OR l.stop_from IS NULL THEN NULL "
        "WHEN h.stops_on IS NOT NULL THEN h.stops_on "
        f"WHEN l.stop_from > {today} + l.grace THEN l.stop_from ELSE {today} + l.grace END AS INTEGER) "
        "AS stops_on FROM users AS u "
        "JOIN answered AS a ON a.imei = u.imei AND a.person = u.person "
        "JOIN (SELECT imei, person, ROW_NUMBER() OVER (PARTITION BY imei ORDER BY first_imsi) AS number "
        "FROM (SELECT imei, person, MIN(imsi) AS first_imsi FROM users WHERE present GROUP BY imei, person) "
        "AS firsts) AS n ON n.imei = u.imei AND n.person = u.person "
        "LEFT JOIN limits AS l ON l.imei = u.imei "
        "LEFT JOIN known_before AS h ON h.imei = u.imei AND h.imsi = u.imsi WHERE u.present",
    )


def suspects_sql(parts: Mapping[str, tuple[RuleUse, str, str, int]]) -> str:
    """SELECT of `suspects` from `matched`.

    Args:
        parts: for each condition that rests on the score: its rule, the SQL of score and of signals, its bit.
    """
    selects = [
        f"SELECT imei, '{label}' AS condition, '{SCORED[use.rule]}' AS answer, "
        f"CAST({score} AS INTEGER) AS score, CAST({signals} AS INTEGER) AS signals "
        f"FROM matched WHERE (matched & {bit}) <> 0"
        for label, (use, score, signals, bit) in parts.items()
    ]
    return " UNION ALL ".join(selects)


def _name_users(engine: Engine, claiming: Claiming, as_of: date, masks: Mapping[int, int]) -> None:
    """Name `users`, `owners` and `used`: who was ever seen with a suspected identity, up to the day."""
    this = as_of.year * 100 + as_of.month
    until = (1 << as_of.day) - 1
    inside = " ".join(f"WHEN {month} THEN day_mask & {mask}" for month, mask in masks.items())
    engine.table(
        "suspected", f"SELECT DISTINCT imei FROM judged WHERE {_among('condition', claiming.labels)}"
    )
    # What an undone file was evidence of counts as never seen: only what still has history is looked up.
    engine.table(
        "known_before",
        "SELECT imei, imsi, since, stops_on FROM claims_history WHERE imei IN "
        f"(SELECT imei FROM previous WHERE {_among('condition', claiming.labels)})",
    )
    engine.table(
        "used",
        f"SELECT imei, imsi, month, BIT_OR(CASE month {inside} ELSE 0 END) AS day_mask, "
        "MIN(first_day) AS first_day, BIT_OR(rats) AS rats FROM observations "
        "WHERE imei IN (SELECT imei FROM suspected) AND imsi IS NOT NULL "
        f"AND (month < {this} OR (month = {this} AND (day_mask & {until}) <> 0)) GROUP BY imei, imsi, month",
    )
    engine.table(
        "owners",
        # Of several persons nobody knows whose it is. The alias must not hide the column from HAVING.
        "SELECT imsi, lowest AS uid FROM (SELECT imsi, MIN(uid) AS lowest FROM subscribers "
        "WHERE imsi IN (SELECT imsi FROM used) GROUP BY imsi HAVING COUNT(DISTINCT uid) = 1) AS known",
    )
    engine.table(
        "users",
        "SELECT u.imei, u.imsi, u.rats, u.present, d.first_day AS device_first_day, "
        "CASE WHEN u.imei >= 0 THEN CAST(u.imei // 1000000 AS INTEGER) ELSE m.tac END AS tac, "
        "CASE WHEN h.since < u.first_day THEN h.since ELSE u.first_day END AS first_day, "
        "CASE WHEN o.uid IS NULL THEN CONCAT('line ', CAST(u.imsi AS VARCHAR)) ELSE "
        "CONCAT('person ', o.uid) END AS person FROM ("
        "SELECT imei, imsi, BIT_OR(rats) AS rats, MIN(first_day) AS first_day, "
        "BOOL_OR(day_mask <> 0) AS present FROM used GROUP BY imei, imsi) AS u "
        "JOIN devices AS d ON d.imei = u.imei LEFT JOIN malformed AS m ON m.imei = u.imei "
        "LEFT JOIN owners AS o ON o.imsi = u.imsi "
        "LEFT JOIN known_before AS h ON h.imei = u.imei AND h.imsi = u.imsi",
    )


def _name_standing(engine: Engine, claiming: Claiming) -> None:
    """Name `standing`: score, lead and rungs of every person with a line that is present."""
    weights = claiming.weights.ladder.rungs
    votes, rows = [], []
    for name, sql in _tables(claiming).items():
        engine.table(name, sql)
    for place, rung in enumerate(claiming.rungs):
        rows.append(
            f"SELECT CAST({place} AS INTEGER) AS rung, CAST({1 << place} AS BIGINT) AS bit, "
            f"CAST({thousandths(weights[rung.name])} AS INTEGER) AS weight, "
            f"{'TRUE' if rung.speaks_for else 'FALSE'} AS speaks_for"
        )
        if rung.name in claiming.known:
            votes.append(
                f"SELECT DISTINCT imei, imsi, CAST({place} AS INTEGER) AS rung "
                f"FROM ({claiming.placed(rung, rung.sql(claiming.context))}) AS r{place}"
            )
    nobody = (
        "SELECT CAST(NULL AS BIGINT) AS imei, CAST(NULL AS BIGINT) AS imsi, CAST(NULL AS INTEGER) AS rung "
        "WHERE 1 = 0"
    )
    nothing = (
        "SELECT CAST(NULL AS INTEGER) AS rung, CAST(NULL AS BIGINT) AS bit, CAST(NULL AS INTEGER) AS weight, "
        "TRUE AS speaks_for WHERE 1 = 0"
    )
    engine.table("rung_weights", " UNION ALL ".join(rows) or nothing)
    engine.table("votes", " UNION ALL ".join(votes) or nobody)
    engine.table(
        "persons",
        "SELECT imei, person, COUNT(*) AS lines, BOOL_OR(present) AS present FROM users "
        "GROUP BY imei, person",
    )
    engine.table(
        "scored",
        "SELECT p.imei, p.person, CAST(COALESCE(s.score, 0) AS INTEGER) AS score, "
        "CAST(COALESCE(s.terms, 0) AS BIGINT) AS terms FROM persons AS p LEFT JOIN ("
        "SELECT q.imei, q.person, SUM(r.weight) AS score, SUM(r.bit) AS terms FROM ("
        "SELECT u.imei, u.person, v.rung, COUNT(*) AS lines FROM votes AS v JOIN users AS u "
        "ON u.imei = v.imei AND u.imsi = v.imsi GROUP BY u.imei, u.person, v.rung) AS spoken "
        "JOIN rung_weights AS r ON r.rung = spoken.rung "
        "JOIN persons AS q ON q.imei = spoken.imei AND q.person = spoken.person "
        "WHERE r.speaks_for OR spoken.lines = q.lines GROUP BY q.imei, q.person) AS s "
        "ON s.imei = p.imei AND s.person = p.person WHERE p.present",
    )
    engine.table(
        "standing",
        "SELECT s.imei, s.person, s.score, s.terms, "
        "CAST(s.score - CASE WHEN s.place = 1 THEN t.runner_up ELSE t.best END AS INTEGER) AS margin FROM ("
        "SELECT imei, person, score, terms, ROW_NUMBER() OVER "
        "(PARTITION BY imei ORDER BY score DESC, person) AS place FROM scored) AS s JOIN ("
        "SELECT imei, MAX(CASE WHEN place = 1 THEN score END) AS best, "
        "MAX(CASE WHEN place = 2 THEN score END) AS runner_up FROM ("
        "SELECT imei, score, ROW_NUMBER() OVER (PARTITION BY imei ORDER BY score DESC, person) AS place "
        "FROM scored) AS places GROUP BY imei) AS t ON t.imei = s.imei",
    )


def _tables(claiming: Claiming) -> Mapping[str, str]:
    """What rungs that count have computed before, each once."""
    return {
        name: claiming.placed(rung, sql)
        for rung in claiming.rungs
        if rung.name in claiming.known
        for name, sql in rung.tables_sql(claiming.context).items()
    }


def _among(column: str, labels: tuple[str, ...] | list[str]) -> str:
    listed = ", ".join(f"'{label}'" for label in labels)
    return f"{column} IN ({listed})" if labels else "1 = 0"
