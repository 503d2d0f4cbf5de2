"""Create a job from a template."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wainwright.domain.job_requests import JobRequest
from wainwright.domain.templates import Template
from wainwright.ports.clock import Clock
from wainwright.ports.job_store import JobView
from wainwright.ports.template_store import TemplateStore
from wainwright.usecases.caller import Caller
from wainwright.usecases.fill_parameters import request_of
from wainwright.usecases.manage_templates import find_template
from wainwright.usecases.submit_job import SubmitJob


@dataclass(frozen=True)
class InvokeTemplate:
    """Creates jobs from templates. What the call says goes before what the template says."""

    templates: TemplateStore
    submit: SubmitJob
    clock: Clock

    def __call__(
        self, caller: Caller, template_id: str, flat: Mapping[str, Any], idempotency_key: str | None = None
    ) -> JobView:
        """A job of the newest version, from options, config keys and declared parameters in one object.

        Raises:
            NotFound: the project has no such template.
            InvalidInput: a key is neither of these, or its value is wrong. Further as :class:`SubmitJob`.
        """
        template = find_template(self.templates, caller.project, template_id)
        return self._submit(caller, request_of(template, flat), idempotency_key, template)

    def create(self, caller: Caller, request: JobRequest, idempotency_key: str | None = None) -> JobView:
        """A job of the newest version of the template that ``request`` names. Raises as :meth:`__call__`."""
        template = find_template(self.templates, caller.project, request.template_id or "")
        return self._submit(caller, request, idempotency_key, template)

    def _submit(self, caller: Caller, request: JobRequest, key: str | None, template: Template) -> JobView:
        now = self.clock()
        view = self.submit(caller, request, key, template=template)
        if view.job.created_at >= now:  # else it is the job of an earlier request
            self.templates.mark_run(caller.project, template.id, view.job.created_at)
        return view
