from ceir.reference._markdown import code, head, table, whole
from ceir.registry.accounts.permissions import RULES, matrix
from ceir.registry.actors import Role


def page() -> str:
    """Who may do what: a row a permission, a column a role."""
    roles = tuple(Role)
    held = matrix()
    rows = [
        (code(permission.value), RULES[permission].doc, *(held[permission][role] for role in roles))
        for permission in held
    ]
    return whole(
        [
            head(
                "Permissions",
                "What may be done in the register, and in which role. **yes**: for everything; **own**: only "
                "for what belongs to one's own organisation, or to oneself; empty: not at all. A program has "
                "the permissions of its role that its scopes name, and no others. Some changes need two "
                "people of different roles besides: whoever may decide is not whoever proposed.",
            ),
            table(("permission", "allows to", *(role.value for role in roles)), rows),
        ]
    )
