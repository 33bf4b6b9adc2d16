import inspect
import re

from ceir.errors import CeirError, all_error_types
from ceir.reference._markdown import code, head, table, whole
from ceir.reference._modules import import_everything

EXIT_CODES = {1: "refused by data or state", 2: "wrong use, nothing was tried", 3: "unknown equipment"}


def page() -> str:
    """Every error a user may see, with its code and what it means."""
    exits = "; ".join(f"{number} {meaning}" for number, meaning in EXIT_CODES.items())
    rows = [
        (code(e.code), str(e.exit_code), _first_paragraph(e), code(e.__module__))
        for e in sorted(all_errors(), key=lambda e: e.code)
    ]
    return whole(
        [
            head(
                "Errors",
                "An error on stderr gives its code in brackets, what is wrong, and a hint what to do next; "
                "with `--json` it is a JSON object with `code`, `detail` and `hint`. Codes do not change. "
                f"Exit codes: 0 done; {exits}; 130 interrupted.",
            ),
            table(("code", "exit code", "meaning", "raised by"), rows),
            "Two codes are no errors of their own: `interrupted` (Ctrl-C), and `internal` (a fault of the "
            "program: please report it, with what `--debug` shows).",
        ]
    )


def all_errors() -> tuple[type[CeirError], ...]:
    """Every error type of the package but their common base."""
    import_everything()
    return tuple(e for e in all_error_types() if e is not CeirError and e.__module__.startswith("ceir."))


def _first_paragraph(thing: type) -> str:
    return re.sub(r"\s+", " ", inspect.cleandoc(thing.__doc__ or "").split("\n\n")[0])
