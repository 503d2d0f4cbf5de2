"""``wainwright keys``: through the API, or of a stage with AWS credentials, since the first key has no key before it."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from wainwright.cli.connect import connect
from wainwright.cli.failures import ExitCode, PlatformProblem, UsageProblem
from wainwright.cli.terminal import clean, console, note
from wainwright.contracts.http.keys import KeyList, KeyRecord
from wainwright.contracts.scopes import Scope
from wainwright.domain.instants import to_text

if TYPE_CHECKING:
    from wainwright.usecases.manage_keys import ManageKeys

DEFAULT_PROJECT = "default"


def create_key(stage: str | None, project: str | None, scope: Scope, name: str) -> int:
    """Create a key and print its secret, once, alone on standard output.

    Raises:
        InvalidInput: the project's name has the wrong form.
        NotFound, Unavailable: the stage is not deployed, or AWS does not let us.
    """
    _check(stage, project)
    if stage is None:
        with connect(start=False) as system, system.client() as client:
            created = client.create_key(name, scope)
        key_id, of_project, secret = created.key.id, "", created.secret
    else:
        key, secret = _stage(stage).create(project or DEFAULT_PROJECT, scope, name)
        key_id, of_project = key.id, f" of project {project or DEFAULT_PROJECT}"
    note(f"key {key_id}{of_project} may {scope}; it is shown this once:")
    sys.stdout.write(secret + "\n")
    return ExitCode.PASSED


def show_keys(stage: str | None, project: str | None, *, as_json: bool) -> int:
    """Print the keys of a project, without secrets."""
    _check(stage, project)
    if stage is None:
        with connect(start=False) as system, system.client() as client:
            keys = client.list_keys()
    else:
        found = _stage(stage).access.list_keys(project or DEFAULT_PROJECT)
        keys = [
            KeyRecord(id=key.id, name=key.name, scope=key.scope, created_at=key.created_at, revoked=key.revoked)
            for key in found
        ]
    if as_json:
        sys.stdout.write(KeyList(keys=keys).model_dump_json(by_alias=True, indent=2) + "\n")
    else:
        _print_table(keys)
    return ExitCode.PASSED


def revoke_key(key_id: str, stage: str | None, project: str | None) -> int:
    """Make a key useless; running functions notice within 30 s."""
    _check(stage, project)
    if stage is None:
        with connect(start=False) as system, system.client() as client:
            client.revoke_key(key_id)
    else:
        _stage(stage).revoke(project or DEFAULT_PROJECT, key_id)
    sys.stdout.write(f"{key_id} revoked\n")
    return ExitCode.PASSED


def _check(stage: str | None, project: str | None) -> None:
    if stage is None and project is not None:
        raise UsageProblem("--project goes with --stage: through the API a key administers its own project")


def _stage(stage: str) -> "ManageKeys":
    try:
        from wainwright.wiring import administration
    except ModuleNotFoundError as error:
        raise PlatformProblem(
            f"this needs the package {error.name}", advice="Run `pip install 'wainwright[aws]'`."
        ) from error
    return administration.manage_keys_of_stage(stage)


def _print_table(keys: Sequence[KeyRecord]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("Key", "Scope", "Created", "Revoked", "Name"):
        table.add_column(name, no_wrap=name != "Name", overflow="fold")
    for key in keys:
        revoked = "revoked" if key.revoked else ""
        table.add_row(key.id, key.scope, to_text(key.created_at), revoked, Text(clean(key.name)))
    console().print(table)
