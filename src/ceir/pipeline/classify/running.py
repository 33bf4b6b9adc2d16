"""One classification: facts, verdicts and their evidence for a day, kept as a run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from ceir.clock import day_of
from ceir.errors import CeirError, UsageError
from ceir.pipeline.catalogue import Catalogue, ConditionCount, Devices, Run
from ceir.pipeline.classify.changing import (
    MOST_CHANGED,
    Base,
    carry_base,
    name_history,
    name_new_rows,
    name_scope,
    name_withdrawn,
)
from ceir.pipeline.classify.claiming import (
    name_claims,
    name_past_claims,
    name_past_suspects,
    suspects_sql,
)
from ceir.pipeline.classify.compiling import (
    Compiled,
    compile_policy,
    facts_sql,
    matched_sql,
    suspicions,
)
from ceir.pipeline.classify.inputs import (
    SHARED,
    equipment_sql,
    fold_sql,
    known_sources,
    name_inputs,
    observation_ingests,
    refold_sql,
)
from ceir.pipeline.classify.judging import conditions_sql, ended_sql, previous_sql, verdicts_sql
from ceir.pipeline.classify.preparing import month_masks, name_relations
from ceir.pipeline.engines import Engine
from ceir.pipeline.progress import SILENT, Progress
from ceir.pipeline.release import release_states
from ceir.pipeline.workspace import Workspace, canonical_json
from ceir.policy import Policy
from ceir.tables import Column
from ceir.tables.claims import TABLE as CLAIMS
from ceir.tables.devices import TABLE as DEVICES
from ceir.tables.ended_verdicts import TABLE as ENDED
from ceir.tables.suspects import TABLE as SUSPECTS
from ceir.tables.verdicts import TABLE as VERDICTS


class NothingToClassifyError(CeirError):
    """There are no observations and no lists yet."""

    code = "nothing_to_classify"


class TooManyMatchesError(CeirError):
    """A blocking condition matches more of the equipment than its policy thinks possible."""

    code = "too_many_matches"


class PolicyNotActivatedError(CeirError):
    """The policy has an error budget, or the one before it, and nobody put it in force."""

    code = "policy_not_activated"


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Args:
        as_of: last day that counts; None: the last day of any observation.
        accepted: reasons to go on although a condition matches too much, by label.
        full: look at everything anew even if results could be carried over.
    """

    as_of: date | None = None
    accepted: Mapping[str, str] = field(default_factory=dict)
    full: bool = False


def last_day_observed(catalogue: Catalogue) -> date | None:
    """The last day of any live observation; None: there is none."""
    days = [day for i in observation_ingests(catalogue) for counted in i.days.values() for day in counted]
    return day_of(max(days)) if days else None


