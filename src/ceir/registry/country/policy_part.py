"""What the register needs of the policy that the pipeline obeys."""

from dataclasses import dataclass

from ceir.policy import Policy

_OF_THEFT = frozenset({"stolen_local", "stolen_foreign"})


@dataclass(frozen=True)
class PolicyPart:
    """See the module; a value that processes are told.

    Args:
        networks: by the operator's id its networks as MCC-MNC.
        theft: labels of the conditions that rest on cases.
        exempt_device_types: kinds of device, as the TAC list names them, that need no registration.
        country_codes: that the country's numbers begin with.
    """

    networks: dict[str, tuple[str, ...]]
    theft: tuple[str, ...]
    exempt_device_types: tuple[str, ...] = ()
    country_codes: tuple[str, ...] = ()

    @classmethod
    def of(cls, policy: Policy) -> "PolicyPart":
        """Of a whole policy."""
        return cls(
            {operator.id: operator.plmns for operator in policy.operators},
            tuple(sorted(theft_conditions(policy))),
            policy.exempt_device_types,
            policy.country.country_codes,
        )


def theft_conditions(policy: Policy) -> frozenset[str]:
    """Labels of the conditions that match only what is reported stolen or lost, here or abroad."""
    return frozenset(
        label
        for label, condition in policy.conditions.items()
        if any(use.rule in _OF_THEFT and not use.negated for use in condition.all)
    )
