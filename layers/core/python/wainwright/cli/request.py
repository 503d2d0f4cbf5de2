"""From options of the command line to what the API is asked for, with faults told by the option they came from."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pydantic import ValidationError

from wainwright.cli.failures import UsageProblem
from wainwright.contracts.http.jobs import CreateJob
from wainwright.contracts.http.templates import WriteTemplate
from wainwright.domain.job_config import JobConfig, Viewport
from wainwright.domain.retry import RetryPolicy

if TYPE_CHECKING:
    from wainwright.domain.job_config import Keep

UNKNOWN_BUNDLE = "0" * 64
"""Stands for a bundle that is not packed yet, so that the rest of a request can be checked before."""

_OPTIONS = {
    "url": "--base-url", "max_attempts": "--retry", "width": "--viewport", "height": "--viewport", "viewport": "--viewport",
    "extra_headers": "--header",
}  # fmt: skip


@dataclass(frozen=True)
class ConfigOptions:
    """How the browser is to be set up. Times are milliseconds; ``viewport`` is ``WIDTHxHEIGHT``; headers ``Name: value``."""

    viewport: str | None = None
    locale: str | None = None
    timezone: str | None = None
    user_agent: str | None = None
    headers: Sequence[str] = ()
    wait_for: int | None = None
    block_ads: bool = False
    disable_images: bool = False
    reduced_motion: bool = False
    browsers: Sequence[str] = ()
    trace: str | None = None
    screenshot: str | None = None
    video: str | None = None
    test_retries: int | None = None

    def to_config(self, timeout: int | None) -> JobConfig:
        """The configuration, only with what was given.

        Raises:
            ValidationError, UsageProblem: something of it is wrong.
        """
        return JobConfig(
            timeout=timeout, viewport=_viewport(self.viewport), locale=self.locale, timezone=self.timezone,
            user_agent=self.user_agent, extra_headers=_headers(self.headers), wait_for=self.wait_for,
            block_ads=self.block_ads or None, disable_images=self.disable_images or None,
            reduced_motion=self.reduced_motion or None, browser=tuple(self.browsers) or None,
            trace=cast("Keep | None", self.trace), screenshot=cast("Keep | None", self.screenshot),
            video=cast("Keep | None", self.video), test_retries=self.test_retries,
        )  # fmt: skip


@dataclass(frozen=True)
class JobOptions:
    """What a job is given besides its tests. ``retry`` counts all tries; ``params`` are ``name=value``."""

    base_url: str | None = None
    label: str | None = None
    timeout: int | None = None
    priority: int = 0
    low_priority: bool = False
    retry: int | None = None
    params: Sequence[str] = ()
    output_schema: Path | None = None
    depends_on: Sequence[str] = ()
    config: ConfigOptions = field(default_factory=ConfigOptions)
    parallelism: int | None = None


def job_of(options: JobOptions) -> CreateJob:
    """The request but for its bundle.

    Raises:
        UsageProblem: an option is wrong.
    """
    try:
        return CreateJob(
            bundle_id=UNKNOWN_BUNDLE, url=options.base_url, label=options.label, priority=options.priority,
            low_priority=options.low_priority, retry=_policy(options.retry), params=parameters(options.params),
            parallelism=options.parallelism,
            depends_on=tuple(options.depends_on), output_schema=json_file(options.output_schema, "--output-schema"),
            config=options.config.to_config(options.timeout),
        )  # fmt: skip
    except ValidationError as error:
        raise option_fault(error) from error


def invocation(options: JobOptions) -> dict[str, Any]:
    """What a template is invoked with: flat, spelt as on the wire.

    Raises:
        UsageProblem: a parameter is written wrongly, or named like an option.
    """
    fields: dict[str, Any] = {
        "url": options.base_url, "label": options.label, "priority": options.priority or None,
        "lowPriority": options.low_priority or None, "timeout": options.timeout, "parallelism": options.parallelism,
    }  # fmt: skip
    given = {name: value for name, value in fields.items() if value is not None}
    for name, value in parameters(options.params).items():
        if name in given:
            raise UsageProblem(f"--param {name}: there is an option for it", advice=f"Leave --param {name} out.")
        given[name] = value
    return given


@dataclass(frozen=True)
class TemplateOptions:
    """What a template consists of. ``instructions`` and the schemas are read from files."""

    name: str
    paths: Sequence[Path] = ()
    instructions: Path | None = None
    base_url: str | None = None
    timeout: int | None = None
    config: Path | None = None
    parameters: Path | None = None
    output_schema: Path | None = None
    retry: int | None = None
    parallelism: int | None = None


def template_of(options: TemplateOptions) -> WriteTemplate:
    """The template but for its bundle.

    Raises:
        UsageProblem: an option is wrong, or there is nothing to run, or two things.
    """
    if bool(options.paths) == bool(options.instructions):
        raise UsageProblem("a template needs something to run", advice="Name a PATH with tests, or --instructions.")
    work: dict[str, Any] = {"bundle_id": UNKNOWN_BUNDLE}
    if options.instructions is not None:
        work = {"instructions": _text(options.instructions, "--instructions")}
    try:
        config = JobConfig.model_validate(json_file(options.config, "--config") or {})
        if options.timeout is not None:
            config = JobConfig.model_validate(config.model_dump(exclude_none=True) | {"timeout": options.timeout})
        return WriteTemplate(
            name=options.name, url=options.base_url, config=config, retry=_policy(options.retry),
            parallelism=options.parallelism,
            parameters=json_file(options.parameters, "--parameters"),
            output_schema=json_file(options.output_schema, "--output-schema"), **work,
        )  # fmt: skip
    except ValidationError as error:
        raise option_fault(error) from error


def parameters(given: Sequence[str]) -> dict[str, Any]:
    """``name=value`` as a mapping. A value that is JSON is read as such, anything else is text.

    Raises:
        UsageProblem: one has no name or no equals sign.
    """
    found = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise UsageProblem(f"--param {text}: there is no name=value in it", advice="Write --param currency=EUR.")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found


def json_file(file: Path | None, option: str) -> dict[str, Any] | None:
    """The JSON object in a file.

    Raises:
        UsageProblem: it cannot be read, or is no JSON object.
    """
    if file is None:
        return None
    try:
        value = json.loads(_text(file, option))
    except ValueError as error:
        raise UsageProblem(f"{option}: {file} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise UsageProblem(f"{option}: {file} does not hold a JSON object")
    return value


def option_fault(error: ValidationError) -> UsageProblem:
    """The first fault, told by the option that it came from."""
    first = error.errors(include_url=False)[0]
    names = [str(part) for part in first["loc"] if isinstance(part, str)]
    option = next((_OPTIONS[name] for name in reversed(names) if name in _OPTIONS), None)
    if option is None and names:
        option = f"--{names[-1].replace('_', '-')}"
    message = first["msg"].removeprefix("Value error, ")
    return UsageProblem(f"{option}: {message}" if option else message, advice="See --help.")


def _policy(tries: int | None) -> RetryPolicy | None:
    return None if tries is None else RetryPolicy(max_attempts=tries)


def _viewport(text: str | None) -> Viewport | None:
    if text is None:
        return None
    width, _, height = text.lower().partition("x")
    if not width.isdigit() or not height.isdigit():
        raise UsageProblem(f"--viewport {text}: this is no size", advice="Write --viewport 1280x720.")
    return Viewport(width=int(width), height=int(height))


def _headers(lines: Sequence[str]) -> dict[str, str] | None:
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise UsageProblem(f"--header {line}: this is no header", advice="Write --header 'Name: value'.")
        headers[name.strip()] = value.strip()
    return headers or None


def _text(file: Path, option: str) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageProblem(f"{option}: {file} cannot be read: {error}") from error
