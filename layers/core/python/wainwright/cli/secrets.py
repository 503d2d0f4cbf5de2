"""``wainwright secrets``: through the API. A value is read from a file, standard input or a prompt, never from an argument,
since arguments are in the shell's history and in the list of processes.
"""

import sys
from pathlib import Path

from wainwright.cli.connect import connect
from wainwright.cli.failures import ExitCode, UsageProblem
from wainwright.cli.terminal import clean, console
from wainwright.contracts.http.secrets import SecretList
from wainwright.domain.errors import InvalidInput
from wainwright.domain.instants import to_text
from wainwright.domain.secrets import MAX_SECRET_BYTES, check_secret_name, check_secret_value


def show_secrets(*, as_json: bool) -> int:
    """Print the names of the project's secrets, and when each was last set."""
    from rich.table import Table

    with connect(looking_back=True) as system, system.client() as client:
        secrets = client.list_secrets()
    if as_json:
        sys.stdout.write(SecretList(secrets=secrets).model_dump_json(by_alias=True, indent=2) + "\n")
        return ExitCode.PASSED
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("Name", "Set"):
        table.add_column(column, overflow="fold")
    for secret in secrets:
        table.add_row(clean(secret.name), to_text(secret.updated_at))
    console().print(table)
    return ExitCode.PASSED


def set_secret(name: str, file: Path | None) -> int:
    """Set a secret to what is in a file, on standard input, or typed at a prompt.

    Raises:
        UsageProblem: name or value cannot be a secret's; the value is not repeated.
    """
    try:
        check_secret_name(name)
        value = check_secret_value(_value(name, file))
    except InvalidInput as error:
        raise UsageProblem(error.message, advice=error.advice) from None
    with connect() as system, system.client() as client:
        client.put_secret(name, value)
    sys.stdout.write(f"{name} set\n")
    return ExitCode.PASSED


def delete_secret(name: str) -> int:
    """Delete a secret."""
    with connect() as system, system.client() as client:
        client.delete_secret(name)
    sys.stdout.write(f"{name} deleted\n")
    return ExitCode.PASSED


def _value(name: str, file: Path | None) -> str:
    if file is None and sys.stdin.isatty():
        import typer

        typed: str = typer.prompt(f"Value of {name}", hide_input=True, err=True)
        return typed
    try:
        if file is None:
            data = sys.stdin.buffer.read(MAX_SECRET_BYTES + 2)
        else:
            with file.open("rb") as stream:
                data = stream.read(MAX_SECRET_BYTES + 2)
        text = data.decode()
    except OSError as error:
        raise UsageProblem(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise UsageProblem("the value is not text in UTF-8", advice="Encode it, as base64 say.") from None
    # The line break that editors and echo put at the end is not meant.
    return text.removesuffix("\n").removesuffix("\r")
