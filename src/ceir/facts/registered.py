"""True when a registration of the identity is in force."""

from ceir.facts.declaration import Fact

FACT = Fact(
    name="registered",
    title="Registered",
    doc="True when a registration of the identity is in force.",
    type="BOOLEAN",
    query="SELECT imei, TRUE AS value FROM registrations WHERE status IS NULL OR status = 'whitelist'",
    otherwise="FALSE",
    reads=("registrations",),
)
