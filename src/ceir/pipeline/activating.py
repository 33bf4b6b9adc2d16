"""Putting a policy in force: held against its error budget, and against what somebody measured."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from ceir.errors import CeirError, UsageError
from ceir.pipeline.catalogue import Activation, Catalogue
from ceir.pipeline.what_if.replaying import data_fingerprint
from ceir.pipeline.what_if.result import WhatIf
from ceir.pipeline.workspace import Workspace, disk_errors, replace_file
from ceir.policy import Policy, load_policy
from ceir.policy.calibration import Calibration, meaning_of

BUDGET, WHAT_IF = "budget", "what-if"
"""What may be accepted beside conditions; labels have no dash, and a condition called `budget` is one more
reason to ask."""


class ActivationRefusedError(CeirError):
    """The policy is not put in force: nobody took responsibility for what speaks against it."""

    code = "activation_refused"


@dataclass(frozen=True)
class ActivationRequest:
    """What is asked for.

    Args:
        policy: file or folder of the policy.
        found: what it would do; None: nobody looked.
        calibration: what was measured of conditions, and the SHA-256 of its file.
        accepted: reasons, by label, `budget` or `what-if`.
        by: who takes responsibility.
    """

    policy: Path
    at: datetime
    found: WhatIf | None = None
    calibration: tuple[Calibration, str] | None = None
    accepted: Mapping[str, str] = field(default_factory=dict)
    by: str = ""


@dataclass(frozen=True)
class Objection:
    """Something that speaks against a policy until somebody accepts it by its name."""

    name: str
    why: str


def needs_looking(workspace: Workspace, policy: Path) -> bool:
    """Whether a what-if must be there before this policy is put in force: a budget, and something to look "
    "at."""
    catalogue = workspace.catalogue()
    new, _ = load_policy(policy)
    before, _ = in_force(workspace, catalogue)
    return _has_budget(new, before) and not _is_empty(catalogue)


def activate(workspace: Workspace, request: ActivationRequest) -> Activation:
    """Put a policy in force; call it with the workspace locked.

    Raises:
        PolicyError: it cannot be obeyed.
        UsageError: something is accepted without a name, or is nothing to accept.
        ActivationRefusedError: something speaks against it and was not accepted.
    """
    catalogue = workspace.catalogue()
    new, sha256 = load_policy(request.policy)
    _require_sense(new, request)
    left = [o for o in objections(workspace, request) if o.name not in request.accepted]
    if left:
        names = " ".join(f"--accept {name}" for name in dict.fromkeys(o.name for o in left))
        raise ActivationRefusedError(
            f"The policy is not put in force: {'; '.join(o.why for o in left)}.",
            f"Mend it; or take responsibility: {names} --because REASON --by NAME",
        )
    found = request.found
    made = Activation(
        sha256=sha256,
        name=new.name,
        version=new.version,
        budget=_budget(new),
        at=request.at,
        by=request.by.strip(),
        accepted=dict(request.accepted),
        accepted_meanings={
            label: meaning_of(new.conditions[label]) for label in request.accepted if label in new.conditions
        },
        data=found.data if found else None,
        since=found.since if found else None,
        until=found.until if found else None,
        lines=found.new.cut.lines if found else None,
        wrong_low=found.expected.low if found else None,
        wrong_high=found.expected.high if found else None,
        calibration_sha256=request.calibration[1] if request.calibration else None,
    )
    file = request.policy / "policy.toml" if request.policy.is_dir() else request.policy
    with disk_errors():
        text = file.read_bytes()
        replace_file(workspace.root / "policy.toml", text)
    workspace.keep_policy(sha256)
    workspace.commit(catalogue.model_copy(update={"activations": (*catalogue.activations, made)}))
    return made


def objections(workspace: Workspace, request: ActivationRequest) -> tuple[Objection, ...]:
    """Everything that speaks against a policy, accepted or not; nothing where no budget asks for it."""
    catalogue = workspace.catalogue()
    new, sha256 = load_policy(request.policy)
    before, _ = in_force(workspace, catalogue)
    if not _has_budget(new, before) or _is_empty(catalogue):
        return ()
    return (
        *_loosened(new, before),
        *_unlooked(catalogue, sha256, request),
        *_above(new, request.found),
        *_uncalibrated(catalogue, new, before, request.calibration),
    )


def in_force(workspace: Workspace, catalogue: Catalogue) -> tuple[Policy, str]:
    """The policy last put in force; where none was recorded, the one in the workspace's file."""
    last = catalogue.activations[-1] if catalogue.activations else None
    kept = workspace.root / "policies" / f"{last.sha256}.toml" if last else None
    return load_policy(kept) if kept is not None and kept.is_file() else workspace.policy()


def _loosened(new: Policy, before: Policy) -> Iterator[Objection]:
    was, now = _budget(before), _budget(new)
    if was is not None and (now is None or now > was):
        what = "taken away" if now is None else f"raised to {now:g}"
        yield Objection(BUDGET, f"its error budget of {was:g} of 1,000 lines is {what}")


def _unlooked(catalogue: Catalogue, sha256: str, request: ActivationRequest) -> Iterator[Objection]:
    found = request.found
    if found is None:
        yield Objection(WHAT_IF, "nobody looked what it would do")
    elif found.new.sha256 != sha256:
        yield Objection(WHAT_IF, "the what-if is of another policy")
    elif found.data != data_fingerprint(catalogue):
        yield Objection(WHAT_IF, "files came or went since the what-if")
    elif found.calibration_sha256 != (request.calibration[1] if request.calibration else None):
        yield Objection(WHAT_IF, "the what-if was made with another calibration")


def _above(new: Policy, found: WhatIf | None) -> Iterator[Objection]:
    budget = new.budget.wrongly_cut_lines_per_1000
    most = found.expected.per_1000(found.expected.high) if found is not None else None
    if budget is not None and most is not None and Decimal(repr(most)) > budget:
        yield Objection(
            BUDGET,
            f"up to {most:.2f} of 1,000 lines are expected to be cut wrongly, its error budget is {budget:g}",
        )


def _uncalibrated(
    catalogue: Catalogue, new: Policy, before: Policy, calibration: tuple[Calibration, str] | None
) -> Iterator[Objection]:
    """Conditions that newly block, or block by other rules, and that nobody measured or accepted as they "
    "are."""
    borne = {pair for a in catalogue.activations for pair in a.accepted_meanings.items()}
    for label, condition in new.conditions.items():
        meaning = meaning_of(condition)
        old = before.conditions.get(label)
        blocked_so = old is not None and old.blocking and meaning_of(old) == meaning
        known = calibration is not None and calibration[0].of(label, condition) is not None
        if condition.blocking and not blocked_so and not known and (label, meaning) not in borne:
            yield Objection(label, f"the blocking condition {label} is not calibrated")


def _require_sense(new: Policy, request: ActivationRequest) -> None:
    for name in request.accepted:
        if name not in new.conditions and name not in (BUDGET, WHAT_IF):
            listed = ", ".join((*new.conditions, BUDGET, WHAT_IF))
            raise UsageError(f"There is no {name!r} to accept.", f"Conditions, and: {listed}.")
    if request.accepted and not request.by.strip():
        raise UsageError("What is accepted needs the name of who accepts it.", "Give --by NAME")


def _has_budget(*policies: Policy) -> bool:
    return any(_budget(policy) is not None for policy in policies)


def _budget(policy: Policy) -> float | None:
    budget = policy.budget.wrongly_cut_lines_per_1000
    return float(budget) if budget is not None else None


def _is_empty(catalogue: Catalogue) -> bool:
    return not catalogue.live and not catalogue.runs
