"""What there is to run, as it comes in a body."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from wainwright.contracts.http.bounds import MAX_SCRIPT_BYTES, SCRIPT_NAME
from wainwright.contracts.http.fields import Digest
from wainwright.domain.model import Record

ScriptName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}\.py$")]


class Script(Record):
    """One file of a suite that comes inline."""

    name: ScriptName
    content: str = Field(min_length=1)


class Work(Record):
    """What to run: a script, several, an uploaded bundle, or sentences."""

    script: str | None = Field(default=None, min_length=1)
    scripts: tuple[Script, ...] | None = Field(default=None, min_length=1, max_length=100)
    bundle_id: Digest | None = None
    instructions: str | None = Field(default=None, min_length=1, max_length=20_000)

    def _work_fields(self) -> list[str]:
        fields = ("script", "scripts", "bundle_id", "instructions")
        return [name for name in fields if getattr(self, name) is not None]

    def files(self) -> dict[str, str]:
        """The inline files by name; empty where a bundle or instructions are to be run."""
        if self.script is not None:
            return {SCRIPT_NAME: self.script}
        return {script.name: script.content for script in self.scripts or ()}

    @model_validator(mode="after")
    def _within_bounds(self) -> Self:
        size = sum(len(content.encode()) for content in self.files().values())
        if size > MAX_SCRIPT_BYTES:
            raise ValueError(f"the scripts are larger than {MAX_SCRIPT_BYTES} bytes: upload a bundle instead")
        if self.scripts is not None and len(self.files()) < len(self.scripts):
            raise ValueError("two scripts have the same name")
        return self
