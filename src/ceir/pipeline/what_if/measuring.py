"""Whom a replayed run touches: relations of devices and lines, and what is counted over them.

Every relation of a side begins with its name, so that two sides live in one engine.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from ceir.clock import day_number, day_of
from ceir.pipeline.catalogue import Catalogue
from ceir.pipeline.classify.preparing import month_masks
from ceir.pipeline.engines import Engine
from ceir.pipeline.publish.deciding import home_sql
from ceir.pipeline.what_if.result import Count, Group, Overlap, Step
from ceir.pipeline.workspace import Workspace
from ceir.policy import Policy
from ceir.sources import all_sources

Kind = str
"""`cut` or `told`."""

KINDS = ("told", "cut")

AGES = (
    (365, "less than 1 year"),
    (3 * 365, "1 to 3 years"),
    (5 * 365, "3 to 5 years"),
    (8 * 365, "5 to 8 years"),
    (None, "8 years or more"),
)
"""Classes by the days since the TAC was allocated, and what they are called: old devices are cheap ones."""

MOST_MODELS = 20
"""Makers and models that are named; the rest is one group."""

NO_DEVICES = (
    "SELECT CAST(NULL AS BIGINT) AS imei, CAST(NULL AS INTEGER) AS day, CAST(NULL AS BIGINT) AS due "
    "WHERE 1 = 0"
)

_DEVICES = {
    "told": "SELECT imei, block_on AS day, reasons AS due FROM decided WHERE outcome = 'notified'",
    "cut": "SELECT d.imei, d.block_on AS day, x.due FROM decided AS d JOIN "
    "(SELECT imei, BIT_OR(CASE WHEN block_on <= {today} THEN bit ELSE 0 END) AS due FROM counted "
    "GROUP BY imei) AS x "
    "ON x.imei = d.imei WHERE d.outcome = 'blocked'",
}


@dataclass
class Measured:
    """What one side's replay touched so far.

    Attributes:
        parts: relations of newly told and newly cut devices, one for each run.
    """

    engine: Engine
    side: str
    policy: Policy
    persons_known: bool
    parts: dict[Kind, list[str]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    steps: list[Step] = field(default_factory=list)

    def begin(self, as_of: date | None) -> None:
        """Keep what stands before the replay; None: nothing does. Reads `decided` and `counted`."""
        for kind in KINDS:
            sql = _devices_sql(kind, as_of) if as_of is not None else NO_DEVICES
            self.engine.table(f"{self.side}_{kind}_start", sql)

    def step(self, as_of: date) -> None:
        """Take up a run: who is told or cut and was not before, and their lines."""
        counted: dict[Kind, tuple[int, int]] = {}
        for kind in KINDS:
            stand = f"{self.side}_{kind}_last"
            self.engine.table(stand, _devices_sql(kind, as_of))
            before = " UNION ALL ".join(
                f"SELECT imei FROM {name}" for name in (f"{self.side}_{kind}_start", *self.parts[kind])
            )
            fresh = f"{self.side}_{kind}_{len(self.parts[kind])}"
            self.engine.table(
                fresh,
                f"SELECT imei, day, due FROM {stand} WHERE imei NOT IN (SELECT imei FROM ({before}) AS b)",
            )
            self.engine.table(f"{fresh}_lines", lines_sql(fresh, self.policy, as_of))
            self.parts[kind].append(fresh)
            counted[kind] = (self._count(stand), self._count(fresh))
        self.steps.append(
            Step(
                as_of=as_of,
                notified=counted["told"][0],
                blocked=counted["cut"][0],
                newly_notified=counted["told"][1],
                newly_cut=counted["cut"][1],
            )
        )

    def gather(self, as_of: date) -> None:
        """Put all runs together: `SIDE_touched`, one row for a kind, device and line."""
        engine, side = self.engine, self.side
        for kind in KINDS:
            devices = " UNION ALL ".join(f"SELECT * FROM {p}" for p in self.parts[kind])
            lines = " UNION ALL ".join(f"SELECT * FROM {p}_lines" for p in self.parts[kind])
            engine.table(f"{side}_{kind}_devices", devices)
            engine.table(f"{side}_{kind}_lines", lines)
            engine.table(f"{side}_{kind}_last_lines", lines_sql(f"{side}_{kind}_last", self.policy, as_of))
        both = " UNION ALL ".join(
            f"SELECT '{kind}' AS kind, d.imei, d.due, l.imsi, l.operator FROM {side}_{kind}_devices AS d "
            f"LEFT JOIN {side}_{kind}_lines AS l ON l.imei = d.imei"
            for kind in KINDS
        )
        engine.table(f"{side}_touched", both)

    def complete(self, as_of: date) -> None:
        """Add what is known of devices and lines: `SIDE_rows`. Reads `places`."""
        engine, side = self.engine, self.side
        today = day_number(as_of)
        *bounds, _ = [days for days, _ in AGES]
        classes = " ".join(
            f"WHEN {today} - t.allocation_date < {days} THEN {n}" for n, days in enumerate(bounds)
        )
        tac = "CASE WHEN x.imei >= 0 THEN CAST(x.imei // 1000000 AS INTEGER) ELSE m.tac END"
        engine.table(
            f"{side}_rows",
            "SELECT x.kind, x.imei, x.due, x.imsi, x.operator, s.uid, t.manufacturer AS maker, "
            "CASE WHEN t.manufacturer IS NOT NULL AND t.model_name IS NOT NULL "
            "THEN CONCAT(t.manufacturer, ' ', t.model_name) END AS model, "
            f"CASE WHEN t.allocation_date IS NULL THEN NULL {classes} ELSE {len(AGES) - 1} END AS age, "
            f"r.region FROM {side}_touched AS x "
            "LEFT JOIN (SELECT DISTINCT imei, tac FROM malformed) AS m ON m.imei = x.imei "
            f"LEFT JOIN tac AS t ON t.tac = {tac} "
            "LEFT JOIN (SELECT DISTINCT imsi, uid FROM subscribers) AS s ON s.imsi = x.imsi "
            "LEFT JOIN places AS r ON r.imsi = x.imsi",
        )

    def groups(
        self, key: str, names: Mapping[object, str] | None = None, most: int | None = None
    ) -> tuple[Group, ...]:
        """Counts by a column of `SIDE_rows`, those with most cut first; what is beyond `most` is one group.

        Args:
            names: what the values are called; values without a name are unknown.
        """
        found = self.engine.rows(
            f"SELECT kind, {key}, COUNT(DISTINCT imei), COUNT(DISTINCT imsi), COUNT(DISTINCT uid) "
            f"FROM {self.side}_rows GROUP BY kind, {key}"
        )
        groups: dict[str | None, dict[Kind, Count]] = {}
        for kind, value, *numbers in found:
            name = None if value is None else str(value) if names is None else names.get(value)
            groups.setdefault(name, {})[str(kind)] = self.count(numbers)
        made = [
            Group(name=n, notified=g.get("told", self.none), cut=g.get("cut", self.none))
            for n, g in groups.items()
        ]
        made.sort(
            key=lambda g: (g.name is None, -g.cut.lines, -g.notified.lines, -g.cut.devices, g.name or "")
        )
        if most is None or len([g for g in made if g.name is not None]) <= most:
            return tuple(made)
        kept = [g.name for g in made if g.name is not None][:most]
        rest = self._rest(key, kept)
        return (*(g for g in made if g.name in kept), rest, *(g for g in made if g.name is None))

    def conditions(self) -> tuple[Group, ...]:
        """Counts by condition, in the policy's order: a device that two conditions touch counts for both."""
        groups = []
        for bit, (label, condition) in enumerate(self.policy.conditions.items()):
            if not condition.blocking:
                continue
            rows = self.engine.rows(
                "SELECT kind, COUNT(DISTINCT imei), COUNT(DISTINCT imsi), COUNT(DISTINCT uid) "
                f"FROM {self.side}_rows WHERE (due & {1 << bit}) <> 0 GROUP BY kind"
            )
            found = {str(kind): self.count(numbers) for kind, *numbers in rows}
            groups.append(
                Group(name=label, notified=found.get("told", self.none), cut=found.get("cut", self.none))
            )
        return tuple(groups)

    def masks(self) -> list[tuple[int, int]]:
        """Conditions that cut a line, as a mask, and how many lines; one of two cut devices counts twice."""
        rows = self.engine.rows(
            "SELECT due, COUNT(*) FROM (SELECT DISTINCT imei, imsi, due "
            f"FROM {self.side}_touched WHERE kind = 'cut' AND imsi IS NOT NULL) AS lines "
            "GROUP BY due ORDER BY due"
        )
        return [(int(str(mask)), int(str(n))) for mask, n in rows]

    def total(self, devices: str, lines: str) -> Count:
        """How many devices of a relation, with their lines."""
        row = self.engine.rows(
            "SELECT COUNT(DISTINCT d.imei), COUNT(DISTINCT l.imsi), COUNT(DISTINCT s.uid) "
            f"FROM {devices} AS d LEFT JOIN {lines} AS l ON l.imei = d.imei "
            "LEFT JOIN (SELECT DISTINCT imsi, uid FROM subscribers) AS s ON s.imsi = l.imsi"
        )[0]
        return self.count(row)

    def total_apart(self, devices: str, lines: str) -> Count:
        """How many devices of a relation, and how many lines and persons of another."""
        (found,) = self.engine.rows(f"SELECT COUNT(DISTINCT imei) FROM {devices}")[0]
        row = self.engine.rows(
            f"SELECT COUNT(DISTINCT l.imsi), COUNT(DISTINCT s.uid) FROM {lines} AS l "
            "LEFT JOIN (SELECT DISTINCT imsi, uid FROM subscribers) AS s ON s.imsi = l.imsi"
        )[0]
        return self.count((found, *row))

    def overlaps(self, known: frozenset[str]) -> tuple[Overlap, ...]:
        """What else is known of cut devices, and of those that something spared on the last day.

        Args:
            known: lists that were ever taken in; of others nothing is said.
        """
        cut = f"{self.side}_cut_devices"
        asked = (
            (
                "golden",
                "golden",
                "would be told or cut, and are spared because they are golden",
                "SELECT imei FROM decided WHERE outcome = 'spared'",
            ),
            (
                "registered",
                "registrations",
                "cut although they are registered",
                f"SELECT imei FROM {cut} WHERE imei IN "
                "(SELECT imei FROM registrations WHERE status IS NULL OR status = 'whitelist')",
            ),
            (
                "paired",
                "pairings",
                "cut, and go on working for the subscribers that they are paired with",
                f"SELECT imei FROM {cut} WHERE imei IN (SELECT imei FROM pairings)",
            ),
            (
                "appealed",
                "appeals",
                "cut although an appeal restored them from another condition",
                f"SELECT imei FROM {cut} WHERE imei IN (SELECT imei FROM appeals)",
            ),
            (
                "restored",
                "appeals",
                "would be told or cut, and are not because of an appeal: upheld, or not decided in time",
                "SELECT v.imei FROM verdicts AS v JOIN appeals AS a ON a.imei = v.imei "
                "AND a.condition = v.condition WHERE v.block_on IS NOT NULL",
            ),
        )
        found = []
        if any(c.exceptions != "none" for c in self.policy.conditions.values()):
            self.engine.table(
                "overlapping", f"SELECT DISTINCT imei FROM kept WHERE imei IN (SELECT imei FROM {cut})"
            )
            found.append(
                Overlap(
                    name="excepted",
                    meaning="cut, and go on working for these lines, which their condition keeps",
                    count=self.total("overlapping", "kept"),
                )
            )
        for name, source, meaning, sql in asked:
            if source in known:
                self.engine.table("overlapping", f"SELECT DISTINCT imei FROM ({sql}) AS o")
                last = self.steps[-1].as_of
                self.engine.table("overlapping_lines", lines_sql("overlapping", self.policy, last))
                count = self.total("overlapping", "overlapping_lines")
                found.append(Overlap(name=name, meaning=meaning, count=count))
        return tuple(found)

    def count(self, numbers: Sequence[object]) -> Count:
        """Devices, lines and persons of a row; persons only if somebody knows them."""
        devices, lines, persons = (int(str(n or 0)) for n in numbers)
        return Count(devices=devices, lines=lines, persons=persons if self.persons_known else None)

    @property
    def none(self) -> Count:
        """Nobody."""
        return self.count((0, 0, 0))

    def _rest(self, key: str, kept: Iterable[str | None]) -> Group:
        listed = ", ".join("'" + str(name).replace("'", "''") + "'" for name in kept)
        rows = self.engine.rows(
            "SELECT kind, COUNT(DISTINCT imei), COUNT(DISTINCT imsi), COUNT(DISTINCT uid) "
            f"FROM {self.side}_rows WHERE {key} IS NOT NULL AND {key} NOT IN ({listed}) GROUP BY kind"
        )
        found = {str(kind): self.count(numbers) for kind, *numbers in rows}
        return Group(
            name="all others", notified=found.get("told", self.none), cut=found.get("cut", self.none)
        )

    def _count(self, relation: str) -> int:
        return int(str(self.engine.rows(f"SELECT COUNT(*) FROM {relation}")[0][0]))


