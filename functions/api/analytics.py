"""Calls of analytics: figures of jobs, and of tests over the jobs of a project."""

from datetime import datetime
from typing import Annotated, get_args

from functions.api.context import Api
from functions.api.operations import Query, Router
from functions.api.parameters import DEFAULT_PAGE, Cursor, Limit, matching, read_flag, read_instant, time_range
from wainwright.adapters.cursors import read_cursor, write_cursor
from wainwright.contracts.names import is_template_id
from wainwright.contracts.scopes import Scope
from wainwright.domain.analytics import Analytics, TestAnalytics
from wainwright.domain.errors import InvalidInput
from wainwright.usecases.analyze_jobs import AnalyzeJobs
from wainwright.usecases.analyze_tests import AnalyzeTests, SortBy, TestQuery
from wainwright.usecases.caller import Caller

route = Router()


def _read_ids(_name: str, text: str) -> list[str]:
    return [each.strip() for each in text.split(",")]


def _read_sort(name: str, text: str) -> SortBy:
    for known in get_args(SortBy):
        if text == known:
            order: SortBy = known
            return order
    names = ", ".join(get_args(SortBy))
    raise InvalidInput(name, f"{name}: {text[:40]!r} is not a sort key", advice=f"Known are {names}.")


@route("GET /analytics", Scope.READ, id="analytics", problems=(400,))
def analyze_jobs(
    api: Api,
    caller: Caller,
    template_id: Annotated[
        str | None, Query("only jobs of this template", matching(is_template_id, "is not a template id"))
    ] = None,
    from_: Annotated[
        datetime | None,
        Query("RFC 3339 or epoch milliseconds, cut to the hour; seven days ago if not given", read_instant),
    ] = None,
    to: Annotated[
        datetime | None, Query("RFC 3339 or epoch milliseconds, cut to the hour; now if not given", read_instant)
    ] = None,
    job_ids: Annotated[list[str] | None, Query("only these jobs, at most 100, separated by commas", _read_ids)] = None,
) -> Analytics:
    """Success rate, durations, errors, flaky tests."""
    analyze = AnalyzeJobs(api.jobs, api.clock)
    if job_ids is None:
        return analyze.by_time(caller, template_id, time_range(("from", "to"), from_, to))
    if any(each is not None for each in (template_id, from_, to)):
        raise InvalidInput("jobIds", "jobIds cannot be combined with other parameters", advice="Leave out the others.")
    return analyze.by_ids(caller, job_ids)


@route("GET /analytics/tests", Scope.READ, problems=(400,))
def analyze_tests(
    api: Api,
    caller: Caller,
    flaky: Annotated[bool | None, Query("only tests that were, or were not, flaky", read_flag, "boolean")] = None,
    file: Annotated[str | None, Query("only tests of this file")] = None,
    sort_by: Annotated[
        SortBy, Query("flakeRate, failureRate or duration; flakeRate if not given", _read_sort)
    ] = "flakeRate",
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> TestAnalytics:
    """Tests by how flaky they are, how often they fail, or how long they take."""
    scope = ["tests", caller.project, flaky, file, sort_by]
    start = read_cursor(cursor, scope) or "0"
    if not start.isdigit():
        raise InvalidInput("cursor", "this is not a cursor")
    analyze = AnalyzeTests(api.test_history, api.quarantine, api.clock)
    page = analyze(caller, TestQuery(flaky, file, sort_by, int(start), limit))
    more = None if page.following is None else write_cursor(scope, str(page.following))
    return TestAnalytics(tests=page.tests, cursor=more, truncated=page.truncated)
