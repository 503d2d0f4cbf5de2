"""``wainwright analytics``, ``analytics tests`` and ``quarantine …``"""

import sys
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from wainwright.cli.connect import connect
from wainwright.cli.errors import UsageProblem
from wainwright.cli.options import Json
from wainwright.cli.terminal import clean, note, print_json, print_rows, print_table, seconds

if TYPE_CHECKING:
    from wainwright.domain.analytics import Analytics

_SORTS: dict[str, Literal["flakeRate", "failureRate", "duration"]] = {
    "flake-rate": "flakeRate",
    "failure-rate": "failureRate",
    "duration": "duration",
}

analytics_app = typer.Typer(invoke_without_command=True, rich_markup_mode=None)
quarantine_app = typer.Typer(help="Tests whose failures do not fail jobs for some time.", rich_markup_mode=None)

Test = Annotated[str, typer.Argument(metavar="TEST", help="The exact id of the test, as in the results.")]


@analytics_app.callback()
def analytics(
    context: typer.Context,
    template: Annotated[str | None, typer.Option(help="Only jobs of this template.")] = None,
    start: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="From this hour on; default: seven days ago.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Up to this hour; default: now.")] = None,
    job: Annotated[list[str] | None, typer.Option(help="Only this job; several may be given.")] = None,
    as_json: Json = False,
) -> None:
    """Show success rate, durations, errors and flaky tests."""
    if context.invoked_subcommand is not None:
        return
    with connect(looking_back=True) as system:
        answer = system.client.analytics(template_id=template, from_=start, to=end, job_ids=job or None)
    if as_json:
        print_json(answer)
    else:
        print_rows(_analytics_rows(answer))


@analytics_app.command("tests")
def list_tests(
    flaky: Annotated[
        bool | None,
        typer.Option("--flaky/--not-flaky", help="Only tests that were, or were not, flaky.", show_default=False),
    ] = None,
    file: Annotated[str | None, typer.Option(help="Only tests of this file of the suite.")] = None,
    sort: Annotated[
        Literal["flake-rate", "failure-rate", "duration"], typer.Option(help="Sort key; the highest first.")
    ] = "flake-rate",
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="The most tests to show.")] = 50,
    as_json: Json = False,
) -> None:
    """Show how flaky the project's tests are, how often they fail and how long they take."""
    with connect(looking_back=True) as system:
        page = system.client.analyze_tests(flaky=flaky, file=file, sort_by=_SORTS[sort], limit=limit)
    if as_json:
        print_json(page)
        return
    rows = [
        [
            test.id + (" (quarantined)" if test.quarantined else ""), str(test.runs), f"{test.flake_rate:.0%}",
            f"{test.failure_rate:.0%}", "–" if test.expected_duration is None else seconds(test.expected_duration),
            test.last_outcomes,
        ]
        for test in page.tests
    ]  # fmt: skip
    print_table(("Test", "Runs", "Flaky", "Failed", "Takes", "Last"), rows)
    if page.truncated:
        note("The project has more files of tests than are shown: --file shows the tests of one file.")


@quarantine_app.command("list")
def list_quarantine(as_json: Json = False) -> None:
    """Show the tests in quarantine."""
    from wainwright.contracts.http.quarantine import QuarantineList

    with connect(looking_back=True) as system:
        entries = system.client.list_quarantine()
    if as_json:
        print_json(QuarantineList(quarantine=entries))
        return
    now = datetime.now(UTC)
    rows = [
        [entry.test_id, entry.until.isoformat() + ("" if entry.holds(now) else " (over)"), entry.reason, entry.by]
        for entry in entries
    ]
    print_table(("Test", "Until", "Reason", "By"), rows)


@quarantine_app.command("add")
def add_to_quarantine(
    test: Test,
    until: Annotated[str, typer.Option(metavar="DATE", help="The last day, such as 2026-12-01; at most 90 ahead.")],
    reason: Annotated[str, typer.Option(help="The reason, shown in the report.")],
) -> None:
    """Put a test into quarantine: it runs, and its failures do not fail jobs."""
    try:
        last = date.fromisoformat(until)
    except ValueError:
        raise UsageProblem(f"--until {until}: this is not a date", advice="Write --until 2026-12-01.") from None
    with connect() as system:
        entry = system.client.put_quarantine(test, until=last, reason=reason)
    sys.stdout.write(f"{clean(entry.test_id)} {clean(entry.note)}\n")


@quarantine_app.command("remove")
def remove_from_quarantine(test: Test) -> None:
    """Take a test out of quarantine."""
    with connect() as system:
        system.client.delete_quarantine(test)
    sys.stdout.write(f"{clean(test)} is no longer in quarantine\n")


def _analytics_rows(answer: "Analytics") -> dict[str, str]:
    rate = "–" if answer.success_rate is None else f"{answer.success_rate:.1f} %"
    durations = {
        "mean": answer.average_duration, "min": answer.min_duration, "p50": answer.p50_duration,
        "p95": answer.p95_duration, "max": answer.max_duration,
    }  # fmt: skip
    took = ", ".join(f"{name} {seconds(value)}" for name, value in durations.items() if value is not None)
    errors = ", ".join(f"{name} {number}" for name, number in sorted(answer.error_types.items()))
    rows = {
        "jobs": f"{answer.total_jobs}: {answer.completed_jobs} completed, {answer.failed_jobs} failed, "
        f"{answer.canceled_jobs} canceled",
        "success rate": rate,
        "took": took or "–",
        "errors": errors or "none",
    }
    flaky = "\n".join(f"{test.id} ({test.count})" for test in answer.flaky_tests)
    return rows | ({"flaky tests": flaky} if flaky else {})
