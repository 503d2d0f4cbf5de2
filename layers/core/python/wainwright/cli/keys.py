"""``wainwright keys …``: through the API, or of a stage with AWS credentials, since the first key has no key before it."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from wainwright.cli.connect import connect
from wainwright.cli.errors import PlatformProblem, UsageProblem
from wainwright.cli.options import Json
from wainwright.cli.terminal import note, print_json, print_table
from wainwright.contracts.scopes import Scope

if TYPE_CHECKING:
    from wainwright.usecases.manage_keys import ManageKeys

DEFAULT_PROJECT = "default"

keys_app = typer.Typer(help="API keys, through the API or of a deployed stage.", rich_markup_mode=None)

Stage = Annotated[
    str | None, typer.Option(help="A deployed stage, dev or prod: use your AWS credentials instead of the API.")
]
Project = Annotated[str | None, typer.Option(help="The project of the stage; else default.")]


@keys_app.command("create")
def create_key(
    name: Annotated[str, typer.Option(help="The key's purpose; stored with its jobs.")],
    scope: Annotated[Scope, typer.Option(help="The scope of the key.")] = Scope.RUN,
    stage: Stage = None,
    project: Project = None,
) -> None:
    """Create an API key; it is printed once."""
    if (keys := _keys_of_stage(stage, project)) is None:
        with connect(start=False) as system:
            created = system.client.create_key(name, scope)
        key_id, of_project, secret = created.key.id, "", created.secret
    else:
        key, secret = keys.create(project or DEFAULT_PROJECT, scope, name)
        key_id, of_project = key.id, f" of project {project or DEFAULT_PROJECT}"
    note(f"key {key_id}{of_project} may {scope}; it is shown this once:")
    sys.stdout.write(secret + "\n")


@keys_app.command("list")
def list_keys(stage: Stage = None, project: Project = None, as_json: Json = False) -> None:
    """Show the API keys, without their secrets."""
    from wainwright.contracts.http.access import KeyList, KeyRecord
    from wainwright.domain.instants import to_text

    if (keys := _keys_of_stage(stage, project)) is None:
        with connect(start=False) as system:
            found = system.client.list_keys()
    else:
        found = [
            KeyRecord(id=key.id, name=key.name, scope=key.scope, created_at=key.created_at, revoked=key.revoked)
            for key in keys.access.list_keys(project or DEFAULT_PROJECT)
        ]
    if as_json:
        print_json(KeyList(keys=found))
        return
    rows = [(key.id, key.scope, to_text(key.created_at), "revoked" if key.revoked else "", key.name) for key in found]
    print_table(("Key", "Scope", "Created", "Revoked", "Name"), rows, wrapped={"Name"})


@keys_app.command("revoke")
def revoke_key(
    key: Annotated[str, typer.Argument(metavar="KEY", help="The key's id.")],
    stage: Stage = None,
    project: Project = None,
) -> None:
    """Make an API key useless, within 30 seconds."""
    if (keys := _keys_of_stage(stage, project)) is None:
        with connect(start=False) as system:
            system.client.revoke_key(key)
    else:
        keys.revoke(project or DEFAULT_PROJECT, key)
    sys.stdout.write(f"{key} revoked\n")


def _keys_of_stage(stage: str | None, project: str | None) -> "ManageKeys | None":
    if stage is None:
        if project is not None:
            raise UsageProblem("--project needs --stage: through the API a key administers its own project")
        return None
    try:
        from wainwright.wiring import administration
    except ModuleNotFoundError as error:
        raise PlatformProblem(
            f"this needs the package {error.name}", advice="Run `pip install 'wainwright[aws]'`."
        ) from error
    return administration.manage_keys_of_stage(stage)