def classify(
    workspace: Workspace, request: Request, engine: Engine, progress: Progress = SILENT
) -> tuple[Run, bool]:
    """Classify all equipment for a day; call it with the workspace locked.

    Returns: the run, and whether it is new: the same inputs, policy and day give the run that is there.

    Raises:
        NothingToClassifyError: nothing was ingested.
        TooManyMatchesError: a fuse blew; nothing was changed.
        PolicyNotActivatedError: the policy was changed past its error budget.
    """
    catalogue = workspace.catalogue()
    as_of = request.as_of or last_day_observed(catalogue)
    if as_of is None or not catalogue.live:
        raise NothingToClassifyError(
            "There are no observations.", "Take some in: ceir ingest observations FILE"
        )
    policy, sha256 = workspace.policy()
    _require_activated(catalogue, policy, sha256)
    for label in request.accepted:
        if label not in policy.conditions:
            raise UsageError(
                f"There is no condition {label!r}.", f"Conditions: {', '.join(policy.conditions)}."
            )
    compiled = compile_policy(policy, as_of, known_sources(catalogue))
    history = _history(catalogue, as_of)
    inputs = tuple(i.id for i in catalogue.live)
    same = _same_run(catalogue, as_of, history, sha256, inputs, compiled)
    if same is not None and not request.full:
        return same, False
    base = None if request.full else carry_base(catalogue, policy, sha256, as_of, compiled, history)
    with workspace.staging() as scratch, progress.step("Classifying", 6, "steps") as step:
        folder = scratch / "run"
        folder.mkdir()
        # a changed run also looks at what left the window since its base
        first_month = min(compiled.first_month, base.compiled.first_month if base else compiled.first_month)
        name_inputs(engine, workspace, catalogue, first_month)
        name_withdrawn(engine, workspace, catalogue, history)
        step.at(1)
        base = _name_equipment(engine, workspace, catalogue, compiled, base, scratch)
        scope = "scope" if base else None
        step.at(2)
        evaluate(engine, compiled, scope)
        step.at(4)
        name_history(engine, workspace, "history", history)
        engine.table("conditions", conditions_sql(policy))
        engine.table("previous", previous_sql("history", "withdrawn", scope))
        engine.table("judged", verdicts_sql(policy, as_of))
        _name_results(engine, workspace, base)
        step.at(5)
        equipment = _count(engine, "SELECT COUNT(*) FROM devices")
        counts = _condition_counts(engine, policy, equipment)
        _hold_fuses(policy, counts, request.accepted)
        workspace.keep_policy(sha256)
        _save(engine, workspace, folder, compiled, as_of, base)
        claims = _save_claims(engine, workspace, scratch, folder, compiled, policy, as_of, history, base)
        run = Run(
            id=catalogue.next_run,
            as_of=as_of,
            parent=history.id if history else None,
            policy_sha256=sha256,
            fingerprint=compiled.fingerprint,
            inputs=inputs,
            list_states={name: state.path for name, state in catalogue.lists.items()},
            engine=engine.version(),
            mode="changed" if base else "full",
            looked_at=_count(engine, "SELECT COUNT(*) FROM scope") if base else equipment,
            equipment=equipment,
            verdicts=_count(engine, "SELECT COUNT(*) FROM verdicts"),
            counts=counts,
            accepted=dict(request.accepted),
            claims=f"lake/claims/{catalogue.next_run:05d}" if claims else None,
            releases=release_states(engine, workspace, catalogue, policy, history, as_of),
            orders=len(catalogue.release_orders),
        )
        (folder / "run.json").write_bytes(canonical_json(run.model_dump(mode="json")))
        step.at(6)
        path = f"runs/{run.id:05d}"
        workspace.adopt(folder, path)
        devices = workspace.adopt(scratch / "devices", f"lake/devices/{run.id:05d}")
        if run.claims is not None:
            workspace.adopt(scratch / "claims", run.claims)
        workspace.commit(
            catalogue.model_copy(
                update={
                    "next_run": run.id + 1,
                    "runs": (*catalogue.runs, run),
                    "devices": Devices(path=devices, run=run.id),
                }
            )
        )
    workspace.sweep()
    return run, True


def evaluate(engine: Engine, compiled: Compiled, scope: str | None, *, keep_all: bool = False) -> None:
    """Compute `matched`: the facts and the mask of conditions of the equipment in scope.

    Args:
        scope: relation of `imei`; None: all `equipment`.
        keep_all: keep equipment that matches nothing too (to explain it).
    """
    inside = f" WHERE imei IN (SELECT imei FROM {scope})" if scope else ""
    engine.view("subjects", f"SELECT * FROM equipment{inside}")
    if compiled.rows:
        recent = (
            "SELECT imei, imsi, msisdn, operator, month, day_mask, rats FROM observations "
            f"WHERE month >= {compiled.first_month}"
        )
        if any(view.kind == "shared" for view in compiled.rows):
            # one equipment at a time is explained exactly, single-subscriber equipment included
            only = "subjects" if keep_all else f"(SELECT imei FROM subjects WHERE {SHARED}) AS several"
            engine.table("shared_rows", f"{recent} AND imei IN (SELECT imei FROM {only})")
        if any(view.kind == "all" for view in compiled.rows):
            engine.view(
                "all_rows",
                f"{recent} AND imei IN (SELECT imei FROM subjects)"
                if scope
                else f"{recent} AND imei IS NOT NULL",
            )
        for view in compiled.rows:
            engine.view(view.name, view.sql())
    name_relations(engine, compiled.relations, scoped=scope is not None)
    facts = facts_sql(compiled, "subjects")
    sql = matched_sql(compiled, facts)
    engine.table("matched", sql.removesuffix("WHERE matched <> 0") if keep_all else sql)


def _require_activated(catalogue: Catalogue, policy: Policy, sha256: str) -> None:
    """Refuse a policy that was slipped past its error budget.

    Raises:
        PolicyNotActivatedError: there is a budget, runs were made, and this text was not put in force.
    """
    last = catalogue.activations[-1] if catalogue.activations else None
    budgeted = policy.budget.wrongly_cut_lines_per_1000 is not None or (
        last is not None and last.budget is not None
    )
    if budgeted and catalogue.runs and (last is None or last.sha256 != sha256):
        raise PolicyNotActivatedError(
            "The text of policy.toml was not put in force, and there is an error budget.",
            "Copy it elsewhere, then: ceir activate FILE",
        )


