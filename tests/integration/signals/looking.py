"""What a register knows of an identity under a policy: the facts of its newest run, by name."""

from datetime import date, timedelta

import pyarrow.dataset as ds

from building import Register, compact

D = date(2026, 3, 31)
"""The day of the run."""

HEAD = """
name = "signals"
[country]
name = "Signalia"
country_codes = ["22"]
[[operators]]
id = "operator1"
name = "One"
plmns = ["111-01"]
[[operators]]
id = "operator2"
name = "Two"
plmns = ["111-02"]
[conditions.all]
all = [{ rule = "used_by_home_subscriber", look_back_days = 180 }]
reason = "All"
"""


def condition(label: str, rule: str) -> str:
    """A trial with one rule."""
    return f'[conditions.{label}]\nall = [{{ rule = "{label}", {rule} }}]\nreason = "{label}"\n'


def imsi(number: int, operator: int = 1) -> str:
    """A subscriber of an operator."""
    return f"1110{operator}{number:010d}"


def used(imei: str, who: int, *ago: int, rat: str = "006", operator: int = 1) -> list[str]:
    """Rows of observations: seen with a subscriber so many days before the run."""
    return [f"{compact(D - timedelta(days=n))},{imei},{imsi(who, operator)},22{who:010d},{rat}" for n in ago]


def facts(register: Register, imei: str) -> dict[str, object]:
    """The stored evidence of an identity; empty: no condition matched it."""
    run = register.workspace.catalogue().runs[-1]
    rows = ds.dataset(register.root / f"runs/{run.id:05d}/evidence").to_table().to_pylist()
    return next((row for row in rows if row["imei"] == int(imei)), {})
