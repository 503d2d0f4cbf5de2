"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from wainwright.domain.states import JobStatus

STATES = [*JobStatus, "finished"]


def complete_state(incomplete: str) -> list[str]:
    """States for the shell's completion."""
    return [state for state in STATES if state.startswith(incomplete.lower())]


JobId = Annotated[str, typer.Argument(metavar="JOB", help="The job's id.")]
TemplateId = Annotated[str, typer.Argument(metavar="TEMPLATE", help="The template's id.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on standard output.")]
Label = Annotated[str | None, typer.Option(help="A name for the job, for searching.")]
BaseUrl = Annotated[str | None, typer.Option(help="Address of the site under test.")]
JobTimeout = Annotated[int | None, typer.Option(metavar="MS", help="Timeout of the job in milliseconds.")]
Priority = Annotated[int, typer.Option(min=-1_000, max=1_000, help="Place in the waiting line; higher starts first.")]
LowPriority = Annotated[bool, typer.Option("--low-priority", help="Start only when no other job waits.")]
Tries = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, max=10, help="Attempts in all, the first included; only failures run again."),
]
TestRetries = Annotated[
    int | None,
    typer.Option(
        metavar="N", min=0, max=5, help="How often a failed test is run again at once; default: the suite's setting."
    ),
]
Parallelism = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, max=100, help="Lanes that share the tests, each with browsers of its own."),
]
Params = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=VALUE", help="A parameter; a JSON value is parsed. Several may be given."),
]
OutputSchema = Annotated[Path | None, typer.Option(metavar="FILE", help="JSON schema that the job's results must fit.")]
FinalRecord = Annotated[bool, typer.Option("--json", help="Print only the final job record on stdout.")]
Report = Annotated[Path | None, typer.Option(metavar="DIR", help="Download the report into this directory.")]
Junit = Annotated[Path | None, typer.Option(metavar="FILE", help="Write the results as JUnit XML.")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Print the job's id and exit; the job continues.")]
WaitTimeout = Annotated[
    float | None, typer.Option(metavar="SECONDS", min=0, help="Seconds to wait before giving up with exit code 5.")
]
SecretsFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="File of NAME=value lines for a local system; default: WAINWRIGHT_SECRETS_FILE."),
]