def lines_sql(devices: str, policy: Policy, as_of: date) -> str:
    """SELECT of the lines (imei, imsi, operator) of these devices: seen within the policy's look-back, not
    paired, and none that goes on by a condition with exceptions; the home operator of the IMSI, else the one
    that saw it first by name. Reads `kept`."""
    end = day_number(as_of) + 1
    start = end - policy.lists.look_back_days
    first = day_of(start)
    cases = " ".join(
        f"WHEN {month} THEN o.day_mask & {mask}" for month, mask in month_masks(start, end).items()
    )
    return (
        f"SELECT o.imei, o.imsi, MIN(COALESCE({home_sql('o.imsi', policy)}, o.operator)) AS operator "
        "FROM observations AS o LEFT JOIN (SELECT DISTINCT imei, imsi FROM pairings) AS p "
        "ON p.imei = o.imei AND p.imsi = o.imsi LEFT JOIN kept AS k ON k.imei = o.imei AND k.imsi = o.imsi "
        "WHERE k.imei IS NULL "
        f"AND o.month >= {first.year * 100 + first.month} AND o.imsi IS NOT NULL AND p.imei IS NULL "
        f"AND (CASE o.month {cases} ELSE 0 END) <> 0 AND o.imei IN (SELECT imei FROM {devices}) "
        "GROUP BY o.imei, o.imsi"
    )


