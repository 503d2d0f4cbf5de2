"""``docs/cli.md`` names every command and option that there is, and none that there is not."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer.main

from wainwright.cli.errors import ExitCode
from wainwright.cli.main import app

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()

EVERYWHERE = {"--help"}
"""Documented once, for all commands."""


def commands(command: Any, name: str = "wainwright") -> dict[str, Any]:
    """Every command that can be called, by its full name; and the program itself."""
    children = getattr(command, "commands", {})
    found = {name: command} if not children or command.invoke_without_command else {}
    for child, below in children.items():
        found |= commands(below, f"{name} {child}")
    return found


COMMANDS = commands(typer.main.get_command(app))


def sections() -> dict[str, tuple[str, str]]:
    """Heading line and text of each command's section, by the command's name."""
    found = {}
    for heading, text in re.findall(r"^## `(wainwright[^`]*)`\n(.*?)(?=^## |\Z)", PAGE, flags=re.MULTILINE | re.DOTALL):
        name = re.match(r"wainwright(?: [a-z-]+)*", heading)
        assert name is not None
        found[name.group()] = (heading, text)
    return found


def options(command: Any) -> set[str]:
    """The long names of a command's options."""
    return {name for parameter in command.params for name in parameter.opts if name.startswith("--")}


def test_every_command_has_a_section_and_every_section_a_command() -> None:
    assert sorted(sections()) == sorted(COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_option_is_documented_and_nothing_else(name: str) -> None:
    documented = set(re.findall(r"^\| `(--[a-z-]+)`", sections()[name][1], flags=re.MULTILINE))
    assert documented - EVERYWHERE == options(COMMANDS[name]) - EVERYWHERE


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_argument_is_in_its_heading(name: str) -> None:
    arguments = [parameter for parameter in COMMANDS[name].params if parameter.param_type_name == "argument"]
    heading = sections()[name][0].removeprefix(name).split()
    assert [word.strip("[].") for word in heading] == [argument.metavar for argument in arguments]


def test_every_option_and_command_has_help() -> None:
    for name, command in COMMANDS.items():
        assert command.help, name
        for parameter in command.params:
            assert getattr(parameter, "help", None), f"{name} {parameter.name}"


def test_every_exit_code_is_documented() -> None:
    documented = re.findall(r"^\| (\d+) \|", PAGE, flags=re.MULTILINE)
    assert [int(code) for code in documented] == [code.value for code in ExitCode]


def test_every_variable_is_documented() -> None:
    source = Path(__file__).parents[2] / "layers/core/python/wainwright/cli"
    used = {name for file in source.glob("*.py") for name in re.findall(r'"(WAINWRIGHT_[A-Z_]+)"', file.read_text())}
    assert set(re.findall(r"^\| `(WAINWRIGHT_[A-Z_]+)`", PAGE, flags=re.MULTILINE)) == used
