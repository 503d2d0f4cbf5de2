"""Calls of templates."""

from typing import Annotated, Any

from functions.api.context import Api
from functions.api.jobs import created, invoking
from functions.api.operations import Query, Router
from functions.api.parameters import DEFAULT_PAGE, Cursor, IdempotencyKey, Limit, whole_number
from wainwright.contracts.http.jobs import JobCreated
from wainwright.contracts.http.templates import TemplateAnswer, TemplateList, TemplateRecord, WriteTemplate
from wainwright.contracts.scopes import Scope
from wainwright.usecases.caller import Caller
from wainwright.usecases.manage_templates import ManageTemplates, TemplateView

MAX_VERSION = 999_999_999
LOCATION = "/v1/templates/{0.template.id}"

route = Router()


def _templates(api: Api) -> ManageTemplates:
    return ManageTemplates(api.templates, api.artifacts, api.clock)


def _record(view: TemplateView) -> TemplateRecord:
    return TemplateRecord(**view.template.model_dump(exclude={"project"}), last_run_at=view.last_run_at)


@route("POST /templates", Scope.RUN, status=201, location=LOCATION, problems=(400, 413))
def create_template(api: Api, caller: Caller, body: WriteTemplate) -> TemplateAnswer:
    """Store what to run, by a name, with declared parameters."""
    return TemplateAnswer(template=_record(_templates(api).create(caller, body)))


@route("GET /templates", Scope.READ, problems=(400,))
def list_templates(api: Api, caller: Caller, limit: Limit = DEFAULT_PAGE, cursor: Cursor = None) -> TemplateList:
    """Templates of the project."""
    found, more = _templates(api).list(caller, limit=limit, cursor=cursor)
    return TemplateList(templates=[_record(view) for view in found], cursor=more)


@route("GET /templates/{templateId}", Scope.READ, problems=(400, 404))
def get_template(
    api: Api,
    caller: Caller,
    template_id: str,
    version: Annotated[
        int | None, Query("a version other than the newest", whole_number(1, MAX_VERSION), "integer")
    ] = None,
) -> TemplateAnswer:
    """One template."""
    return TemplateAnswer(template=_record(_templates(api).get(caller, template_id, version)))


@route("PUT /templates/{templateId}", Scope.RUN, problems=(400, 404, 409, 413))
def update_template(api: Api, caller: Caller, template_id: str, body: WriteTemplate) -> TemplateAnswer:
    """A new version; jobs remember theirs."""
    return TemplateAnswer(template=_record(_templates(api).update(caller, template_id, body)))


@route("DELETE /templates/{templateId}", Scope.RUN, status=204, problems=(404,))
def delete_template(api: Api, caller: Caller, template_id: str) -> None:
    """Delete a template; its jobs stay."""
    _templates(api).delete(caller, template_id)


@route(
    "POST /templates/{templateId}/invoke",
    Scope.RUN,
    status=202,
    location="/v1/jobs/{0.job_id}",
    problems=(400, 404, 409, 413, 429),
)
def invoke_template(
    api: Api,
    caller: Caller,
    template_id: str,
    body: dict[str, Any] | None = None,
    idempotency_key: IdempotencyKey = None,
) -> JobCreated:
    """Create a job: `url`, options, `config` keys and declared parameters, flat in one object."""
    return created(api, invoking(api)(caller, template_id, body or {}, idempotency_key))
