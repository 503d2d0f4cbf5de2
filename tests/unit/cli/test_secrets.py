"""``wainwright secrets``, and files of secrets."""

import io
import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.unit.cli.conftest import Run
from tests.unit.client.fake_project import FakeProject
from wainwright.cli import up
from wainwright.cli.errors import UsageProblem
from wainwright.cli.main import app
from wainwright.cli.secrets_file import read_secrets, secrets_file


def secret_file(tmp_path: Path, text: str, mode: int = 0o600) -> Path:
    path = tmp_path / "secrets.env"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_sets_a_secret_from_standard_input_without_the_last_line_break(project: FakeProject) -> None:
    result = CliRunner().invoke(app, ["secrets", "set", "TOKEN"], input=" planted value \n")

    assert (result.exit_code, result.stdout) == (0, "TOKEN set\n")
    assert project.secrets == {"TOKEN": " planted value "}


def test_sets_a_secret_from_a_file(project: FakeProject, wainwright: Run, tmp_path: Path) -> None:
    file = secret_file(tmp_path, "line one\nline two\r\n")

    assert wainwright("secrets", "set", "KEY", "--from-file", file).exit_code == 0
    assert project.secrets == {"KEY": "line one\nline two"}


def test_asks_for_a_secret_at_a_terminal_without_showing_it(
    project: FakeProject, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    hidden: list[bool] = []

    def prompt(text: str, *, hide_input: bool, err: bool) -> str:
        hidden.append(hide_input and err)
        return "typed-value"

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("typer.prompt", prompt)
    from wainwright.cli.secrets import set_secret

    set_secret("TOKEN", None)
    assert (hidden, project.secrets) == ([True], {"TOKEN": "typed-value"})
    assert "typed-value" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [("PATH", "planted-value", "reserved"), ("A-B", "planted-value", "A-Z"), ("TOKEN", "zqx", "at least 4"),
     ("TOKEN", "planted" * 600, "4096"), ("TOKEN", b"planted\xff\xfe", "UTF-8")],
)  # fmt: skip
def test_what_cannot_be_a_secret_is_a_usage_error_that_does_not_repeat_it(
    project: FakeProject, name: str, value: str | bytes, says: str
) -> None:
    result = CliRunner().invoke(app, ["secrets", "set", name], input=value)

    assert result.exit_code == 2
    assert says in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert "planted" not in result.stderr
    assert "zqx" not in result.stderr
    assert project.secrets == {}


def test_lists_names_and_deletes(project: FakeProject, wainwright: Run) -> None:
    project.secrets = {"TOKEN": "planted-value", "KEY": "planted-key"}

    listed, as_json = wainwright("secrets", "list"), wainwright("secrets", "list", "--json")
    deleted = wainwright("secrets", "delete", "TOKEN")

    assert "TOKEN" in listed.stdout
    assert [secret["name"] for secret in json.loads(as_json.stdout)["secrets"]] == ["TOKEN", "KEY"]
    assert "planted" not in listed.stdout + as_json.stdout
    assert (deleted.stdout, project.secrets) == ("TOKEN deleted\n", {"KEY": "planted-key"})


def test_reads_a_file_as_many_tools_do(tmp_path: Path) -> None:
    file = secret_file(
        tmp_path,
        "# all of the shop's\n\nPLAIN=a value # of ours\nexport TOKEN = abc#def=\nSINGLE='it is \\n $as # is'\n"
        'DOUBLE="two\\nlines \\"quoted\\" \\\\ \\t." # more\nKEY="-----BEGIN-----\nabcd\n-----END-----\n"\n'
        "LAST=no line break",
    )

    assert read_secrets(file) == {
        "PLAIN": "a value", "TOKEN": "abc#def=", "SINGLE": "it is \\n $as # is",
        "DOUBLE": 'two\nlines "quoted" \\ \t.', "KEY": "-----BEGIN-----\nabcd\n-----END-----\n", "LAST": "no line break",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "says"),
    [("A=planted\nplanted-only\n", ":2: this is not NAME=value"), ('A="planted\nvalue\n', ":1: text follows the closing quote"),
     ("A='planted' value\n", ":1: text follows the closing quote"), ("B=long enough\n\nPATH=planted\n", ":3: PATH is reserved"),
     ("A=zqx\n", ":1: a secret has at least 4")],
)  # fmt: skip
def test_a_line_that_is_wrong_is_named_by_its_number_and_not_repeated(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(UsageProblem) as raised:
        read_secrets(secret_file(tmp_path, text))

    assert says in raised.value.message
    assert "planted" not in raised.value.message + raised.value.advice
    assert "zqx" not in raised.value.message


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_file_that_others_may_read_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    file = secret_file(tmp_path, "A=planted\n", mode)

    with pytest.raises(UsageProblem, match="others may read") as raised:
        read_secrets(file)
    assert raised.value.advice == f"Run `chmod 600 {file}`."


def test_a_file_that_is_not_there_is_a_usage_error_before_anything_starts(wainwright: Run, tmp_path: Path) -> None:
    result = wainwright("up", "--secrets", tmp_path / "none", "--data-dir", tmp_path / "data")

    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: {tmp_path / 'none'} cannot be read")
    assert not (tmp_path / "data").exists()


def test_the_variable_names_the_file_unless_the_option_does(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert secrets_file(None) is None
    monkeypatch.setenv("WAINWRIGHT_SECRETS_FILE", str(tmp_path / "a"))
    assert secrets_file(None) == tmp_path / "a"
    assert secrets_file(tmp_path / "b") == tmp_path / "b"


def test_a_file_does_not_go_with_a_system_that_runs_already(project: FakeProject, wainwright: Run, suite: Path) -> None:
    result = wainwright("run", suite, "--secrets", suite / "none")

    assert result.exit_code == 2
    assert "wainwright secrets set" in result.stderr


def test_a_file_is_passed_on_to_the_system_that_is_started_for_a_run(
    monkeypatch: pytest.MonkeyPatch, wainwright: Run, suite: Path, tmp_path: Path
) -> None:
    passed: list[list[str]] = []

    class Child:
        def __init__(self, command: list[str], **_: object) -> None:
            passed.append(command)
            raise UsageProblem("far enough")

    monkeypatch.setattr("wainwright.cli.ephemeral.subprocess.Popen", Child)
    wainwright("run", suite, "--secrets", tmp_path / "mine")

    assert passed[0][-2:] == ["--secrets", str(tmp_path / "mine")]


def test_nothing_is_set_where_there_is_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wainwright.settings.StoreSettings.read", lambda _: pytest.fail("nothing was to be set"))
    up.set_local_secrets({})


@pytest.mark.parametrize("ignored", [False, True])
def test_a_file_among_the_tests_is_refused_unless_it_is_not_packed(
    project: FakeProject, wainwright: Run, suite: Path, monkeypatch: pytest.MonkeyPatch, ignored: bool
) -> None:
    file = secret_file(suite, "TOKEN=planted-value\n")
    (suite / ".gitignore").write_text(f"{file.name}\n" if ignored else "")
    monkeypatch.setenv("WAINWRIGHT_SECRETS_FILE", str(file))

    result = wainwright("run", suite, "--no-wait")

    assert (result.exit_code, "would be packed" in result.stderr) == ((0, False) if ignored else (2, True))
