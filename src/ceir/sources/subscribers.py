"""Which subscription belongs to which person, from SIM registration."""

from ceir.sources._checks import list_checks
from ceir.sources._kinds import DIGITS, UID
from ceir.sources.declaration import Field, Source

SOURCE = Source(
    name="subscribers",
    title="Subscribers",
    doc="Which subscription belongs to which person.",
    fields=(
        Field(
            "uid",
            ("uid",),
            UID,
            "The person, by an identifier of the register.",
            required=True,
            personal=True,
        ),
        Field("imsi", ("imsi",), DIGITS, "Subscription.", required=True, personal=True),
    ),
    key=("uid", "imsi"),
    subject="imsi",
    checks=list_checks(1000, 0.95),
    example="uid,imsi\nP-000001,111010000000001\n",
    peer_name="subscribers_registration_list",
)
