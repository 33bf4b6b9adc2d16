"""Which network an IMSI in the stored form (a 1 before its digits) belongs to, as SQL."""

from ceir.facts.declaration import Context


def _starts_with(prefixes: tuple[str, ...]) -> str:
    tests = []
    for length in sorted({len(prefix) for prefix in prefixes}):
        listed = ", ".join(f"'{prefix}'" for prefix in prefixes if len(prefix) == length)
        tests.append(f"SUBSTRING(CAST(imsi AS VARCHAR), 2, {length}) IN ({listed})")
    return "(" + (" OR ".join(tests) or "FALSE") + ")"


def home_network(context: Context) -> str:
    """Predicate: the IMSI is of one of the policy's operators."""
    return _starts_with(context.home_prefixes)


def home_country(context: Context) -> str:
    """Predicate: the IMSI's mobile country code is one of the country's."""
    return _starts_with(tuple(sorted({prefix[:3] for prefix in context.home_prefixes})))
