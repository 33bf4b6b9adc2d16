"""The regulator's decisions as typed values."""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from ceir.policy.brakes import Budget, Release
from ceir.rules import Rule, rule_named
from ceir.rules.declaration import Parameter, Value
from ceir.sources import all_sources
from ceir.weights.scale import SCORED

MAX_CONDITIONS = 60
"""Conditions of a policy: their matches travel as bits of one signed 64-bit number."""

DAYS_OF_A_MONTH = 30
"""Retention counts whole months beside the current one, so this many days of each month are surely kept."""

LABEL = re.compile(r"[A-Za-z0-9_]{1,64}")

Days = Annotated[int, Field(ge=0, le=3650)]
Exceptions = Literal["none", "genuine", "present"]
Ratio = Annotated[float, Field(ge=0.0, le=1.0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Country(_Strict):
    """The country a policy is for."""

    name: str = Field(description="Its name, for people.")
    country_codes: tuple[Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,3}$")], ...] = Field(
        description="Country codes that its numbers (E.164) begin with."
    )
    languages: tuple[str, ...] = Field(default=("en",), description="Languages it writes to people in.")


class Operator(_Strict):
    """A mobile operator that sends files and receives lists."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,16}$")] = Field(
        description="Short name used in file names and lists: lower-case letters, digits, underscores."
    )
    name: str = Field(description="Its name, for people.")
    holds_exceptions: bool = Field(
        default=True,
        description="False: its equipment check cannot permit a subscriber on a blocked identity; identities "
        "with exceptions stay off the list it gets.",
    )
    plmns: tuple[str, ...] = Field(
        min_length=1, description="Its networks as MCC-MNC, for instance `111-01`; none may begin another."
    )

    @field_validator("plmns")
    @classmethod
    def _plmns_well_formed(cls, plmns: tuple[str, ...]) -> tuple[str, ...]:
        for plmn in plmns:
            if not re.fullmatch(r"[0-9]{3}-[0-9]{2,3}", plmn):
                raise ValueError(f"{plmn!r} is not MCC-MNC, for instance 111-01")
        return plmns

    @property
    def prefixes(self) -> tuple[str, ...]:
        """What the IMSIs of its subscribers begin with."""
        return tuple(plmn.replace("-", "") for plmn in self.plmns)


class RuleUse(_Strict):
    """A rule with the parameters that a condition gives it.

    In the file the parameters stand beside `rule` and `not`, all in one inline table.
    """

    rule: str
    negated: bool = False
    parameters: Mapping[str, Any] = {}

    @model_validator(mode="before")
    @classmethod
    def _from_inline_table(cls, raw: Any) -> Any:
        if not isinstance(raw, Mapping) or "rule" not in raw:
            raise ValueError("an entry of `all` is a table with a `rule`")
        rest = {key: value for key, value in raw.items() if key not in ("rule", "not")}
        rule = _rule_or_error(str(raw["rule"]))
        negated = raw.get("not", False)
        if not isinstance(negated, bool):
            raise ValueError("`not` is true or false")
        return {"rule": rule.name, "negated": negated, "parameters": _bound(rule, rest)}

    @property
    def declaration(self) -> Rule:
        """The rule itself, as its parameters make it."""
        return rule_named(self.rule).under(self.parameters)


class Condition(_Strict):
    """A named combination of rules with its consequences."""

    title: str = Field(default="", description="What people call it; empty: its label.")
    all: tuple[RuleUse, ...] = Field(
        min_length=1,
        description="Rules that must all match, each `{ rule = NAME, ... }`; `not = true` turns one round.",
    )
    reason: str = Field(min_length=1, max_length=200, description="Reason sent to operators; no `|`.")
    grace_days: Days = Field(default=30, description="Days from the first match to the block.")
    blocking: bool = Field(default=False, description="False: a trial that only counts and explains.")
    exceptions: Exceptions = Field(
        default="none",
        description="Whose lines go on working on an identity it blocks: `none`; `present`: everybody who "
        "uses it when the block begins; `genuine`: of these, all but those whom the ladder calls clones.",
    )
    sticky: bool = Field(default=False, description="Once it matched, it stays in force.")
    tracked: bool = Field(
        default=False, description="Put matches on the tracked list although they do not block."
    )
    max_match_ratio: Ratio = Field(
        default=0.1, description="Share of all seen equipment above which a blocking run stops."
    )
    amnesty_eligible: bool = Field(default=False, description="Its matches may be granted amnesty.")
    first_seen_from: date | None = Field(
        default=None, description="Equipment first seen before this day is left alone (grandfathered)."
    )

    @field_validator("reason")
    @classmethod
    def _reason_fits_lists(cls, reason: str) -> str:
        if re.search(r'[|\r\n",]', reason):
            raise ValueError('a reason must not contain | , " or line breaks: they separate in lists')
        return reason

    @model_validator(mode="after")
    def _consequences_fit(self) -> "Condition":
        if self.amnesty_eligible and not self.blocking:
            raise ValueError("amnesty_eligible needs blocking = true")
        if all(use.negated for use in self.all):
            raise ValueError("at least one rule must stand without `not`")
        return self

    @model_validator(mode="after")
    def _nobody_is_cut_for_a_guess(self) -> "Condition":
        answers = {SCORED[use.rule] for use in self.all if use.rule in SCORED and not use.negated}
        if self.exceptions == "genuine" and answers != {"clone"}:
            raise ValueError('exceptions = "genuine" needs the rule cloned: only there is a ladder to decide')
        if self.blocking and "undecided" in answers and self.exceptions != "present":
            raise ValueError('perhaps_cloned blocks only with exceptions = "present": undecided cuts nobody')
        if self.blocking and "clone" in answers and self.exceptions == "none":
            raise ValueError(
                'cloned blocks only with exceptions = "genuine" or "present": one of them is the genuine one'
            )
        return self


class Retention(_Strict):
    """How long personal data lives."""

    subscriber_months: Annotated[int, Field(ge=1, le=120)] = Field(
        default=6, description="Whole months, before the current one, that IMSIs and MSISDNs are kept."
    )


class ListOptions(_Strict):
    """How lists are written."""

    look_back_days: Annotated[int, Field(ge=1, le=3650)] = Field(
        default=180, description="How far back a subscriber seen with the equipment is told."
    )
    check_digit: bool = Field(default=False, description="Write 15 digits: with the Luhn check digit.")
    include_malformed: bool = Field(default=True, description="Write malformed identities into lists.")
    restrict_exceptions_to_blocked: bool = Field(
        default=False, description="Exception lists carry only pairings of blocked equipment."
    )
    include_barred_in_exceptions: bool = Field(
        default=False, description="Exception lists carry pairings of barred equipment too."
    )


class Amnesty(_Strict):
    """One chance for devices already in use when a policy begins."""

    enabled: bool = Field(default=False, description="Whether there is one.")
    evaluation_until: date | None = Field(
        default=None, description="Last day on which a new eligible match is granted amnesty."
    )
    amnesty_until: date | None = Field(default=None, description="Block date of everything granted.")

    @model_validator(mode="after")
    def _dates_in_order(self) -> "Amnesty":
        if self.enabled and (
            self.evaluation_until is None
            or self.amnesty_until is None
            or self.evaluation_until >= self.amnesty_until
        ):
            raise ValueError("an amnesty needs evaluation_until before amnesty_until")
        return self


ListStatus = Literal["permitted", "tracked", "blocked", "unknown"]


class SubscriberRange(_Strict):
    """IMSIs that may use any equipment, whatever the lists say of it."""

    first: Annotated[str, StringConstraints(pattern=r"^[0-9]{14,15}$")] = Field(description="First IMSI.")
    last: Annotated[str, StringConstraints(pattern=r"^[0-9]{14,15}$")] = Field(
        description="Last IMSI, of as many digits as the first."
    )
    reason: str = Field(min_length=1, max_length=200, description="Why, for those who audit it.")

    @model_validator(mode="after")
    def _in_order(self) -> "SubscriberRange":
        if len(self.first) != len(self.last) or self.first > self.last:
            raise ValueError(f"IMSI range {self.first} to {self.last} is empty or mixes lengths")
        return self


class EquipmentCheck(_Strict):
    """What networks are answered, beside the lists."""

    unlisted: ListStatus | None = Field(
        default=None,
        description="Answer for equipment on no list; by default permitted where the policy is permissive, "
        "tracked where it is restrictive.",
    )
    malformed: ListStatus | None = Field(
        default=None, description="Answer for identities that are not 14 digits; by default as `unlisted`."
    )
    valid_days: Annotated[int, Field(ge=1, le=366)] = Field(
        default=14, description="Days after its run until a snapshot is too old."
    )
    subscriber_ranges: tuple[SubscriberRange, ...] = Field(
        default=(), description="IMSIs that may use any equipment: `{ first, last, reason }`."
    )

    @field_validator("subscriber_ranges")
    @classmethod
    def _apart(cls, ranges: tuple[SubscriberRange, ...]) -> tuple[SubscriberRange, ...]:
        ordered = sorted(ranges, key=lambda r: (len(r.first), r.first))
        for one, two in pairwise(ordered):
            if len(one.first) == len(two.first) and two.first <= one.last:
                raise ValueError(f"IMSI ranges {one.first} and {two.first} overlap")
        return ranges


class Policy(_Strict):
    """Everything a regulator decides about the analytical core."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")] = Field(
        description="Short name: lower-case letters, digits, dashes."
    )
    version: int = Field(default=1, ge=1, description="Raised with every change that is put in force.")
    mode: Literal["permissive", "restrictive"] = Field(
        default="permissive",
        description="permissive: allowed unless listed; restrictive: a permitted list is published too.",
    )
    country: Country
    operators: tuple[Operator, ...] = Field(min_length=1)
    exempt_device_types: tuple[str, ...] = Field(
        default=(), description="Device types of the TAC list that need no registration or association."
    )
    reporting_body_delays: Mapping[
        Annotated[str, StringConstraints(pattern=r"^[0-9]{2}$")], Annotated[int, Field(ge=0, le=366)]
    ] = Field(default={}, description="Days a new TAC may be missing from the list, by reporting body.")
    retention: Retention = Retention()
    lists: ListOptions = ListOptions()
    amnesty: Amnesty = Amnesty()
    equipment_check: EquipmentCheck = EquipmentCheck()
    budget: Budget = Budget()
    release: Release = Release()
    checks: Mapping[str, Mapping[str, float]] = Field(
        default={}, description="Limits of file checks that differ from the default: `[checks.SOURCE]`."
    )
    conditions: Mapping[str, Condition] = Field(min_length=1, description="Conditions by label.")

    @field_validator("conditions")
    @classmethod
    def _labels_fit(cls, conditions: Mapping[str, Condition]) -> Mapping[str, Condition]:
        if len(conditions) > MAX_CONDITIONS:
            raise ValueError(f"at most {MAX_CONDITIONS} conditions")
        for label in conditions:
            if not LABEL.fullmatch(label):
                raise ValueError(f"label {label!r} is not 1 to 64 letters, digits and underscores")
        return conditions

    @field_validator("checks")
    @classmethod
    def _checks_exist(cls, checks: Mapping[str, Mapping[str, float]]) -> Mapping[str, Mapping[str, float]]:
        sources = all_sources()
        for name, limits in checks.items():
            if name not in sources:
                raise ValueError(f"{name!r} is no source; sources: {', '.join(sources)}")
            known = [check.name for check in sources[name].checks]
            for check in limits:
                if check not in known:
                    raise ValueError(f"{name} has no check {check!r}; checks: {', '.join(known)}")
        return checks

    @model_validator(mode="after")
    def _operators_unique(self) -> "Policy":
        ids = [operator.id for operator in self.operators]
        if len(set(ids)) != len(ids):
            raise ValueError("two operators have the same id")
        prefixes = sorted(p for operator in self.operators for p in operator.prefixes)
        for one, two in pairwise(prefixes):
            if two.startswith(one):
                raise ValueError(f"PLMN {one} begins PLMN {two}: an IMSI could belong to either")
        return self

    @model_validator(mode="after")
    def _windows_fit(self) -> "Policy":
        kept = self.retention.subscriber_months * DAYS_OF_A_MONTH
        if self.lists.look_back_days > kept:
            raise ValueError(
                f"lists.look_back_days is {self.lists.look_back_days}, but subscribers are kept for "
                f"retention.subscriber_months = {self.retention.subscriber_months} only"
            )
        for label, condition in self.conditions.items():
            for use in condition.all:
                days = _window_days(use.parameters)
                if days > kept:
                    raise ValueError(
                        f"condition {label} looks back {days} days, but subscribers are kept for "
                        f"retention.subscriber_months = {self.retention.subscriber_months} only: "
                        "counts would fall as data leaves"
                    )
                fewest = use.parameters.get("min_seen_days")
                if isinstance(fewest, int) and days and fewest > days:
                    raise ValueError(f"condition {label} wants {fewest} days seen within {days}")
        return self

    @model_validator(mode="after")
    def _releases_fit(self) -> "Policy":
        for label in self.release.conditions:
            if label not in self.conditions:
                raise ValueError(f"release.conditions.{label} is of no condition of this policy")
            if not self.conditions[label].blocking:
                raise ValueError(f"release.conditions.{label}: the condition does not block")
        return self

    @property
    def home_prefixes(self) -> tuple[str, ...]:
        """PLMN prefixes of all its operators, sorted."""
        return tuple(sorted(p for operator in self.operators for p in operator.prefixes))

    @property
    def home_mccs(self) -> tuple[str, ...]:
        """Mobile country codes of its operators, sorted."""
        return tuple(sorted({p[:3] for p in self.home_prefixes}))

    def limit(self, source: str, check: str, default: float) -> float:
        """The limit of a file check: the policy's own, else `default`."""
        return self.checks.get(source, {}).get(check, default)

    @property
    def unlisted_answer(self) -> ListStatus:
        """What networks are told of equipment on no list."""
        return self.equipment_check.unlisted or ("permitted" if self.mode == "permissive" else "tracked")

    @property
    def malformed_answer(self) -> ListStatus:
        """What networks are told of an identity that is not 14 digits."""
        return self.equipment_check.malformed or self.unlisted_answer

    def operator(self, operator_id: str) -> Operator | None:
        """The operator with this id."""
        return next((o for o in self.operators if o.id == operator_id), None)


