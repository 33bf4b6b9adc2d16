"""What gives people and programs rights: two people each."""

from ceir.registry.accounts import clients, people

KINDS = (
    people.OPEN,
    people.INVITE,
    people.ROLE,
    clients.OPEN,
    clients.SECRET,
    clients.SCOPES,
    clients.CERTIFICATES,
)
