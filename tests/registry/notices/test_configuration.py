"""The file of notices: what stands in the documentation works, and what cannot be is refused with where."""

import re
from pathlib import Path

import pytest
from django.test import override_settings

from ceir.errors import CeirError
from ceir.registry.gateways import open_gateway
from ceir.registry.notices.configuration import NoticeConfigurationError, read_configuration
from ceir.registry.notices.opening import close_all, kept_open
from ceir.registry.notices.terms import Untold

DOCS = Path(__file__).parents[3] / "docs" / "notices.md"
SHORT = """
name = "Office"
short_code = "*123#"
quiet = { begin = 21:00:00, end = 08:00:00, zone = "Africa/Nairobi" }
"""
TRIAL = '[[gateways]]\nname = "trial"\nkind = "console"\n'
HTTP = '[[gateways]]\nname = "h"\nkind = "http"\n[gateways.options]\nurl = "https://x.example/"\n'


def written(folder: Path, text: str) -> Path:
    file = folder / "notices.toml"
    file.write_text(text, encoding="utf-8")
    return file


def secret(folder: Path, name: str, text: str = "a secret that nobody else has, of 32 characters") -> Path:
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    file.chmod(0o640)
    return file


def test_the_file_of_the_documentation_is_a_whole_one(tmp_path: Path) -> None:
    found = re.search(r"```toml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    secret(tmp_path, "secrets/operator1", "secret\n")
    secret(tmp_path, "secrets/aggregator")
    configuration = read_configuration(written(tmp_path, found[1]))
    assert configuration.terms.untold is Untold.HOLD
    assert configuration.terms.days == (30, 7, 1)
    smpp, http = configuration.ways
    assert (smpp.operators, smpp.rest, smpp.options["password"]) == (("operator1",), False, "secret")
    assert (http.operators, http.besides, http.rest) == ((), ("operator1",), True)
    assert "secret" not in repr(configuration.ways)
    open_gateway(http.kind, http.options, print, lambda: None).close()  # type: ignore[arg-type,return-value]


def test_without_a_zone_quiet_hours_follow_the_clock_of_the_country(tmp_path: Path) -> None:
    file = written(tmp_path, SHORT.replace(', zone = "Africa/Nairobi"', "") + TRIAL)
    assert read_configuration(file).terms.quiet.zone.key == "UTC"
    assert read_configuration(file, "Asia/Kathmandu").terms.quiet.zone.key == "Asia/Kathmandu"
    named = written(tmp_path, SHORT + TRIAL)
    assert read_configuration(named, "Asia/Kathmandu").terms.quiet.zone.key == "Africa/Nairobi"
    with override_settings(TIME_ZONE="Asia/Kathmandu"):
        file = written(tmp_path, SHORT.replace(', zone = "Africa/Nairobi"', "") + TRIAL)
        try:
            assert kept_open(file).terms.quiet.zone.key == "Asia/Kathmandu"
        finally:
            close_all()


def test_if_every_gateway_names_operators_the_first_takes_the_rest(tmp_path: Path) -> None:
    two = "".join(
        f'[[gateways]]\nname = "g{n}"\nkind = "console"\noperators = ["operator{n}"]\n' for n in (1, 2)
    )
    assert [way.rest for way in read_configuration(written(tmp_path, SHORT + two)).ways] == [True, False]


@pytest.mark.parametrize(
    "text",
    [
        "", "\0", "name = ", "[" * 3000, SHORT + "unknown = 1", SHORT.replace("Africa/Nairobi", "Mars"),
        SHORT.replace("Office", "See x.org"), SHORT.replace("*123#", "call me"), SHORT + "days = [0]",
        SHORT + 'languages = ["tlh"]', SHORT + 'texts = "nowhere"', SHORT + "tries = 0",
        SHORT + "hold_days = 0", SHORT + 'untold = "forget"', SHORT + TRIAL + TRIAL,
        SHORT + TRIAL.replace("console", "pigeon"),
        SHORT + TRIAL.replace("trial", "../trial"), SHORT + TRIAL + 'operators = ["a b"]',
        SHORT + TRIAL + TRIAL.replace("trial", "other"), SHORT + TRIAL + 'address = "{number}@x.org"',
        SHORT + TRIAL.replace("console", "email"), SHORT + HTTP + 'secret_file = "nowhere"',
        SHORT + HTTP + 'secret_file = "/dev/null"', SHORT + HTTP + "secret_file = 5",
        SHORT + TRIAL + 'operators = ["a"]\n' + TRIAL.replace("trial", "o") + 'operators = ["a"]',
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_where(tmp_path: Path, text: str) -> None:
    with pytest.raises(CeirError) as refused:
        read_configuration(written(tmp_path, text))
    assert refused.value.hint


def test_a_secret_in_the_file_or_open_to_all_is_refused_and_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(NoticeConfigurationError) as refused:
        read_configuration(written(tmp_path, SHORT + HTTP + 'secret = "hunter2 hunter2 hunter2 hunter2"'))
    assert "hunter2" not in str(refused.value)
    secret(tmp_path, "s").chmod(0o644)
    with pytest.raises(NoticeConfigurationError, match="everybody"):
        read_configuration(written(tmp_path, SHORT + HTTP + 'secret_file = "s"'))
    for hidden in ("", "a\nb", "x" * 5000, "a\x00b"):
        secret(tmp_path, "s", hidden)
        with pytest.raises(NoticeConfigurationError):
            read_configuration(written(tmp_path, SHORT + HTTP + 'secret_file = "s"'))
    with pytest.raises(NoticeConfigurationError):
        read_configuration(tmp_path / "nowhere.toml")


def test_a_changed_file_is_taken_over_and_a_broken_one_changes_nothing(tmp_path: Path) -> None:
    file = written(tmp_path, SHORT + TRIAL)
    try:
        first = kept_open(file)
        assert kept_open(file) is first
        written(tmp_path, SHORT + TRIAL + "broken = 1")
        with pytest.raises(CeirError):
            kept_open(file)
        written(tmp_path, SHORT + TRIAL.replace("trial", "another"))
        assert [route.name for route in kept_open(file).routes] == ["another"]
    finally:
        close_all()
