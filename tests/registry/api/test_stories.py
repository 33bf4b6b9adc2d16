"""The examples of the OpenAPI document that tell stories are true: each call is made, and answered so."""

import importlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from calling import bearer, call
from desk import Phones, country
from telling import PLACES, STORIES, Teller, same

from ceir.api.examples import FOLDER
from ceir.registry.actors import Role
from ceir.registry.audit.chain import verify
from ceir.registry.calls import allowing

for _file in sorted(Path(__file__).parent.glob("stories_*.py")):
    importlib.import_module(_file.stem)

WRITING = "CEIR_TELL_EXAMPLES" in os.environ


@pytest.fixture
def teller(tmp_path: Path, settings: Any) -> Iterator[Teller]:
    settings.CEIR_DOCUMENTS = tmp_path / "documents"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # no secret is tried here
    allowing.forget_leases()
    phones = Phones()

    def arrange(other: Any) -> None:
        settings.CEIR_COUNTRY = other

    arrange(country(phones))
    yield Teller(phones, arrange)
    allowing.forget_leases()


def written() -> dict[str, list[dict[str, Any]]]:
    """What stands in the document, by operation."""
    return {
        operation: told
        for file in sorted(FOLDER.glob("*.json"))
        for operation, told in json.loads(file.read_text(encoding="utf-8")).items()
    }


@pytest.mark.parametrize("name", sorted(STORIES))
def test_a_story_goes_as_the_document_tells_it(name: str, teller: Teller) -> None:
    STORIES[name](teller)
    verify()
    if WRITING:
        write(teller)
        return
    known = written()
    wrong = []
    for operation, told in teller.told.items():
        for one in told:
            there = next((other for other in known.get(operation, ()) if other["name"] == one["name"]), None)
            wrong.append(
                "it is not written" if there is None else same(one, there, f"{operation}: {one['name']}")
            )
    assert not [text for text in wrong if text], f"{wrong}: see tests/registry/api/telling.py"


def test_no_two_stories_tell_an_example_of_one_name_and_none_is_left_over() -> None:
    for operation, told in written().items():
        names = [one["name"] for one in told]
        assert len(names) == len(set(names)), operation
        sources = "".join(file.read_text() for file in Path(__file__).parent.glob("stories_*.py"))
        assert f'"{operation}"' in sources, operation


def write(teller: Teller) -> None:
    """Put what was told into the files, where it was told before or after the rest."""
    for operation, told in teller.told.items():
        file = FOLDER / f"{PLACES[operation][1].split('/')[0]}.json"
        there = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        names = {one["name"] for one in told}
        there[operation] = [one for one in there.get(operation, ()) if one["name"] not in names] + told
        text = json.dumps(dict(sorted(there.items())), indent=1, ensure_ascii=False)
        file.write_text(text + "\n", encoding="utf-8")


_OF_ONE = [
    operation
    for operation, (_, path) in PLACES.items()
    if path.count("{") == 1
    and operation in written()
    and "_id}" in path
    # A list of what belongs to something is empty where the caller may see none of it.
    and operation != "list_case_traces"
]


@pytest.mark.usefixtures("teller")
def test_what_is_not_there_is_not_found_whatever_is_asked_of_it() -> None:
    known, answers = written(), {}
    for operation in _OF_ONE:
        one = known[operation][0]
        method, path = PLACES[operation]
        where = path.format(**dict.fromkeys(one["path"], 987654321))
        file = isinstance(one["body"], dict) and "file" in one["body"]
        proven = isinstance(one["body"], dict) and "proof" in one["body"]
        seen = {"If_Match": "*"} if method == "PUT" else {}
        answer = call(
            method, where, bearer(Role(one["by"])), None if file else one["body"], one["query"], **seen
        )
        if file:
            assert answer.status_code in (404, 422), operation
        elif not proven:  # what is proven is looked at first, so that keys cannot be tried out
            answers[operation] = (answer.status_code, answer.json().get("code"))
    assert {name: said for name, said in answers.items() if said[0] != 404} == {}
