"""Whom an operator must tell that a device will be blocked."""

from ceir.lists.declaration import ControlList, ListColumn

LIST = ControlList(
    name="notifications",
    title="Notification list",
    doc="Subscribers whose use of a device will stop: seen with equipment whose block date is ahead and not "
    "excepted from the block, or their own exception ends. The home operator of the IMSI tells them; if it "
    "is none of the policy's, every operator that saw them does. Paired subscribers are not told.",
    source="ITU-T Q.5050 clause 9 (tell the user before remedial action)",
    columns=(
        ListColumn("imei", "The identity."),
        ListColumn("imsi", "The subscriber.", personal=True),
        ListColumn("msisdn", "The number to tell.", personal=True),
        ListColumn("block_date", "Day from which the device is refused with this subscriber, YYYYMMDD."),
        ListColumn("reasons", "Why: the different reasons, sorted, joined by |."),
        ListColumn("amnesty_granted", "1: the device was granted amnesty.", only_with_amnesty=True),
    ),
    key=("imei", "imsi", "msisdn"),
    sql="SELECT c.operator, d.imei_text AS imei, c.imsi_text AS imsi, c.msisdn_text AS msisdn, c.block_date, "
    "d.reason_text AS reasons, CASE WHEN d.amnesty THEN '1' ELSE '0' END AS amnesty_granted "
    "FROM contacts AS c JOIN decisions AS d ON d.imei = c.imei",
    reasons={
        "added": "'new'",
        "removed": "CASE WHEN p.kept THEN 'excepted' WHEN d.outcome = 'blocked' THEN 'blocked' "
        "WHEN p.imei_text IS NOT NULL THEN 'paired' "
        "WHEN d.outcome = 'notified' THEN 'no_longer_seen' ELSE 'resolved' END",
        "changed": "'changed'",
    },
    receivers="the subscriber's home operator",
    per_operator=True,
    retention="subscriber",
    peer_name="notifications",
)
