"""Calls of the tests in quarantine."""

from typing import Annotated

from functions.api.backend import Backend
from functions.api.operations import Operation, Query, Router
from wainwright.contracts.http.quarantine import PutQuarantine, QuarantineAnswer, QuarantineList
from wainwright.contracts.scopes import Scope
from wainwright.domain.errors import InvalidInput
from wainwright.usecases.caller import Caller
from wainwright.usecases.manage_quarantine import ManageQuarantine

router = Router()


@router.add(Operation("GET", "/quarantine", Scope.READ))
def list_quarantine(backend: Backend, caller: Caller) -> QuarantineList:
    """Tests in quarantine."""
    return QuarantineList(quarantine=list(ManageQuarantine(backend.quarantine, backend.clock).list(caller)))


@router.add(Operation("PUT", "/quarantine", Scope.RUN, problems=(400, 409)))
def put_quarantine(backend: Backend, caller: Caller, body: PutQuarantine) -> QuarantineAnswer:
    """Put a test into quarantine: until a day it runs, and its failures do not fail jobs."""
    manage = ManageQuarantine(backend.quarantine, backend.clock)
    return QuarantineAnswer(quarantine=manage.put(caller, body.test_id, body.until, body.reason))


@router.add(Operation("DELETE", "/quarantine", Scope.RUN, status=204, problems=(400, 404)))
def delete_quarantine(
    backend: Backend, caller: Caller, test_id: Annotated[str, Query("the exact id of the test")] = ""
) -> None:
    """Take a test out of quarantine."""
    if not test_id:
        raise InvalidInput("testId", "testId is missing", advice="Name the test: ?testId=test_file.py::test_name.")
    ManageQuarantine(backend.quarantine, backend.clock).remove(caller, test_id)
