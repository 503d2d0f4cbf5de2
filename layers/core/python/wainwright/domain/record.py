"""The one base of every record: frozen, strict about unknown fields, camelCase when written as JSON."""

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from wainwright.domain.errors import InvalidInput


class Record(BaseModel):
    """A frozen value. Python names are snake_case; the JSON form is camelCase."""

    # A model is built when it is first used: a process uses few of those that it imports, and building them is slow.
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, defer_build=True
    )


def input_fault(error: ValidationError) -> InvalidInput:
    """Return the first fault that a model found, as an error that names the field as it is spelt in JSON."""
    fault = error.errors(include_url=False)[0]
    path = ".".join(str(part) for part in fault["loc"]) or "body"
    message = _one_line(fault["msg"].removeprefix("Value error, "))
    if fault["type"] == "extra_forbidden":
        return InvalidInput(path, f"there is no field {path}", advice="Remove it, or check its spelling.")
    if fault["type"] == "json_invalid":
        return InvalidInput("body", f"the body is not JSON: {message}", advice="Send a JSON object.")
    return InvalidInput(
        path, f"{path}: {message}" if path != "body" else message, advice="Correct it and send the request again."
    )


def _one_line(message: str) -> str:
    """Return the fault itself, if a validator passes on what another model said of it over several lines."""
    lines = message.splitlines()
    return lines[1].partition(" [type=")[0].strip() if len(lines) > 1 else message
