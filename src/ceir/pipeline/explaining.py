"""Everything known about an identity, in plain words: what a person, an officer and a court can read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from ceir.clock import day_of
from ceir.errors import UnknownEquipmentError
from ceir.facts import Fact
from ceir.identifiers import (
    Generation,
    Imei,
    MalformedImei,
    describe,
    generation_mask,
    normalise_imei,
    placeholder_pattern,
    reporting_body,
)
from ceir.pipeline.catalogue import Catalogue, Run
from ceir.pipeline.classify.changing import name_history
from ceir.pipeline.classify.compiling import Compiled, FactColumn, compile_policy
from ceir.pipeline.classify.inputs import equipment_sql, fold_sql, known_sources, name_inputs
from ceir.pipeline.classify.preparing import mates_sql
from ceir.pipeline.classify.running import evaluate, evidence_columns
from ceir.pipeline.engines import Engine
from ceir.pipeline.evidencing import EvidenceRows, Teller
from ceir.pipeline.explaining_scores import ExplainedClaim, ExplainedScore, explain_claims, explain_score
from ceir.pipeline.release.dating import name_staged
from ceir.pipeline.workspace import Workspace
from ceir.policy import Policy
from ceir.policy.loading import load_policy
from ceir.sources import Source, all_sources
from ceir.tables.ended_verdicts import TABLE as ENDED
from ceir.weights.scale import SCORED

Pairs = tuple[tuple[str, str], ...]

HELD = "is held back: its release is stopped"
"""State of a verdict whose block comes step by step, and for now does not."""


@dataclass(frozen=True)
class ListEntry:
    """An entry of a reference list about the identity or its TAC."""

    list: str
    details: Pairs


@dataclass(frozen=True)
class ExplainedVerdict:
    """A verdict in force, with its reasons in words and the values it rests on.

    Args:
        evidence: title, shown value and unit of each fact, as they were on the day of the run.
        rows: what the facts rest on, row by row, as far as it is still kept.
        state: blocks since, will block on, is held back, or trial.
    """

    condition: str
    title: str
    sentences: tuple[str, ...]
    rules: tuple[str, ...]
    evidence: tuple[tuple[str, str, str], ...]
    first_matched_on: date
    block_on: date | None
    matching: bool
    state: str
    rows: tuple[EvidenceRows, ...] = ()
    score: ExplainedScore | None = None


@dataclass(frozen=True)
class EndedVerdict:
    """A verdict that a later run no longer found."""

    condition: str
    first_matched_on: date
    ended_on: date
    run: int


@dataclass(frozen=True)
class Explanation:
    """All of it.

    Args:
        outcome: blocked, notified, tracked, spared, trial or none.
        subscribers: (imsi, msisdn, operator, last day); empty unless asked for.
    """

    text: str
    identity: Pairs
    model: Pairs
    seen: Pairs
    lists: tuple[ListEntry, ...]
    verdicts: tuple[ExplainedVerdict, ...]
    ended: tuple[EndedVerdict, ...]
    outcome: str
    next_steps: tuple[str, ...]
    subscribers: tuple[tuple[str, str, str, date], ...]
    ladder: tuple[ExplainedClaim, ...]
    run: int | None
    as_of: date | None


def explain(workspace: Workspace, text: str, engine: Engine, *, subscribers: bool = False) -> Explanation:
    """Explain an identity: a normalised, printed or signalled IMEI, or a malformed one as it was reported.

    Args:
        subscribers: tell who was seen with it too, and whom evidence is about: personal data, only for those
            who may see it.

    Raises:
        InvalidIdentifierError: the text cannot be an equipment identity.
        UnknownEquipmentError: the register knows nothing about it.
    """
    identity = normalise_imei(text.strip().replace(" ", "").replace("-", ""))
    if identity is None:
        raise UnknownEquipmentError(
            "There is no identity to explain.", "Give an IMEI, for instance 356759040000011."
        )
    catalogue = workspace.catalogue()
    name_inputs(engine, workspace, catalogue)
    number = _number(engine, identity)
    run = catalogue.runs[-1] if catalogue.runs else None
    engine.view("scope", f"SELECT CAST({number} AS BIGINT) AS imei")
    engine.table("own_rows", f"SELECT * FROM observations WHERE imei = {number}")
    engine.table("devices", fold_sql("own_rows"))
    entries = tuple(_entries(engine, catalogue, number, identity))
    seen = _seen(engine)
    verdicts: tuple[ExplainedVerdict, ...] = ()
    ended: tuple[EndedVerdict, ...] = ()
    outcome = "none"
    ladder: tuple[ExplainedClaim, ...] = ()
    steps: tuple[str, ...] = ("No condition of the policy matches; nothing will happen to it.",)
    if run is not None:
        policy, _ = load_policy(workspace.root / "policies" / f"{run.policy_sha256}.toml")
        teller = Teller(engine, number, subscribers)
        verdicts = _verdicts(engine, workspace, catalogue, run, policy, teller, str(identity))
        ended = tuple(_ended(engine, workspace, catalogue, number))
        ladder = explain_claims(engine, workspace, policy, run, number, subscribers=subscribers)
        golden = any(e.list == "golden" for e in entries)
        restored = {dict(e.details)["condition"] for e in entries if e.list == "appeals"}
        counting = tuple(v for v in verdicts if v.condition not in restored)
        outcome = (
            _outcome(counting, policy, run.as_of, golden=golden) if counting or not verdicts else "trial"
        )
        steps = _steps(outcome, counting, ladder)
        if counting != verdicts:
            without = ", ".join(v.title for v in verdicts if v.condition in restored)
            steps += (f"An appeal restored it, so that this does not count: {without}.",)
    if not (seen or entries or verdicts or ended):
        raise UnknownEquipmentError(
            f"Nothing is known about {identity}: no network saw it and it is on no list.",
            "Check the digits: ceir identify " + text.strip(),
        )
    return Explanation(
        text=str(identity),
        identity=_identity(identity),
        model=_model(engine, number),
        seen=seen,
        lists=entries,
        verdicts=verdicts,
        ended=ended,
        outcome=outcome,
        next_steps=steps,
        subscribers=tuple(_subscribers(engine)) if subscribers else (),
        ladder=ladder,
        run=run.id if run else None,
        as_of=run.as_of if run else None,
    )


def _number(engine: Engine, identity: Imei | MalformedImei) -> int:
    if isinstance(identity, Imei):
        return identity.number
    text = identity.text.replace("'", "''")
    found = engine.rows(f"SELECT imei FROM malformed WHERE text = '{text}'")
    if not found:
        raise UnknownEquipmentError(f"Nothing is known about {identity.text}.", "Check the characters.")
    return int(str(found[0][0]))


def _identity(identity: Imei | MalformedImei) -> Pairs:
    if isinstance(identity, MalformedImei):
        return (("Identity", identity.text), ("Form", "malformed: it does not begin with 14 digits"))
    body = reporting_body(identity.reporting_body)
    pattern = placeholder_pattern(identity)
    return (
        ("IMEI", identity.printed),
        ("TAC", str(identity.tac)),
        (
            "Reporting body",
            f"{identity.reporting_body} {body.name}" if body else f"{identity.reporting_body} (not known)",
        ),
        *((("Pattern", f"filler ({pattern})"),) if pattern else ()),
    )


def _model(engine: Engine, number: int) -> Pairs:
    tac = number // 1_000_000 if number >= 0 else -1
    rows = engine.rows(
        "SELECT manufacturer, brand_name, model_name, marketing_name, device_type, bands, allocation_date "
        f"FROM tac WHERE tac = {tac}"
    )
    if not rows:
        return ()
    labels = ("Manufacturer", "Brand", "Model", "Sold as", "Device type", "Bands", "Allocated on")
    values = [*rows[0][:6], day_of(int(str(rows[0][6]))).isoformat() if rows[0][6] is not None else None]
    return tuple((label, str(v)) for label, v in zip(labels, values, strict=True) if v is not None)


def _seen(engine: Engine) -> Pairs:
    rows = engine.rows(
        "SELECT MIN(first_day), MAX(last_day), BIT_OR(rats), COUNT(DISTINCT imsi), COUNT(DISTINCT msisdn), "
        "COUNT(*) FROM own_rows"
    )
    first, last, rats, imsis, msisdns, count = rows[0]
    if not count:
        return ()
    operators = [str(o) for (o,) in engine.rows("SELECT DISTINCT operator FROM own_rows ORDER BY operator")]
    used = describe(generation_mask(int(str(rats or 0)))) or "not told"
    return (
        ("First seen", day_of(int(str(first))).isoformat()),
        ("Last seen", day_of(int(str(last))).isoformat()),
        ("Operators", ", ".join(operators)),
        ("Technologies", used),
        ("Subscribers", f"{imsis} IMSIs, {msisdns} numbers (as far as they are still kept)"),
    )


def _subscribers(engine: Engine) -> Iterable[tuple[str, str, str, date]]:
    rows = engine.rows(
        "SELECT imsi, msisdn, operator, MAX(last_day) AS last_day FROM own_rows "
        "WHERE imsi IS NOT NULL OR msisdn IS NOT NULL GROUP BY imsi, msisdn, operator "
        "ORDER BY last_day DESC, imsi, msisdn, operator"
    )
    for imsi, msisdn, operator, last in rows:
        # stored with a 1 before the digits
        yield (str(imsi or "")[1:], str(msisdn or "")[1:], str(operator), day_of(int(str(last))))


def _entries(
    engine: Engine, catalogue: Catalogue, number: int, identity: Imei | MalformedImei
) -> Iterable[ListEntry]:
    for source in all_sources().values():
        if source.folded != "list" or source.name not in catalogue.lists or source.name == "tac":
            continue
        names = source.table.names
        match source.subject:
            case "tac":
                where = f"tac = {number // 1_000_000 if number >= 0 else -1}"
            case "range":
                where = f"first_imei <= {number} AND last_imei >= {number}"
            case "hash":
                where = f"imei_md5 = MD5('{_text(identity)}')"
            case _ if "imei" in names:
                where = f"imei = {number}"
            case _:
                continue
        for row in engine.rows(
            f"SELECT {', '.join(names)} FROM {source.view} WHERE {where} ORDER BY {', '.join(source.key)}"
        ):
            yield ListEntry(source.name, tuple(_details(source, names, row)))


def _details(source: Source, names: tuple[str, ...], row: tuple[object, ...]) -> Iterable[tuple[str, str]]:
    """Values of an entry, without the identity itself and without what points at a person."""
    columns = {c.name: c for c in source.table.columns}
    digits = {f.name: f.kind.shown_digits for f in source.fields}
    for name, value in zip(names, row, strict=True):
        column = columns[name]
        if value is None or column.personal or name in ("imei", "tac", "imei_md5", "extra"):
            continue
        shown = day_of(int(str(value))).isoformat() if column.unit.startswith("days since") else str(value)
        yield name.replace("_", " "), shown.zfill(digits.get(name, 0))


def _text(identity: Imei | MalformedImei) -> str:
    return (identity.text if isinstance(identity, MalformedImei) else str(identity)).replace("'", "''")


def _verdicts(
    engine: Engine,
    workspace: Workspace,
    catalogue: Catalogue,
    run: Run,
    policy: Policy,
    teller: Teller,
    text: str,
) -> tuple[ExplainedVerdict, ...]:
    number = teller.imei
    compiled = compile_policy(policy, run.as_of, known_sources(catalogue))
    scope = "scope"
    if mates := mates_sql(compiled.relations, scope, before=False):
        # what is true of it rests on the other identities of its device too
        scope = "scope_and_mates"
        engine.table(scope, " UNION ".join(["SELECT imei FROM scope", *mates]))
        near = f"(SELECT * FROM observations WHERE imei IN (SELECT imei FROM {scope})) AS near"
        engine.table("devices", fold_sql(near))
    engine.view("equipment", equipment_sql("devices", compiled.listed))
    evaluate(engine, compiled, scope, keep_all=True)
    values = _evidence(engine, workspace, run, compiled, number)
    name_history(engine, workspace, "in_force", run)
    engine.view("own_verdicts", f"SELECT * FROM in_force WHERE imei = {number}")
    name_staged(engine, policy, run.releases, name="own_releases", verdicts="own_verdicts")
    found = engine.rows(
        "SELECT v.condition, v.first_matched_on, "
        "CASE WHEN s.imei IS NULL THEN v.block_on ELSE s.release_on END, v.matching, "
        "(s.imei IS NOT NULL AND s.release_on IS NULL) FROM own_verdicts AS v "
        "LEFT JOIN own_releases AS s ON s.condition = v.condition ORDER BY v.condition"
    )
    return tuple(
        _explained(
            policy,
            compiled,
            run,
            values,
            text,
            str(label),
            int(str(first)),
            block,
            bool(matching),
            teller,
            bool(held),
        )
        for label, first, block, matching, held in found
        if str(label) in policy.conditions
    )


def _evidence(
    engine: Engine, workspace: Workspace, run: Run, compiled: Compiled, number: int
) -> Mapping[str, object]:
    """Facts as the run stored them; equipment the run did not judge has those of now."""
    names = [c.column for c in compiled.facts]
    stored = workspace.path(f"runs/{run.id:05d}/evidence")
    engine.files("stored_evidence", [stored], evidence_columns(compiled))
    for relation in ("stored_evidence", "matched"):
        rows = (
            engine.rows(f"SELECT {', '.join(names)} FROM {relation} WHERE imei = {number}") if names else []
        )
        if rows:
            return dict(zip(names, rows[0], strict=True))
    return {}


def _explained(
    policy: Policy,
    compiled: Compiled,
    run: Run,
    values: Mapping[str, object],
    text: str,
    label: str,
    first: int,
    block: object,
    matching: bool,
    teller: Teller,
    held: bool,
) -> ExplainedVerdict:
    condition = policy.conditions[label]
    sentences, rules, evidence = [], [], []
    told: list[FactColumn] = []
    score: ExplainedScore | None = None
    for owner, use, columns in compiled.uses:
        if owner != label:
            continue
        rule = use.declaration
        shown = {c.fact.name: show(c.fact, values.get(c.column)) for c in columns}
        rules.append(("not " if use.negated else "") + rule.name)
        if not use.negated:
            parameters = {name: str(value) for name, value in use.parameters.items()}
            if use.rule in SCORED:
                score = explain_score(use, {c.fact.name: values.get(c.column) for c in columns})
            sentences.append(rule.reason.format_map({**parameters, **shown, "imei": text}))
        evidence += [_piece(c, values) for c in columns]
        told += columns
    block_on = day_of(int(str(block))) if block is not None else None
    return ExplainedVerdict(
        condition=label,
        title=condition.title or label,
        sentences=tuple(sentences),
        rules=tuple(rules),
        evidence=tuple(dict.fromkeys(evidence)),
        first_matched_on=day_of(first),
        block_on=block_on,
        matching=matching,
        state=HELD if held else _state(block_on, run.as_of),
        rows=teller.told(told),
        score=score,
    )


def _piece(column: FactColumn, values: Mapping[str, object]) -> tuple[str, str, str]:
    unit = column.fact.unit if column.fact.show == "plain" else ""
    return (column.fact.title, show(column.fact, values.get(column.column)), unit)


def show(fact: Fact, value: object) -> str:
    """A fact's value for people; null is `not known`."""
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if fact.show == "day":
        return day_of(int(str(value))).isoformat()
    if fact.show == "generations":
        return describe(Generation(int(str(value)))) or "none"
    return str(value)


