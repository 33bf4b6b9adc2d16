"""What pages tell browsers, and how they read: without JavaScript, in any direction, to a screen reader."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.test import Client as Browser
from django.test import override_settings
from logging_in import give_password, logged_in, person
from people import account

from ceir.registry.actors import Role
from ceir.registry.project.configuring import RegistryOptions, django_settings

PAGES = ("login/", "number/", "password/choose/")


class Page(HTMLParser):
    """What stands in a page, as a tree of tags would be read by a program that reads to people."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def read(path: str, browser: Browser | None = None) -> Page:
    answer = (browser or Browser()).get(f"/account/{path}")
    assert answer.status_code == 200
    return Page(answer.content.decode())


def require_readable(page: Page) -> None:
    labelled = {attrs["for"] for attrs in page.of("label")}
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids)), "an id names one thing"
    for field in page.of("input"):
        if field.get("type") != "hidden":
            assert field["id"] in labelled, field
            for named in (field.get("aria-describedby") or "").split():
                assert named in ids, field
    assert len(page.of("h1")) == 1
    assert len(page.of("main")) == 1
    assert page.of("html")[0]["lang"]
    assert page.of("html")[0]["dir"] in ("ltr", "rtl")
    assert page.of("script") == []
    assert not [
        attrs for _, attrs in page.tags if any(name.startswith("on") or name == "style" for name in attrs)
    ]


@pytest.mark.parametrize("path", PAGES)
def test_every_field_has_its_label_and_no_page_needs_a_script(path: str) -> None:
    require_readable(read(path))


@pytest.mark.parametrize("path", PAGES)
def test_errors_are_tied_to_their_fields(path: str) -> None:
    answer = Browser().post(f"/account/{path}", {})
    page = Page(answer.content.decode())
    require_readable(page)
    wrong = [field for field in page.of("input") if field.get("aria-invalid") == "true"]
    assert wrong
    for field in wrong:
        assert f"{field['id']}_error" in str(field["aria-describedby"])
    assert "<title>Error: " in answer.content.decode()


def test_pages_behind_the_log_in_are_readable_too() -> None:
    browser = logged_in(Role.OFFICER)
    for path in ("", "password/", "logout/"):
        require_readable(read(path, browser))
    half = Browser()
    give_password(half, person(Role.REVIEWER).login)
    require_readable(read("second-factor/", half))
    new = Browser()
    give_password(new, person(Role.AUDITOR, factor=False).login)
    require_readable(read("second-factor/set-up/", new))


def test_a_language_that_is_read_from_the_right_turns_the_page_round() -> None:
    with override_settings(LANGUAGES=[("en", "English"), ("ar", "العربية")]):
        answer = Browser(headers={"Accept-Language": "ar"}).get("/account/login/")
        page = Page(answer.content.decode())
    assert (page.of("html")[0]["lang"], page.of("html")[0]["dir"]) == ("ar", "rtl")
    style = (Path(__file__).parents[3] / "src/ceir/registry/logins/static/logins/pages.css").read_text()
    assert not re.search(r"\b(left|right)\b", style), "sides are named by the direction of reading"


def test_colours_stand_out_from_their_ground() -> None:
    """WCAG 2.2, 1.4.3: at least 4.5 to 1."""
    style = (Path(__file__).parents[3] / "src/ceir/registry/logins/static/logins/pages.css").read_text()
    colours = dict(re.findall(r"--(\w+): #([0-9a-f]{6})", style))

    def light(colour: str) -> float:
        parts = (int(colour[place : place + 2], 16) / 255 for place in (0, 2, 4))
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    paper = light(colours["paper"])
    for name in ("ink", "line", "deed", "wrong"):
        assert (paper + 0.05) / (light(colours[name]) + 0.05) >= 4.5, name


def test_every_answer_tells_browsers_what_they_may_do() -> None:
    for path in ("/account/login/", "/admin/", "/api/v1/openapi.json", "/nothing"):
        told = Browser().get(path).headers
        policy = told["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert told["X-Frame-Options"] == "DENY"
        assert told["X-Content-Type-Options"] == "nosniff"
        assert told["Referrer-Policy"] == "same-origin"
        assert told["Cross-Origin-Opener-Policy"] == "same-origin"
    assert logged_in(Role.OFFICER).get("/account/").headers["Cache-Control"].startswith("max-age=0")


def test_over_tls_cookies_are_of_this_host_alone_and_browsers_insist() -> None:
    made = django_settings(
        RegistryOptions("postgresql://a@b/c", "x" * 64, Path("k"), hosts=("register.example",))
    )
    assert made["SESSION_COOKIE_SECURE"]
    assert made["CSRF_COOKIE_SECURE"]
    assert made["SESSION_COOKIE_NAME"].startswith("__Host-")
    assert made["SECURE_HSTS_SECONDS"] >= 31536000
    assert made["SECURE_SSL_REDIRECT"]
    assert made["SECURE_PROXY_SSL_HEADER"] is None, "nobody is believed unless the installer says so"
    near = django_settings(RegistryOptions(Path("x"), "x" * 64, Path("k")))
    assert not near["SESSION_COOKIE_SECURE"]
    assert near["SECURE_HSTS_SECONDS"] == 0


def test_djangos_own_check_for_deployment_finds_nothing(tmp_path: Path) -> None:
    (tmp_path / "deployed.py").write_text(
        "from pathlib import Path\n"
        "from ceir.registry.project.configuring import RegistryOptions, django_settings, new_secret\n"
        "options = RegistryOptions(Path('x.sqlite3'), new_secret(), Path('keys'), "
        "hosts=('register.example',), proxies=1)\n"
        "globals().update(django_settings(options))\n"
    )
    seen = subprocess.run(
        [sys.executable, "-m", "django", "check", "--deploy", "--fail-level", "INFO"],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "deployed",
            "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path]),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert seen.returncode == 0, seen.stderr
    assert "System check identified no issues" in seen.stdout


def test_an_account_that_may_do_nothing_there_sees_no_link_to_the_office() -> None:
    assert "pages of the office" not in logged_in(Role.OPERATOR).get("/account/").content.decode()
    assert "pages of the office" in logged_in(Role.OFFICER).get("/account/").content.decode()
    assert not account(Role.OPERATOR).is_staff
