"""``wainwright secrets …``"""

from pathlib import Path
from typing import Annotated

import typer

from wainwright.cli.commands.arguments import Json

secrets_app = typer.Typer(help="Secrets of the project, which its tests get as variables.", rich_markup_mode=None)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The variable by which tests read it.")]

SecretsFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="NAME=value lines for a local system; else WAINWRIGHT_SECRETS_FILE."),
]


@secrets_app.command("list")
def list_secrets(as_json: Json = False) -> None:
    """Show the names of the secrets, never their values."""
    from wainwright.cli.secrets import show_secrets

    raise typer.Exit(show_secrets(as_json=as_json))


@secrets_app.command("set")
def set_secret(
    name: Name,
    from_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Take the value from this file; else standard input or a prompt."),
    ] = None,
) -> None:
    """Set a secret, new or not; jobs that start from now on get it."""
    from wainwright.cli.secrets import set_secret

    raise typer.Exit(set_secret(name, from_file))


@secrets_app.command("delete")
def delete_secret(name: Name) -> None:
    """Delete a secret."""
    from wainwright.cli.secrets import delete_secret

    raise typer.Exit(delete_secret(name))
