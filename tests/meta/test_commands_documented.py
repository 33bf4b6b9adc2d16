import shlex

import pytest
import typer

from ceir.cli.declaration import Command, Panel, all_commands
from ceir.cli.main import whole

GROUP = typer.main.get_command(whole())
COMMANDS = all_commands()
FEWEST = 18


def made(name: str) -> typer.core.TyperCommand:
    return GROUP.commands[name]  # type: ignore[attr-defined, no-any-return]


def test_every_module_of_the_command_line_became_a_command() -> None:
    assert len(COMMANDS) >= FEWEST
    assert set(GROUP.commands) == {command.name for command in COMMANDS}  # type: ignore[attr-defined]
    assert {command.panel for command in COMMANDS} == set(Panel)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.name)
def test_every_command_says_in_one_line_what_it_is_for(command: Command) -> None:
    assert command.purpose.endswith((".", "..."))
    assert "\n" not in command.purpose
    assert len(command.purpose) <= 66, "it would not fit into the list of commands"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.name)
def test_every_command_explains_itself_and_its_exit_codes(command: Command) -> None:
    page = made(command.name)
    assert page.help
    assert command.explanation.endswith(".")
    assert "Exit codes" in (page.epilog or "")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.name)
def test_every_option_and_argument_has_help(command: Command) -> None:
    for parameter in made(command.name).params:
        text = getattr(parameter, "help", None)
        assert text, f"{command.name} {parameter.name}"
    for parameter in GROUP.params:
        assert getattr(parameter, "help", None), parameter.name


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.name)
def test_every_command_has_an_example_that_can_be_typed(command: Command) -> None:
    assert command.examples
    assert "Example" in (made(command.name).help or "")
    for example in command.examples:
        assert example.because
        program, name, *rest = shlex.split(example.line)
        assert (program, name) == ("ceir", command.name)
        context = made(name).make_context(name, rest)
        assert context.params


def test_every_command_writes_json_where_a_script_would_want_it() -> None:
    for command in COMMANDS:
        names = {parameter.name for parameter in made(command.name).params}
        assert ("as_json" in names) == command.json
        assert command.json, f"{command.name} has no --json; say here why"
