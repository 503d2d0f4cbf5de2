"""``wainwright report …``: open a job's report in a browser, or download it."""

import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wainwright.cli.connect import connect
from wainwright.cli.errors import ExitCode, UsageProblem
from wainwright.cli.options import JobId
from wainwright.cli.terminal import count, note
from wainwright.domain.states import AT_REST

if TYPE_CHECKING:
    from wainwright.client import Client

report_app = typer.Typer(help="Open or download the report of a job.", rich_markup_mode=None)

TRACE_PATH = re.compile(r"data/[A-Za-z0-9._-]+")


@report_app.command("open")
def open_report(
    job: JobId,
    trace: Annotated[
        str | None, typer.Option(metavar="PATH", help="Open this trace of the report: its path as printed by `run`.")
    ] = None,
) -> None:
    """Open the report of a job in the browser."""
    import webbrowser

    from wainwright.cli.results import viewer_address
    from wainwright.contracts.report_files import INDEX

    if trace is not None and not TRACE_PATH.fullmatch(trace):
        raise UsageProblem(f"--trace takes the path of a trace in the report, such as data/…-trace.zip, not {trace!r}")
    with connect(looking_back=True) as system:
        _check_ready(system.client, job)
        ticket = system.client.ticket(job)
        address = ticket.report_url
        if trace is not None:
            address = viewer_address(address.removesuffix(INDEX), trace)
        sys.stdout.write(f"{address}\n")
        sys.stdout.flush()
        if not webbrowser.open(address):
            note("No browser could be opened: open the address above yourself.")
        if system.own:
            note("The report is served until you press Ctrl-C.")
            try:
                signal.pause()
            except KeyboardInterrupt:
                note("Stopped.")


@report_app.command("download")
def download_report(
    job: JobId,
    directory: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Target directory; default: report-JOB.")
    ] = None,
    packed: Annotated[
        Path | None, typer.Option("--zip", metavar="FILE", help="Pack the files into this zip instead.")
    ] = None,
) -> int:
    """Download all files of a job's report."""
    from wainwright.cli.downloads import download, download_zip, hint

    if directory is not None and packed is not None:
        raise UsageProblem("a report goes into a directory or into a zip: leave out DIR or --zip")
    target = directory or Path(f"report-{job}")
    with connect(looking_back=True) as system:
        _check_ready(system.client, job)
        found = download_zip(system.client, job, packed) if packed else download(system.client, job, target)
    sys.stdout.write(f"{count(found.files, 'file')} in {packed or target}\n")
    found.print_missing()
    if not packed:
        note(hint(target))
    return ExitCode.PLATFORM if found.missing else ExitCode.PASSED


def _check_ready(client: "Client", job_id: str) -> None:
    job = client.get_job(job_id)
    if not job.report.ready:
        state = "and has no report" if job.status in AT_REST else "and writes it at its end"
        raise UsageProblem(f"there is no report: the job is {job.status} {state}")
