"""Who uses an identity that several devices may carry, and what the ladder says of each of them."""

from ceir.tables.declaration import Column, Table

TABLE = Table(
    name="claims",
    doc="Present users of identities that a policy's clone conditions matched: which of them has the genuine "
    "device, as far as anybody can tell.",
    grain="(imei, imsi) seen together in the look-back of the policy",
    columns=(
        Column("imei", "BIGINT", "Equipment identity; negative: key into `malformed`."),
        Column("imsi", "BIGINT", "Subscriber, digits with a 1 before them.", personal=True),
        Column(
            "person",
            "INTEGER",
            "Lines of one registered person share a number, from 1 for each identity; who it is is not told.",
            personal=True,
        ),
        Column("answer", "VARCHAR", "genuine, clone or undecided."),
        Column("score", "INTEGER", "What the rungs add up to.", "thousandths of a natural log-odds"),
        Column(
            "margin",
            "INTEGER",
            "By how much the person leads everybody else, below 0: trails; null: nobody else is there.",
            "thousandths of a natural log-odds",
        ),
        Column("terms", "BIGINT", "Rungs that speak, as a mask over their sorted names in the weights."),
        Column(
            "side_by_side",
            "INTEGER",
            "Days on which the person and the genuine one were both seen; null: none is decided.",
            "days",
        ),
        Column(
            "proposal",
            "VARCHAR",
            "pair (genuine), keep (undecided), stop (clone) or refuse (came after the block).",
        ),
        Column("since", "INTEGER", "First day known of the two together.", "days since 1970-01-01"),
        Column(
            "stops_on",
            "INTEGER",
            "Day from which a clone's line is refused; null: it is not.",
            "days since 1970-01-01",
        ),
    ),
    key=("imei", "imsi"),
    retention="subscriber",
)
