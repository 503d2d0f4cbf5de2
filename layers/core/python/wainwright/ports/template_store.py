"""Templates and their versions."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from wainwright.domain.templates import Template


class TemplateStore(Protocol):
    """Templates and all their versions."""

    def put(self, template: Template) -> None:
        """Write a version; the newest is the one with the highest number.

        Raises:
            Conflict: that version exists, or the one before it does not.
        """

    def get(self, project: str, template_id: str, version: int | None = None) -> Template | None:
        """A version, or the newest. None where there is none, or the template was deleted."""

    def list(self, project: str, limit: int, cursor: str | None) -> tuple[Sequence[Template], str | None]:
        """A page of the newest versions, in the order of their creation. Raises InvalidInput: the cursor is none of ours."""

    def delete(self, project: str, template_id: str) -> bool:
        """Delete the template with all its versions; False if there was none."""

    def mark_run(self, project: str, template_id: str, at: datetime) -> None:
        """A job was made of it."""

    def last_run(self, project: str, template_ids: Sequence[str]) -> Mapping[str, datetime]:
        """Times at which jobs were last made of these templates, for those of which any was."""
