from ceir.reference._markdown import GENERATED
from ceir.reference._modules import import_everything
from ceir.registry.personal import catalogue


def page() -> str:
    """Which personal data is kept, why, and for how long."""
    import_everything()
    title, rest = catalogue.page().split("\n", 1)
    return f"{title}\n\n{GENERATED}\n{rest}"