def _window_days(parameters: Mapping[str, Any]) -> int:
    """How many days back a rule with these parameters looks; 0: it has no window."""
    months = parameters.get("window_months")
    days = [parameters.get(name) for name in ("window_days", "look_back_days", "period_days")]
    return max((int(d) for d in (*days, months and months * DAYS_OF_A_MONTH) if d), default=0)


def _rule_or_error(name: str) -> Rule:
    from ceir.errors import UsageError  # noqa: PLC0415 - keeps pydantic's ValueError contract in one place

    try:
        return rule_named(name)
    except UsageError as error:
        raise ValueError(str(error)) from error


def _bound(rule: Rule, given: Mapping[str, Any]) -> dict[str, Value]:
    """Parameters of `rule` from what the policy gave, defaults filled in."""
    known = {parameter.name: parameter for parameter in rule.parameters}
    for name in given:
        if name not in known:
            listed = ", ".join(known) or "none"
            raise ValueError(f"rule {rule.name} has no parameter {name!r}; its parameters: {listed}")
    for group in rule.one_of:
        if sum(name in given for name in group) != 1:
            raise ValueError(f"rule {rule.name} needs exactly one of {', '.join(group)}")
    bound: dict[str, Value] = {}
    for name, parameter in known.items():
        if name in given:
            bound[name] = _value(rule, parameter, given[name])
        elif parameter.required:
            raise ValueError(f"rule {rule.name} needs {name}: {parameter.doc}")
        else:
            bound[name] = parameter.default
    if rule.brings is None:
        return bound
    return {**rule.brings(bound), **{name: value for name, value in bound.items() if value is not None}}


def _value(rule: Rule, parameter: Parameter, raw: Any) -> Value:
    where = f"rule {rule.name}, parameter {parameter.name}"
    value: Value
    match parameter.type:
        case "int" if isinstance(raw, int) and not isinstance(raw, bool):
            value = raw
        case "decimal" if isinstance(raw, int | float | Decimal) and not isinstance(raw, bool):
            value = Decimal(str(raw)).normalize()
        case "bool" if isinstance(raw, bool):
            value = raw
        case "text" if isinstance(raw, str):
            value = raw
        case _:
            raise ValueError(f"{where}: expected {parameter.type}, found {raw!r}")
    if parameter.choices and value not in parameter.choices:
        raise ValueError(f"{where}: {value!r} is none of {', '.join(parameter.choices)}")
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        if parameter.minimum is not None and value < parameter.minimum:
            raise ValueError(f"{where}: {value} is less than {parameter.minimum}")
        if parameter.above is not None and value <= parameter.above:
            raise ValueError(f"{where}: {value} is not above {parameter.above}")
    return value