def _state(block_on: date | None, as_of: date) -> str:
    if block_on is None:
        return "does not block"
    return (
        f"blocks since {block_on.isoformat()}"
        if block_on <= as_of
        else f"will block on {block_on.isoformat()}"
    )


def _outcome(verdicts: tuple[ExplainedVerdict, ...], policy: Policy, as_of: date, *, golden: bool) -> str:
    dates = [v.block_on for v in verdicts if v.block_on is not None]
    held = any(v.state == HELD for v in verdicts)
    if (dates or held) and golden:
        return "spared"
    if dates:
        return "blocked" if min(dates) <= as_of else "notified"
    if held or any(policy.conditions[v.condition].tracked for v in verdicts):
        return "tracked"
    return "trial" if verdicts else "none"


def _steps(
    outcome: str, verdicts: tuple[ExplainedVerdict, ...], ladder: tuple[ExplainedClaim, ...]
) -> tuple[str, ...]:
    dates = [v.block_on for v in verdicts if v.block_on is not None]
    kept = sum(claim.proposal in ("pair", "keep") for claim in ladder)
    sticky = [v.title for v in verdicts if not v.matching]
    steps = {
        "blocked": (
            "No network may serve it, except for subscribers it is paired with"
            + (" and for lines that go on." if kept else "."),
            "Its owner may appeal; a pairing, a corrected record or a golden entry lifts the block at the "
            "next run.",
        ),
        "notified": (
            _until(dates, excepting=bool(kept)),
            "If the reason goes away by then, nothing happens; its owner may appeal at any time.",
        ),
        "tracked": ("It works and is watched; nobody is told and nothing is blocked.",),
        "spared": ("It is a golden device: it works whatever its verdicts.",),
        "trial": ("It works; the conditions that match are trials and have no consequence.",),
        "none": ("No condition of the policy matches; nothing will happen to it.",),
    }[outcome]
    if kept and outcome in ("blocked", "notified"):
        steps += (f"{kept} of the {len(ladder)} lines that use it go on working, as the ladder says.",)
    if sticky:
        steps += (f"No longer observed but still in force, as the policy keeps it: {', '.join(sticky)}.",)
    return steps


def _until(dates: list[date], *, excepting: bool) -> str:
    if not dates:
        return ""
    day = min(dates).isoformat()
    if excepting:
        return f"From {day} it works only with the lines that go on; whose line stops is told before."
    return f"It works until {day}; its subscribers are told before."


def _ended(engine: Engine, workspace: Workspace, catalogue: Catalogue, number: int) -> Iterable[EndedVerdict]:
    for run in catalogue.runs:
        engine.files("ended_then", [workspace.path(f"runs/{run.id:05d}/ended")], ENDED.columns)
        for label, first, last in engine.rows(
            f"SELECT condition, first_matched_on, ended_on FROM ended_then WHERE imei = {number} ORDER BY "
            f"condition"
        ):
            yield EndedVerdict(str(label), day_of(int(str(first))), day_of(int(str(last))), run.id)
