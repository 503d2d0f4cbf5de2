"""Create, read, update and delete templates."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from wainwright.contracts.names import is_template_id
from wainwright.domain.errors import Conflict, NotFound
from wainwright.domain.job_requests import TemplateRequest
from wainwright.domain.templates import Template
from wainwright.ports.artifacts import Artifacts
from wainwright.ports.clock import Clock
from wainwright.ports.template_store import TemplateStore
from wainwright.usecases.caller import Caller
from wainwright.usecases.check_schemas import check_schema, check_size
from wainwright.usecases.fill_parameters import check_parameters
from wainwright.usecases.keep_bundles import KeepBundles


def find_template(templates: TemplateStore, project: str, template_id: str, version: int | None = None) -> Template:
    """Return a version of a template, or the newest; raise NotFound if there is none."""
    template = templates.get(project, template_id, version) if is_template_id(template_id) else None
    if template is None:
        which = "" if version is None else f" with a version {version}"
        raise NotFound(
            f"this project has no template {template_id[:100]}{which}", advice="GET /v1/templates lists them."
        )
    return template


@dataclass(frozen=True)
class TemplateView:
    """A template, and when a job was last made of it."""

    template: Template
    last_run_at: datetime | None


@dataclass(frozen=True)
class ManageTemplates:
    """Keeps the templates of projects."""

    templates: TemplateStore
    artifacts: Artifacts
    clock: Clock

    def create(self, caller: Caller, request: TemplateRequest) -> TemplateView:
        """Create a template, with version 1.

        Raises:
            InvalidInput: a script, bundle, schema or parameter is wrong.
            TooLarge: config, schemas and instructions are together too large.
        """
        return self._put(caller.project, request, None)

    def update(self, caller: Caller, template_id: str, request: TemplateRequest) -> TemplateView:
        """Add a version of a template. Jobs keep the version that they were made of.

        Raises:
            NotFound: the project has no such template.
            Conflict: somebody else wrote a version meanwhile. Further as :meth:`create`.
        """
        return self._put(caller.project, request, find_template(self.templates, caller.project, template_id))

    def get(self, caller: Caller, template_id: str, version: int | None = None) -> TemplateView:
        """Return a version of a template, or the newest. Raises as :func:`find_template`."""
        return self._views(caller.project, [find_template(self.templates, caller.project, template_id, version)])[0]

    def list(self, caller: Caller, *, limit: int, cursor: str | None) -> tuple[Sequence[TemplateView], str | None]:
        """Return a page of the project's templates, in the order of their creation, and the cursor of the next.

        Raises:
            InvalidInput: the cursor is none of ours.
        """
        found, more = self.templates.list(caller.project, limit, cursor)
        return self._views(caller.project, found), more

    def delete(self, caller: Caller, template_id: str) -> None:
        """Delete a template with all its versions, but not its jobs. Raises NotFound if the project has no such template."""
        find_template(self.templates, caller.project, template_id)
        # Its bundles first: a request that breaks off here can be sent again.
        KeepBundles(self.artifacts, self.clock).drop(caller.project, template_id)
        self.templates.delete(caller.project, template_id)

    def _put(self, project: str, request: TemplateRequest, before: Template | None) -> TemplateView:
        config = request.config.model_dump(mode="json", by_alias=True, exclude_none=True)
        if request.output_schema is not None:
            check_schema("outputSchema", request.output_schema)
        if request.parameters is not None:
            check_parameters(request.parameters)
        check_size(
            config=config, outputSchema=request.output_schema, parameters=request.parameters,
            instructions=request.instructions,
        )  # fmt: skip
        now = self.clock()
        template_id = before.id if before else str(uuid.uuid4())
        template = Template(
            project=project, id=template_id, version=before.version + 1 if before else 1, name=request.name,
            instructions=request.instructions,
            bundle_id=KeepBundles(self.artifacts, self.clock).for_template(project, template_id, request),
            url=request.url, config=config, output_schema=request.output_schema, parameters=request.parameters,
            retry=request.retry, parallelism=request.parallelism, created_at=before.created_at if before else now, updated_at=now,
        )  # fmt: skip
        try:
            self.templates.put(template)
        except Conflict as error:
            raise Conflict(
                "somebody else changed or deleted the template at the same time",
                advice="Read the template again, and repeat your change if it is still needed.",
            ) from error
        return self._views(project, [template])[0]

    def _views(self, project: str, templates: Sequence[Template]) -> Sequence[TemplateView]:
        last_runs = self.templates.last_run(project, [template.id for template in templates])
        return [TemplateView(template, last_runs.get(template.id)) for template in templates]
