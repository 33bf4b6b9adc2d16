"""What prose demands of the code, and what the code demands of prose."""

import ast
import re
import shlex
import subprocess
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import typer

from ceir.cli.declaration import all_commands
from ceir.cli.main import whole
from ceir.errors import CeirError
from ceir.facts import Context, Fact, all_facts
from ceir.lists import all_lists
from ceir.policy import Policy
from ceir.reference.errors import all_errors
from ceir.rules import Rule, all_rules
from ceir.settings import all_settings
from ceir.sources import all_sources
from ceir.tables import Table, all_tables
from ceir.workings import all_workings

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"
RULES, FACTS, SOURCES, LISTS = all_rules(), all_facts(), all_sources(), all_lists()
WORKINGS = all_workings()
ERRORS = all_errors()
COMMANDS = {command.name: command for command in all_commands()}
GROUP: Any = typer.main.get_command(whole())


def committed_files() -> list[Path]:
    """Files that are or would be committed; without git, all that do not look made."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split("\0")
        found = [ROOT / name for name in listed if name]
    except (OSError, subprocess.CalledProcessError):
        found = [
            file
            for top in ("src", "tests", "docs", "policies", "benchmarks", "tools")
            for file in (ROOT / top).rglob("*")
            if "__pycache__" not in file.parts
        ]
    return [file for file in found if file.is_file()]


FILES = committed_files()
PAGES = [file for file in FILES if file.suffix == ".md"]
MODULES = [file for file in FILES if file.suffix == ".py"]


def relative(file: Path) -> str:
    return str(file.relative_to(ROOT))


def on_page(page: str, name: str) -> bool:
    return f"`{name}`" in (REFERENCE / f"{page}.md").read_text(encoding="utf-8")


# --- declarations say what they mean, and the reference says it too


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_says_what_it_means_and_where_it_comes_from(rule: Rule) -> None:
    assert rule.title
    assert rule.doc.endswith(".")
    assert rule.reason.endswith(".")
    assert rule.source
    assert all(parameter.doc.endswith(".") for parameter in rule.parameters)
    assert on_page("rules", rule.name)
    assert all(on_page("rules", parameter.name) for parameter in rule.parameters)


@pytest.mark.parametrize("fact", FACTS.values(), ids=FACTS)
def test_a_fact_says_what_it_means(fact: Fact) -> None:
    assert fact.title
    assert fact.doc.endswith(".")
    assert (fact.expression is None) is not (fact.query is None)
    assert on_page("facts", fact.name)


@pytest.mark.parametrize("name", WORKINGS)
def test_a_working_says_what_it_means_column_by_column(name: str) -> None:
    working = WORKINGS[name]
    assert working.title
    assert working.doc.endswith(".")
    assert working.grain
    assert all(column.doc.endswith(".") for column in working.columns)
    assert on_page("workings", working.columns[-1].name)
    assert {*working.reads, *working.may_read} <= set(SOURCES)
    assert set(working.workings) <= set(WORKINGS)
    assert any(name in read.workings for read in (*FACTS.values(), *WORKINGS.values())), "nobody reads it"


def test_a_parameter_has_the_same_default_wherever_it_is_named() -> None:
    """Else a rule that does not name it would mean another relation, computed beside the first."""
    defaults: dict[str, object] = {}
    for declared in (*FACTS.values(), *WORKINGS.values()):
        assert set(declared.defaults) <= set(declared.parameters), declared.name
        for name, value in declared.defaults.items():
            assert defaults.setdefault(name, value) == value, name
    for rule in RULES.values():
        for parameter in rule.parameters:
            if parameter.name in defaults:
                assert parameter.default == defaults[parameter.name], f"{rule.name}: {parameter.name}"


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_says_what_it_means_column_by_column(name: str) -> None:
    source = SOURCES[name]
    assert source.title
    assert source.doc.endswith(".")
    assert all(field.doc.endswith(".") and field.kind.expects for field in source.fields)
    assert all(check.why and check.unit for check in source.checks)
    assert on_page("sources", name)
    assert all(on_page("sources", header) for field in source.fields for header in field.headers)
    assert all(on_page("sources", check.name) for check in source.checks)


@pytest.mark.parametrize("name", LISTS)
def test_a_list_says_what_it_means_column_by_column(name: str) -> None:
    entry = LISTS[name]
    assert entry.title
    assert entry.doc.endswith(".")
    assert entry.source
    assert entry.receivers
    assert all(column.doc.endswith(".") for column in entry.columns)
    assert on_page("lists", name)
    assert all(on_page("lists", column.name) for column in entry.columns)


@pytest.mark.parametrize("name", all_tables())
def test_a_table_says_what_it_means_column_by_column(name: str) -> None:
    table = all_tables()[name]
    assert table.doc.endswith(".")
    assert table.grain
    assert all(column.doc.endswith(".") for column in table.columns)
    assert set(table.key) <= set(table.names)
    assert all(on_page("tables", column.name) for column in table.columns)


@pytest.mark.parametrize("setting", tuple(all_settings()), ids=lambda setting: str(setting.name))
def test_a_setting_says_what_it_does_and_what_to_do_after_changing_it(setting: Any) -> None:
    assert setting.doc.endswith(".")
    assert setting.after_change
    assert on_page("settings", setting.variable)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: str(error.code))
def test_an_error_has_a_code_of_its_own_and_says_what_it_means(error: type[CeirError]) -> None:
    assert "code" in vars(error), "a code that is inherited is another error's"
    assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", error.code)
    assert (error.__doc__ or "").strip()
    assert error.exit_code in (1, 2, 3)
    assert on_page("errors", error.code)


def test_no_two_errors_have_the_same_code() -> None:
    codes = [error.code for error in ERRORS]
    assert len(codes) >= 24
    assert sorted(codes) == sorted(set(codes))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_what_it_does_with_an_example(name: str) -> None:
    command = COMMANDS[name]
    assert command.purpose.endswith((".", "..."))
    assert command.explanation.rstrip().endswith(".")
    assert command.examples
    assert on_page("commands", name)
    for parameter in GROUP.commands[name].params:
        assert parameter.help, f"{name}: {parameter.name} has no help"


def test_every_key_of_a_policy_is_on_its_page() -> None:
    schema = Policy.model_json_schema()
    keys = set(schema["properties"])
    for name, model in schema["$defs"].items():
        if name != "RuleUse":
            keys |= set(model["properties"])
    page = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
    assert keys
    assert {key for key in keys if not re.search(rf"\b{key}\b", page)} == set()
    assert {key for key in keys if not on_page("policy", key)} == set()


def test_the_page_of_formats_names_every_source_list_column_and_check() -> None:
    page = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    wanted = {*SOURCES, *LISTS}
    wanted |= {header for s in SOURCES.values() for f in s.fields for header in f.headers}
    wanted |= {check.name for s in SOURCES.values() for check in s.checks}
    wanted |= {column.name for entry in LISTS.values() for column in entry.columns}
    assert {name for name in wanted if f"`{name}`" not in page} == set()


def test_a_rule_whose_match_depends_on_the_day_alone_says_whom_the_days_change() -> None:
    """Else a changed run would not look again at equipment that matches for no other reason than time."""

    def moves(fact: Fact) -> bool:
        days = [Context(end=end, exempt_device_types=("x",), allocation_delays={35: 20}) for end in (1, 2)]
        if fact.rows != "none" or fact.workings:
            return False  # what is in a window is known to change
        return fact.sql(days[0]) != fact.sql(days[1])

    moving = {name for name, fact in FACTS.items() if moves(fact)}
    assert moving, "there is at least one such fact, or this test looks at nothing"
    for rule in RULES.values():
        depends = re.search(r"\bday_after\b", rule.matches) or moving & set(rule.needs)
        assert bool(depends) == (rule.drifts is not None), rule.name


# --- personal data


def personal_tables() -> Iterator[Table]:
    everything = chain(all_tables().values(), (source.table for source in SOURCES.values()))
    return (table for table in everything if any(column.personal for column in table.columns))


def test_a_table_with_personal_columns_is_not_kept_for_ever() -> None:
    found = list(personal_tables())
    assert len(found) >= 6
    assert [table.name for table in found if table.retention == "permanent"] == []


def test_a_list_with_personal_columns_is_not_kept_for_ever() -> None:
    kept = [e.name for e in LISTS.values() if any(c.personal for c in e.columns)]
    assert kept
    assert [name for name in kept if LISTS[name].retention == "permanent"] == []


def test_columns_that_name_a_subscriber_are_marked_as_personal() -> None:
    tables = chain(all_tables().values(), (source.table for source in SOURCES.values()))
    columns = [(t.name, c) for t in tables for c in t.columns]
    columns += [(e.name, c) for e in LISTS.values() for c in e.columns]  # type: ignore[misc]
    named = [(t, c) for t, c in columns if re.search(r"imsi|msisdn|uid|subscriber", c.name)]
    assert len(named) >= 15
    assert [f"{table}.{column.name}" for table, column in named if not column.personal] == []


# --- modules


def test_no_module_is_longer_than_600_lines() -> None:
    assert len(MODULES) > 150
    lengths = {relative(file): len(file.read_text(encoding="utf-8").splitlines()) for file in MODULES}
    assert {name: n for name, n in lengths.items() if n > 600} == {}


def test_no_module_has_a_name_that_says_nothing() -> None:
    empty = {"util", "utils", "helper", "helpers", "manager", "managers", "common", "misc"}
    assert [relative(file) for file in MODULES if file.stem.strip("_") in empty] == []


def test_every_folder_of_the_package_is_a_package() -> None:
    """A folder without `__init__.py` is invisible to the import contracts."""
    folders = {file.parent for file in MODULES if file.is_relative_to(ROOT / "src" / "ceir")}
    assert [relative(folder) for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []


def test_a_name_of_a_test_is_a_sentence() -> None:
    tests = [
        node.name
        for file in MODULES
        if file.name.startswith("test_") and file.is_relative_to(ROOT / "tests")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    assert len(tests) > 100
    assert [name for name in tests if name.count("_") < 3] == []


# --- files that leave this machine

# In pieces, so that this file does not name them itself.
REGISTRIES = (
    ("py", "pi.org"),
    ("python", "hosted.org"),
    ("npm", "js.org"),
    ("npm", "js.com"),
    ("registry.", "yarnpkg"),
    ("crates", ".io"),
    ("proxy.", "golang.org"),
    ("maven", ".org"),
    ("repo.maven", ".apache"),
    ("ruby", "gems.org"),
    ("conda.", "anaconda"),
    ("docker", ".io"),
    ("gh", "cr.io"),
)
MACHINE_PATH = re.compile(r"(?<![\w.:/-])/(?:" + "|".join(("work", "root", "home", "Users")) + r")/\w")


def texts() -> Iterator[tuple[str, str]]:
    for file in FILES:
        try:
            yield relative(file), file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def test_no_file_names_where_packages_come_from() -> None:
    hosts = ["".join(pieces) for pieces in REGISTRIES]
    assert [(name, host) for name, text in texts() for host in hosts if host in text] == []


def test_no_file_names_a_path_of_one_machine() -> None:
    assert [(name, found[0]) for name, text in texts() if (found := MACHINE_PATH.search(text))] == []


# --- pages


def anchors(page: Path) -> set[str]:
    text = page.read_text(encoding="utf-8")
    titles = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}
    return slugs | set(re.findall(r'<a id="([^"]+)"', text))


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), f"{relative(page)} links to {target}"
        if anchor and file.suffix == ".md":
            assert anchor in anchors(file), f"{relative(page)} links to {target}"


def typed_lines() -> Iterator[tuple[str, list[str]]]:
    """Every `ceir ...` that a page tells people to type."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for line in re.findall(
            r"`(?:uv run )?(ceir [^`\n]+)`|^ *(?:\$ )?(?:uv run )?(ceir .+)$", text, re.MULTILINE
        ):
            bare = (line[0] or line[1]).split("  #")[0].replace("…", "")
            try:
                words = shlex.split(bare)
            except ValueError:
                continue
            yield relative(page), words[1:]


