"""Calls of templates."""

from typing import Annotated, Any

from functions.api.backend import Backend
from functions.api.jobs import created, invoking
from functions.api.operations import Operation, Query, Router
from functions.api.parameters import DEFAULT_PAGE, Cursor, IdempotencyKey, Limit, whole_number
from wainwright.contracts.http.jobs import JobCreated
from wainwright.contracts.http.templates import TemplateAnswer, TemplateList, TemplateRecord, WriteTemplate
from wainwright.contracts.scopes import Scope
from wainwright.usecases.caller import Caller
from wainwright.usecases.manage_templates import ManageTemplates, TemplateView

MAX_VERSION = 999_999_999
LOCATION = "/v1/templates/{0.template.id}"

router = Router()


def _templates(backend: Backend) -> ManageTemplates:
    return ManageTemplates(backend.templates, backend.artifacts, backend.clock)


def _record(view: TemplateView) -> TemplateRecord:
    return TemplateRecord(**view.template.model_dump(exclude={"project"}), last_run_at=view.last_run_at)


@router.add(Operation("POST", "/templates", Scope.RUN, status=201, location=LOCATION, problems=(400, 413)))
def create_template(backend: Backend, caller: Caller, body: WriteTemplate) -> TemplateAnswer:
    """Store what to run, by a name, with declared parameters."""
    return TemplateAnswer(template=_record(_templates(backend).create(caller, body)))


@router.add(Operation("GET", "/templates", Scope.READ, problems=(400,)))
def list_templates(
    backend: Backend, caller: Caller, limit: Limit = DEFAULT_PAGE, cursor: Cursor = None
) -> TemplateList:
    """Templates of the project."""
    found, more = _templates(backend).list(caller, limit=limit, cursor=cursor)
    return TemplateList(templates=[_record(view) for view in found], cursor=more)


@router.add(Operation("GET", "/templates/{templateId}", Scope.READ, problems=(400, 404)))
def get_template(
    backend: Backend,
    caller: Caller,
    template_id: str,
    version: Annotated[
        int | None, Query("a version other than the newest", whole_number(1, MAX_VERSION), "integer")
    ] = None,
) -> TemplateAnswer:
    """One template."""
    return TemplateAnswer(template=_record(_templates(backend).get(caller, template_id, version)))


@router.add(Operation("PUT", "/templates/{templateId}", Scope.RUN, problems=(400, 404, 409, 413)))
def update_template(backend: Backend, caller: Caller, template_id: str, body: WriteTemplate) -> TemplateAnswer:
    """A new version; jobs remember theirs."""
    return TemplateAnswer(template=_record(_templates(backend).update(caller, template_id, body)))


@router.add(Operation("DELETE", "/templates/{templateId}", Scope.RUN, status=204, problems=(404,)))
def delete_template(backend: Backend, caller: Caller, template_id: str) -> None:
    """Delete a template; its jobs stay."""
    _templates(backend).delete(caller, template_id)


@router.add(
    Operation(
        "POST",
        "/templates/{templateId}/invoke",
        Scope.RUN,
        status=202,
        location="/v1/jobs/{0.job_id}",
        problems=(400, 404, 409, 413, 429),
    )
)
def invoke_template(
    backend: Backend,
    caller: Caller,
    template_id: str,
    body: dict[str, Any] | None = None,
    idempotency_key: IdempotencyKey = None,
) -> JobCreated:
    """Create a job: `url`, options, `config` keys and declared parameters, flat in one object."""
    return created(backend, invoking(backend)(caller, template_id, body or {}, idempotency_key))
