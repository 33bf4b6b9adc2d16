"""Logging in over a real server and a real database, as a browser does it."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from logging_in import PASSWORD, totp

CEIR = (sys.executable, "-m", "ceir.cli.main")


def free_port() -> int:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


def ceir(*words: str, folder: Path, typed: str = "") -> None:
    done = subprocess.run(
        [*CEIR, "-w", str(folder), *words],
        input=typed,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A register that granian serves, with one administrator."""
    folder = tmp_path_factory.mktemp("served") / "country"
    ceir("init", folder=folder)
    ceir("migrate", folder=folder)
    ceir("createadmin", "amina", "--password-stdin", folder=folder, typed=PASSWORD + "\n")
    port, health = free_port(), free_port()
    config = folder / "serve.toml"
    config.write_text(
        f"[register]\nport = {port}\n\n[register.administration]\nport = {health}\n", encoding="utf-8"
    )
    environment = {**os.environ}
    process = subprocess.Popen(
        [*CEIR, "-w", str(folder), "serve", "register", "--config", str(config)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    found = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                if httpx.get(f"{found}/account/login/", timeout=10).status_code == 200:
                    break
            except httpx.HTTPError:
                time.sleep(0.25)
        yield found
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


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