def name_places(engine: Engine, workspace: Workspace, catalogue: Catalogue, touched: str) -> bool:
    """Name `places` (imsi, region): the square of a degree in which a line was seen most; empty without
    cells.

    Args:
        touched: relation of the lines (`imsi`) that matter.

    Returns: whether regions are known at all.
    """
    sources = all_sources()
    seen = [i for i in catalogue.live if i.source == "sightings" and i.files.get("data")]
    if "cells" not in sources or "cells" not in catalogue.lists or not seen:
        engine.view(
            "places", "SELECT CAST(NULL AS BIGINT) AS imsi, CAST(NULL AS INTEGER) AS region WHERE 1 = 0"
        )
        return False
    paths = [workspace.path(path) for i in seen for path in i.files["data"]]
    engine.files("place_sightings", paths, sources["sightings"].table.columns)
    square = "((c.latitude + 90000000) // 1000000) * 1000 + (c.longitude + 180000000) // 1000000"
    engine.table(
        "places",
        "SELECT imsi, region FROM (SELECT imsi, region, "
        "ROW_NUMBER() OVER (PARTITION BY imsi ORDER BY n DESC, region) "
        f"AS place FROM (SELECT s.imsi, CAST({square} AS INTEGER) AS region, COUNT(*) AS n "
        "FROM place_sightings AS s JOIN cells AS c ON c.cell = s.cell "
        "WHERE c.latitude IS NOT NULL AND c.longitude IS NOT NULL "
        f"AND s.imsi IN (SELECT imsi FROM {touched} WHERE imsi IS NOT NULL) GROUP BY s.imsi, "
        f"CAST({square} AS INTEGER)) AS seen) AS ranked WHERE place = 1",
    )
    return True


def region_name(square: int) -> str:
    """What a square of a degree is called, by its south-western corner."""
    latitude, longitude = square // 1000 - 90, square % 1000 - 180
    north = f"{latitude}° N" if latitude >= 0 else f"{-latitude}° S"
    east = f"{longitude}° E" if longitude >= 0 else f"{-longitude}° W"
    return f"{north} {east}"


def _devices_sql(kind: Kind, as_of: date | None) -> str:
    today = day_number(as_of) if as_of is not None else 0
    return _DEVICES[kind].replace("{today}", str(today))
