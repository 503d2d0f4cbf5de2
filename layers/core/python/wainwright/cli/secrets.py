"""``wainwright secrets …``: a value is read from a file, standard input or a prompt, never from an argument, since arguments
are in the shell's history and in the list of processes.
"""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from wainwright.cli.connect import connect
from wainwright.cli.errors import UsageProblem
from wainwright.cli.options import Json
from wainwright.cli.terminal import print_json, print_table

secrets_app = typer.Typer(help="Secrets of the project, which its tests get as variables.", rich_markup_mode=None)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The environment variable that tests read.")]


@secrets_app.command("list")
def list_secrets(as_json: Json = False) -> None:
    """Show the names of the secrets, never their values."""
    from wainwright.contracts.http.access import SecretList
    from wainwright.domain.instants import to_text

    with connect(looking_back=True) as system:
        secrets = system.client.list_secrets()
    if as_json:
        print_json(SecretList(secrets=secrets))
    else:
        print_table(("Name", "Set"), [(secret.name, to_text(secret.updated_at)) for secret in secrets])


@secrets_app.command("set")
def set_secret(
    name: Name,
    from_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Read the value from this file; default: standard input or a prompt."),
    ] = None,
) -> None:
    """Set a secret, new or not; jobs that start from now on get it."""
    from wainwright.domain.secrets import check_secret_name, check_secret_value

    check_secret_name(name)
    value = check_secret_value(_value(name, from_file))
    with connect() as system:
        system.client.put_secret(name, value)
    sys.stdout.write(f"{name} set\n")


@secrets_app.command("delete")
def delete_secret(name: Name) -> None:
    """Delete a secret."""
    with connect() as system:
        system.client.delete_secret(name)
    sys.stdout.write(f"{name} deleted\n")


def _value(name: str, file: Path | None) -> str:
    from wainwright.domain.secrets import MAX_SECRET_BYTES

    if file is None and sys.stdin.isatty():
        typed: str = typer.prompt(f"Value of {name}", hide_input=True, err=True)
        return typed
    try:
        with file.open("rb") if file is not None else nullcontext(sys.stdin.buffer) as stream:
            text = stream.read(MAX_SECRET_BYTES + 2).decode()
    except OSError as error:
        raise UsageProblem(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise UsageProblem("the value is not text in UTF-8", advice="Encode it, for example as base64.") from None
    # The line break that editors and echo put at the end is not meant.
    return text.removesuffix("\n").removesuffix("\r")