FIRST_WORDS: dict[str, set[str]] = {
    **{name: {"show"} for name in ("rules", "facts", "sources", "lists", "policies")},
    "ingest": {*SOURCES, "undo", "SOURCE", "NAME"},
    "export": {"verdicts"},
}


def test_what_pages_tell_to_type_exists() -> None:
    options = {name: {o for p in GROUP.commands[name].params for o in p.opts} for name in COMMANDS}
    shared = {o for p in GROUP.params for o in (*p.opts, *p.secondary_opts)}
    seen = 0
    for page, words in typed_lines():
        rest = [w for w in words if not w.startswith("-")]
        command = next((w for w in rest if w in COMMANDS), None)
        if command is None:
            assert rest[:1] in ([], ["COMMAND"]), f"{page}: ceir {' '.join(words)}"
            continue
        known = options[command] | shared | {"--help"}
        given = [w.split("=")[0] for w in words if w.startswith("--")]
        assert [o for o in given if o not in known] == [], f"{page}: ceir {' '.join(words)}"
        after = rest[rest.index(command) + 1 :][:1]
        assert after == [] or after[0] in FIRST_WORDS.get(command, after), f"{page}: ceir {' '.join(words)}"
        seen += 1
    assert seen >= 30


def test_pages_that_messages_point_to_exist() -> None:
    named = {
        match
        for file in MODULES
        if file.is_relative_to(ROOT / "src")
        for match in re.findall(r"\bdocs/[\w./-]+\.md", file.read_text(encoding="utf-8"))
    }
    assert named
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_what_the_readme_counts_is_so_many() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"| {len(SOURCES)} kinds of files, {len(RULES)} rules, {len(LISTS)} lists |" in readme
    assert f"| rules | {len(RULES)}, each" in readme


def test_the_two_commands_of_the_readme_are_what_newcomers_and_ci_run() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    fenced = {
        line for block in re.findall(r"```\w*\n(.*?)```", readme, re.DOTALL) for line in block.splitlines()
    }
    assert {"pip install uv && uv run ceir demo", "uv run just check"} <= fenced
    assert "demo" in COMMANDS
    assert re.search(r"^check:", (ROOT / "justfile").read_text(encoding="utf-8"), re.MULTILINE)
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "uv run just check" in [line.strip() for line in ci.splitlines()]
