"""Calls of the tests in quarantine."""

from typing import Annotated

from functions.api.context import Api
from functions.api.operations import Query, Router
from wainwright.contracts.http.quarantine import PutQuarantine, QuarantineAnswer, QuarantineList
from wainwright.contracts.scopes import Scope
from wainwright.domain.errors import InvalidInput
from wainwright.usecases.caller import Caller
from wainwright.usecases.manage_quarantine import ManageQuarantine

route = Router()


@route("GET /quarantine", Scope.READ)
def list_quarantine(api: Api, caller: Caller) -> QuarantineList:
    """Tests in quarantine."""
    return QuarantineList(quarantine=list(ManageQuarantine(api.quarantine, api.clock).list(caller)))


@route("PUT /quarantine", Scope.RUN, problems=(400, 409))
def put_quarantine(api: Api, caller: Caller, body: PutQuarantine) -> QuarantineAnswer:
    """Put a test into quarantine: until a day it runs, and its failures do not fail jobs."""
    manage = ManageQuarantine(api.quarantine, api.clock)
    return QuarantineAnswer(quarantine=manage.put(caller, body.test_id, body.until, body.reason))


@route("DELETE /quarantine", Scope.RUN, status=204, problems=(400, 404))
def delete_quarantine(
    api: Api, caller: Caller, test_id: Annotated[str, Query("the exact id of the test")] = ""
) -> None:
    """Take a test out of quarantine."""
    if not test_id:
        raise InvalidInput("testId", "testId is missing", advice="Name the test: ?testId=test_file.py::test_name.")
    ManageQuarantine(api.quarantine, api.clock).remove(caller, test_id)
