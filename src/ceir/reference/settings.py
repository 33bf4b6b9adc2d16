import importlib

from ceir.reference._markdown import code, head, table, value, whole


def page() -> str:
    """Every setting of an installation."""
    settings = importlib.import_module("ceir.settings")  # stands beside this package, which only reads it
    rows = [
        (code(s.variable), code("" if s.default is None else value(s.default)), s.doc, s.after_change)
        for s in settings.all_settings()
    ]
    return whole(
        [
            head(
                "Settings",
                "Settings say how an installation runs; they never change who is flagged. They are "
                "environment variables; an option of the command line wins over them.",
            ),
            table(("variable", "default", "meaning", "after a change"), rows),
        ]
    )