def _history(catalogue: Catalogue, as_of: date) -> Run | None:
    """The run of the latest earlier day: a run repeated on a day starts from where that day began.

    Why not simply the newest: a run for a day long past must not become the history of the days to come.
    """
    earlier = [run for run in catalogue.runs if run.as_of < as_of]
    return max(earlier, key=lambda run: (run.as_of, run.id), default=None)


def _same_run(
    catalogue: Catalogue,
    as_of: date,
    history: Run | None,
    sha256: str,
    inputs: tuple[int, ...],
    compiled: Compiled,
) -> Run | None:
    last = catalogue.runs[-1] if catalogue.runs else None
    same = (
        last is not None
        and last.as_of == as_of
        and last.parent == (history.id if history else None)
        and last.policy_sha256 == sha256
        and last.inputs == inputs
        and last.fingerprint == compiled.fingerprint
        and last.orders == len(catalogue.release_orders)
    )
    return last if same else None


def _name_equipment(
    engine: Engine,
    workspace: Workspace,
    catalogue: Catalogue,
    compiled: Compiled,
    base: Base | None,
    scratch: Path,
) -> Base | None:
    """Name `devices` and `equipment`, save the devices, and settle what is looked at: the base, or all."""
    if base is None:
        engine.table("devices", fold_sql("observations"))
    else:
        assert catalogue.devices is not None
        undone = name_new_rows(engine, workspace, catalogue, base)
        engine.files("devices_before", [workspace.path(catalogue.devices.path)], DEVICES.columns)
        names = ", ".join(DEVICES.names)
        engine.table(
            "touched", "SELECT imei FROM new_rows WHERE imei IS NOT NULL UNION SELECT imei FROM gone"
        )
        untouched = f"SELECT {names} FROM devices_before WHERE imei NOT IN (SELECT imei FROM touched)"
        if undone:  # what was withdrawn cannot be subtracted: fold the touched equipment's rows again
            again = fold_sql("(SELECT * FROM observations WHERE imei IN (SELECT imei FROM touched)) AS o")
        else:
            again = refold_sql(
                f"(SELECT {names} FROM devices_before WHERE imei IN (SELECT imei FROM touched) "
                f"UNION ALL SELECT {names} FROM ({fold_sql('new_rows')}) AS fresh) AS both_parts"
            )
        engine.table("devices", f"{untouched} UNION ALL SELECT {names} FROM ({again}) AS folded")
    engine.view("equipment", equipment_sql("devices", compiled.listed))
    engine.save(f"SELECT {', '.join(DEVICES.names)} FROM devices ORDER BY imei", scratch / "devices")
    if base is None:
        return None
    changed = name_scope(engine, workspace, catalogue, compiled, base)
    return base if changed <= MOST_CHANGED * max(base.run.equipment, 1) else None


def _name_results(engine: Engine, workspace: Workspace, base: Base | None) -> None:
    """Name `verdicts`: judged today, and carried over where nothing happened."""
    names = ", ".join(VERDICTS.names)
    if base is None:
        engine.view("verdicts", f"SELECT {names} FROM judged")
        return
    name_history(engine, workspace, "carried", base.run)
    engine.table(
        "verdicts",
        f"SELECT {names} FROM judged UNION ALL SELECT {names} FROM carried "
        "WHERE imei NOT IN (SELECT imei FROM scope)",
    )
    evidence = workspace.path(f"runs/{base.run.id:05d}/evidence")
    engine.files("evidence_before", [evidence], evidence_columns(base.compiled))


def _condition_counts(engine: Engine, policy: Policy, equipment: int) -> tuple[ConditionCount, ...]:
    found = {
        str(label): int(str(n))
        for label, n in engine.rows(
            "SELECT condition, COUNT(*) FROM verdicts WHERE matching GROUP BY condition ORDER BY condition"
        )
    }
    return tuple(
        ConditionCount(
            condition=label,
            matched=found.get(label, 0),
            share=round(found.get(label, 0) / equipment, 9) if equipment else 0.0,
            blocking=condition.blocking,
        )
        for label, condition in policy.conditions.items()
    )


