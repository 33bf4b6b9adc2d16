import re

from ceir.lists import ControlList, all_lists
from ceir.reference._markdown import RETENTION, code, codes, head, join, link, table, whole


def page() -> str:
    """Every list that leaves the register: columns, key, receivers, and the reasons of its deltas."""
    lists = all_lists()
    parts = [
        head(
            "Lists",
            "A list is what operators or auditors receive. Where the files lie and how to apply deltas: "
            "[formats](../formats.md#lists-that-leave).",
        ),
        table(
            ("list", "title", "receivers", "policy modes", "kept", "peer's name"),
            [
                (
                    link(entry.name),
                    entry.title,
                    entry.receivers + (" (a file each)" if entry.per_operator else ""),
                    ", ".join(entry.modes),
                    RETENTION[entry.retention],
                    code(entry.peer_name),
                )
                for entry in lists.values()
            ],
        ),
    ]
    return whole(parts + [_list(entry) for entry in lists.values()])


def _list(entry: ControlList) -> str:
    return join(
        f"## {entry.name}",
        f"**{entry.title}.** {entry.doc} Source: {entry.source}.",
        table(
            ("column", "meaning", "personal"),
            [
                (
                    code(c.name) + (" (only with an amnesty)" if c.only_with_amnesty else ""),
                    c.doc,
                    "yes" if c.personal else "",
                )
                for c in entry.columns
            ],
        ),
        f"Unique together: {codes(entry.key)}.",
        table(
            ("change in a delta", "reasons"),
            [(code(change), codes(_outcomes(sql))) for change, sql in entry.reasons.items()],
        ),
    )


def _outcomes(reason_sql: str) -> tuple[str, ...]:
    """The texts that the SQL of a delta reason can give."""
    found = re.findall(r"(?:^|\bTHEN |\bELSE )'([a-z_]+)'", reason_sql)
    return tuple(dict.fromkeys(found))
