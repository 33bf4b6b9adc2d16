"""Logging in over a real server and a real database, as a browser does it."""

import re
from collections.abc import Iterator

import httpx
import pytest
from logging_in import PASSWORD, totp
from offices import Office, ceir, ready_country

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A register that granian serves, with one administrator."""
    folder = tmp_path_factory.mktemp("country")
    with ready_country("ceir_logins", folder) as settings:
        made = Office(folder / "here", settings)
        try:
            ceir("createadmin", "amina", "--password-stdin", settings=settings, folder=folder / "here",
                 told=PASSWORD + "\n")  # fmt: skip
            yield f"http://127.0.0.1:{made.port}"
        finally:
            made.end()


def sent(browser: httpx.Client, path: str, **typed: str) -> httpx.Response:
    """A form as it stands in a page, filled in."""
    page = browser.get(path).text
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token is not None, page
    return browser.post(path, data={"csrfmiddlewaretoken": token[1], **typed})


def test_an_administrator_logs_in_sets_up_the_second_factor_and_works(address: str) -> None:
    with httpx.Client(base_url=address, timeout=60) as browser:
        assert "wrong" in sent(browser, "/account/login/", login="amina", password="not it at all").text
        answer = sent(browser, "/account/login/", login="amina", password=PASSWORD)
        assert answer.headers["Location"] == "/account/second-factor/set-up/"
        page = browser.get("/account/second-factor/set-up/").text
        key = re.search(r"<code dir=\"ltr\">([A-Z2-7 ]+)</code>", page)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert key is not None
        assert token is not None
        form = {"csrfmiddlewaretoken": token[1], "code": totp(key[1].replace(" ", ""))}
        codes = browser.post("/account/second-factor/set-up/", data=form)
        assert len(re.findall(r"<li>\d{12}</li>", codes.text)) == 10
        assert browser.get("/admin/").status_code == 302, "there is no session yet"
        browser.post("/account/second-factor/set-up/", data={"csrfmiddlewaretoken": token[1], "kept": "yes"})
        assert browser.get("/admin/accounts/account/").status_code == 200
        cookie = next(one for one in browser.cookies.jar if one.name == "ceir-session")
        assert cookie.has_nonstandard_attr("HttpOnly")
        style = browser.get("/static/logins/pages.css")
        assert style.status_code == 200
        assert "Content-Security-Policy" in browser.get("/account/").headers
        sent(browser, "/account/logout/")
        assert browser.get("/admin/").status_code == 302
