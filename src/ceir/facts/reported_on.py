"""Day of the report of theft or loss in the country."""

from ceir.facts.declaration import Fact

FACT = Fact(
    name="reported_on",
    title="Reported on",
    doc="Day of the report of theft or loss in the country.",
    type="INTEGER",
    query="SELECT imei, reporting_date AS value FROM stolen WHERE status IS NULL OR status = 'blacklist'",
    otherwise="NULL",
    reads=("stolen",),
    show="day",
    unit="days since 1970-01-01",
)
