"""``wainwright analytics``, ``analytics tests`` and ``quarantine …``"""

from typing import Annotated, Literal

import typer

from wainwright.cli.commands.arguments import Json

analytics_app = typer.Typer(invoke_without_command=True, rich_markup_mode=None)
quarantine_app = typer.Typer(help="Tests whose failures do not fail jobs, for a time.", rich_markup_mode=None)

Test = Annotated[str, typer.Argument(metavar="TEST", help="The exact id of the test, as results name it.")]


@analytics_app.callback()
def analytics(
    context: typer.Context,
    template: Annotated[str | None, typer.Option(help="Only jobs of this template.")] = None,
    start: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="From this hour on; else the last seven days.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Up to this hour; else until now.")] = None,
    job: Annotated[list[str] | None, typer.Option(help="This job alone; several may be given.")] = None,
    as_json: Json = False,
) -> None:
    """Show success rate, durations, errors and flaky tests."""
    if context.invoked_subcommand is not None:
        return
    from wainwright.cli.project import show_analytics

    raise typer.Exit(show_analytics(template=template, start=start, end=end, jobs=job or [], as_json=as_json))


@analytics_app.command("tests")
def list_tests(
    flaky: Annotated[
        bool | None,
        typer.Option("--flaky/--not-flaky", help="Only tests that were, or were not, flaky.", show_default=False),
    ] = None,
    file: Annotated[str | None, typer.Option(help="Only tests of this file of the suite.")] = None,
    sort: Annotated[
        Literal["flake-rate", "failure-rate", "duration"], typer.Option(help="By what; the highest first.")
    ] = "flake-rate",
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="The most tests to show.")] = 50,
    as_json: Json = False,
) -> None:
    """Show how flaky the project's tests are, how often they fail and how long they take."""
    from wainwright.cli.tests import show_tests

    raise typer.Exit(show_tests(flaky=flaky, file=file, sort=sort, limit=limit, as_json=as_json))


@quarantine_app.command("list")
def list_quarantine(as_json: Json = False) -> None:
    """Show the tests in quarantine."""
    from wainwright.cli.tests import show_quarantine

    raise typer.Exit(show_quarantine(as_json=as_json))


@quarantine_app.command("add")
def add(
    test: Test,
    until: Annotated[str, typer.Option(metavar="DATE", help="The last day, such as 2026-12-01; at most 90 ahead.")],
    reason: Annotated[str, typer.Option(help="Why, for whoever reads the report.")],
) -> None:
    """Put a test into quarantine: it runs, and its failures do not fail jobs."""
    from wainwright.cli.tests import add_to_quarantine

    raise typer.Exit(add_to_quarantine(test, until, reason))


@quarantine_app.command("remove")
def remove(test: Test) -> None:
    """Take a test out of quarantine."""
    from wainwright.cli.tests import remove_from_quarantine

    raise typer.Exit(remove_from_quarantine(test))
