from ceir.policy.loading import PolicyError, load_policy, shipped_policies
from ceir.policy.model import Amnesty, Condition, ListOptions, Operator, Policy, Retention, RuleUse

__all__ = [
    "Amnesty",
    "Condition",
    "ListOptions",
    "Operator",
    "Policy",
    "PolicyError",
    "Retention",
    "RuleUse",
    "load_policy",
    "shipped_policies",
]
