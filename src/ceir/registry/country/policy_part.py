"""What the register needs of the policy that the pipeline obeys."""

from dataclasses import dataclass

from ceir.policy import Policy

_HERE, _ABROAD = "stolen_local", "stolen_foreign"


@dataclass(frozen=True)
class PolicyPart:
    """See the module; a value that processes are told.

    Args:
        networks: by the operator's id its networks as MCC-MNC.
        theft: labels of the conditions that rest on reports of theft or loss.
        abroad: those of them that rest on reports from abroad alone.
        exempt_device_types: kinds of device, as the TAC list names them, that need no registration.
        country_codes: that the country's numbers begin with.
    """

    networks: dict[str, tuple[str, ...]]
    theft: tuple[str, ...]
    abroad: tuple[str, ...] = ()
    exempt_device_types: tuple[str, ...] = ()
    country_codes: tuple[str, ...] = ()

    @classmethod
    def of(cls, policy: Policy) -> "PolicyPart":
        """Of a whole policy."""
        return cls(
            {operator.id: operator.plmns for operator in policy.operators},
            tuple(sorted(theft_conditions(policy))),
            tuple(sorted(_using(policy, _ABROAD) - _using(policy, _HERE))),
            policy.exempt_device_types,
            policy.country.country_codes,
        )


def theft_conditions(policy: Policy) -> frozenset[str]:
    """Labels of the conditions that match only what is reported stolen or lost, here or abroad."""
    return _using(policy, _HERE) | _using(policy, _ABROAD)


def _using(policy: Policy, rule: str) -> frozenset[str]:
    """Labels of the conditions that match only where a rule does."""
    return frozenset(
        label
        for label, condition in policy.conditions.items()
        if any(use.rule == rule and not use.negated for use in condition.all)
    )
