"""What changed between two versions of a list, each change once and with its net reason."""

from ceir.lists import ControlList

CHANGE_COLUMNS = ("change", "reason")


def delta_sql(entry: ControlList, before: str, now: str, columns: tuple[str, ...]) -> str:
    """SELECT of the changes from one version to the next: change, reason, and the columns of the row.

    A removed row carries what it said before, an added or changed one what it says now. What is in `before`
    plus these changes is exactly what is in `now`.

    Args:
        before: relation of the version before, all text.
        now: relation of the version now.
    """
    keys = " AND ".join(f"o.{k} = n.{k}" for k in entry.key)
    first = entry.key[0]
    others = [c for c in columns if c not in entry.key]
    pair = "p.imei_text = {row}.imei AND p.imsi_text = {row}.imsi" if "imsi" in columns else ""

    def part(change: str, rows: str, row: str, where: str) -> str:
        reason = entry.reasons[change]  # type: ignore[index]  # one of its three literals
        chosen = ", ".join(f"{row}.{c}" for c in columns)
        joins = f" LEFT JOIN decisions AS d ON d.imei_text = {row}.imei" if "d." in reason else ""
        if "p." in reason:
            joins += f" LEFT JOIN bound AS p ON {pair.format(row=row)}"
        return f"SELECT '{change}' AS change, {reason} AS reason, {chosen} FROM {rows}{joins} WHERE {where}"

    parts = [
        part("added", f"{now} AS n LEFT JOIN {before} AS o ON {keys}", "n", f"o.{first} IS NULL"),
        part("removed", f"{before} AS o LEFT JOIN {now} AS n ON {keys}", "o", f"n.{first} IS NULL"),
    ]
    if others:
        differs = " OR ".join(f"o.{c} <> n.{c}" for c in others)
        parts.append(part("changed", f"{now} AS n JOIN {before} AS o ON {keys}", "n", f"({differs})"))
    return " UNION ALL ".join(parts)