def _hold_fuses(policy: Policy, counts: tuple[ConditionCount, ...], accepted: Mapping[str, str]) -> None:
    """Stop before anything is written if a blocking condition matches too much.

    Raises:
        TooManyMatchesError: one does, and nobody accepted it.
    """
    blown = [
        c
        for c in counts
        if c.blocking
        and policy.conditions[c.condition].max_match_ratio < 1.0
        and c.share > policy.conditions[c.condition].max_match_ratio
        and c.condition not in accepted
    ]
    if blown:
        told = "; ".join(
            f"{c.condition} matches {c.matched:,} pieces of equipment, {c.share:.2%} of all, "
            f"limit {policy.conditions[c.condition].max_match_ratio:.2%}"
            for c in blown
        )
        raise TooManyMatchesError(
            f"The run was stopped and nothing changed: {told}.",
            f"Look for a wrong file or rule; if it is right: --accept {blown[0].condition} --because REASON",
        )


def evidence_columns(compiled: Compiled) -> tuple[Column, ...]:
    """Columns of the evidence stored with a run, a row per equipment that some condition matched."""
    return (
        Column("imei", "BIGINT", "Equipment identity."),
        Column("first_day", "INTEGER", "First day ever seen."),
        Column("last_day", "INTEGER", "Last day ever seen."),
        *(Column(c.column, c.fact.type, c.fact.doc) for c in compiled.facts),
        Column("matched", "BIGINT", "Mask of the conditions matched."),
    )


def _save(
    engine: Engine, workspace: Workspace, folder: Path, compiled: Compiled, as_of: date, base: Base | None
) -> None:
    names = ", ".join(VERDICTS.names)
    scope = "scope" if base else None
    engine.save(f"SELECT {names} FROM verdicts ORDER BY imei, condition", folder / "verdicts")
    ended = ended_sql(as_of, "history", scope)
    if base is not None and base.run.as_of == as_of:
        # what the earlier run of the same day found ended is still so where nothing happened since
        engine.files("ended_before", [workspace.path(f"runs/{base.run.id:05d}/ended")], ENDED.columns)
        ended += (
            f" UNION ALL SELECT {', '.join(ENDED.names)} FROM ended_before "
            "WHERE imei NOT IN (SELECT imei FROM scope)"
        )
    engine.save(
        f"SELECT {', '.join(ENDED.names)} FROM ({ended}) AS e ORDER BY imei, condition", folder / "ended"
    )
    columns = ", ".join(c.name for c in evidence_columns(compiled))
    evidence = f"SELECT {columns} FROM matched"
    if scope:
        evidence += (
            f" UNION ALL SELECT {columns} FROM evidence_before WHERE imei NOT IN (SELECT imei FROM {scope})"
        )
    engine.save(f"SELECT * FROM ({evidence}) AS e ORDER BY imei", folder / "evidence")


def _save_claims(
    engine: Engine,
    workspace: Workspace,
    scratch: Path,
    folder: Path,
    compiled: Compiled,
    policy: Policy,
    as_of: date,
    history: Run | None,
    base: Base | None,
) -> bool:
    """Save suspects and claims, if the policy asks for any; they are carried over as verdicts are."""
    claiming = compiled.claiming
    if claiming is None:
        return False
    name_past_claims(engine, workspace, "claims_history", history)
    start = compiled.end - policy.lists.look_back_days
    name_claims(engine, claiming, policy, as_of, month_masks(start, compiled.end))
    claims, suspects = ", ".join(CLAIMS.names), ", ".join(SUSPECTS.names)
    parts = suspicions(compiled, policy)
    found = {
        "claims": f"SELECT {claims} FROM claims_now",
        "suspects": suspects_sql(parts) if parts else "",
    }
    if base is not None:
        name_past_claims(engine, workspace, "claims_before", base.run)
        name_past_suspects(engine, workspace, "suspects_before", base.run)
        for name, columns in (("claims", claims), ("suspects", suspects)):
            if found[name]:
                found[name] += (
                    f" UNION ALL SELECT {columns} FROM {name}_before "
                    "WHERE imei NOT IN (SELECT imei FROM scope)"
                )
    engine.save(f"SELECT {claims} FROM ({found['claims']}) AS c ORDER BY imei, imsi", scratch / "claims")
    if found["suspects"]:
        engine.save(
            f"SELECT {suspects} FROM ({found['suspects']}) AS s ORDER BY imei, condition", folder / "suspects"
        )
    return True


def _count(engine: Engine, sql: str) -> int:
    return int(str(engine.rows(sql)[0][0]))
