"""The one base of every record: frozen, strict about unknown fields, camelCase when written as JSON."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Record(BaseModel):
    """A frozen value. Python names are snake_case; the JSON form is camelCase."""

    # A model is built when it is first used: a process uses few of those that it imports, and building them is slow.
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, defer_build=True
    )
