"""Pieces of policies, put together by tests of decisions."""

HEAD = """
name = "decisions"
[country]
name = "Decidia"
country_codes = ["22"]
[[operators]]
id = "operator1"
name = "One"
plmns = ["111-01"]
[[operators]]
id = "operator2"
name = "Two"
plmns = ["111-02"]
[[operators]]
id = "operator3"
name = "Three"
plmns = ["111-03"]
"""

STOLEN = """
[conditions.stolen]
all = [{ rule = "stolen_local" }]
reason = "Stolen"
grace_days = 0
blocking = true
"""
ABROAD = """
[conditions.abroad]
all = [{ rule = "stolen_foreign" }]
reason = "Stolen abroad"
grace_days = 10
blocking = true
"""
BARRED = """
[conditions.barred]
all = [{ rule = "imei_barred" }]
reason = "Barred"
grace_days = 30
blocking = true
"""
WATCHED = """
[conditions.watched]
all = [{ rule = "monitored" }]
reason = "Watched"
tracked = true
"""
TRIAL = """
[conditions.trial]
all = [{ rule = "imei_malformed" }]
reason = "Malformed"
"""
