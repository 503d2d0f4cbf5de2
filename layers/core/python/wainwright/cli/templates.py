"""``wainwright templates …``: what to run, stored by a name."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wainwright.cli import options
from wainwright.cli.connect import connect
from wainwright.cli.errors import UsageProblem
from wainwright.cli.terminal import console, print_json, print_table

if TYPE_CHECKING:
    from wainwright.client import Client, TemplateRecord, WriteTemplate

templates_app = typer.Typer(help="Jobs stored under a name.", rich_markup_mode=None)

Paths = Annotated[list[Path] | None, typer.Argument(metavar="PATH", help="Directories with tests, or test files.")]
Name = Annotated[str, typer.Option(help="The template's name.")]
Instructions = Annotated[Path | None, typer.Option(metavar="FILE", help="File with instructions, instead of tests.")]
Config = Annotated[Path | None, typer.Option(metavar="FILE", help="The jobs' config, as JSON.")]
Parameters = Annotated[
    Path | None, typer.Option(metavar="FILE", help="JSON schema of the parameters that a job takes.")
]


@templates_app.command("list")
def list_templates(as_json: options.Json = False) -> None:
    """Show all templates, in the order of their creation."""
    from wainwright.contracts.http.templates import TemplateList

    with connect(looking_back=True) as system:
        templates = list(system.client.templates.list())
    if as_json:
        print_json(TemplateList(templates=templates))
    elif templates:
        _print_table(templates)
    else:
        sys.stdout.write("no templates\n")


@templates_app.command("get")
def get_template(
    template: options.TemplateId,
    version: Annotated[int | None, typer.Option(min=1, help="A version other than the newest.")] = None,
    as_json: options.Json = False,
) -> None:
    """Show one template."""
    with connect(looking_back=True) as system:
        _print(system.client.templates.get(template, version=version), as_json=as_json)


@templates_app.command("create")
def create_template(
    name: Name,
    paths: Paths = None,
    instructions: Instructions = None,
    base_url: options.BaseUrl = None,
    timeout: options.JobTimeout = None,
    config: Config = None,
    parameters: Parameters = None,
    output_schema: options.OutputSchema = None,
    retry: options.Tries = None,
    parallelism: options.Parallelism = None,
    as_json: options.Json = False,
) -> None:
    """Store tests as a template."""
    request = _request(
        name, paths, instructions, base_url, timeout, config, parameters, output_schema, retry, parallelism
    )
    with connect(start=False) as system:
        stored = system.client.templates.create(_with_bundle(system.client, request, paths))
    _print(stored, as_json=as_json)


@templates_app.command("update")
def update_template(
    template: options.TemplateId,
    name: Name,
    paths: Paths = None,
    instructions: Instructions = None,
    base_url: options.BaseUrl = None,
    timeout: options.JobTimeout = None,
    config: Config = None,
    parameters: Parameters = None,
    output_schema: options.OutputSchema = None,
    retry: options.Tries = None,
    parallelism: options.Parallelism = None,
    as_json: options.Json = False,
) -> None:
    """Store a new version of a template; jobs remember theirs."""
    request = _request(
        name, paths, instructions, base_url, timeout, config, parameters, output_schema, retry, parallelism
    )
    with connect(start=False) as system:
        stored = system.client.templates.update(template, _with_bundle(system.client, request, paths))
    _print(stored, as_json=as_json)


@templates_app.command("delete")
def delete_template(template: options.TemplateId) -> None:
    """Delete a template; its jobs stay."""
    with connect(looking_back=True) as system:
        system.client.templates.delete(template)
    sys.stdout.write(f"{template} deleted\n")


@templates_app.command("invoke")
def invoke_template(
    template: options.TemplateId,
    base_url: options.BaseUrl = None,
    label: options.Label = None,
    timeout: options.JobTimeout = None,
    priority: options.Priority = 0,
    low_priority: options.LowPriority = False,
    parallelism: options.Parallelism = None,
    param: options.Params = None,
    as_json: options.FinalRecord = False,
    report: options.Report = None,
    junit: options.Junit = None,
    no_wait: options.NoWait = False,
    wait_timeout: options.WaitTimeout = None,
) -> int:
    """Run a template as a job, show its tests as they end, and exit by their outcome."""
    from wainwright.cli.requests import parameters
    from wainwright.cli.watch import WatchOptions, follow, warn_of_unreachable_site

    watch = WatchOptions(as_json, report, junit, not no_wait, wait_timeout)
    given = {
        "url": base_url, "label": label, "priority": priority or None, "lowPriority": low_priority or None,
        "timeout": timeout, "parallelism": parallelism,
    }  # fmt: skip
    fields = {name: value for name, value in given.items() if value is not None}
    for name, value in parameters(param).items():
        if name in fields:
            raise UsageProblem(f"--param {name}: use the option of this name", advice=f"Leave --param {name} out.")
        fields[name] = value
    with connect(start=False) as system:
        warn_of_unreachable_site(base_url, system)
        created = system.client.templates.invoke(template, fields)
        return follow(system, created.job_id, watch, console(stderr=watch.as_json))


def _request(
    name: str,
    paths: list[Path] | None,
    instructions: Path | None,
    base_url: str | None,
    timeout: int | None,
    config: Path | None,
    parameters: Path | None,
    output_schema: Path | None,
    retry: int | None,
    parallelism: int | None,
) -> "WriteTemplate":
    """Return the template but for its bundle.

    Raises:
        UsageProblem: an option is wrong, or there is nothing to run, or two things.
    """
    from wainwright.cli.requests import UNKNOWN_BUNDLE, faults_by_option, json_file, retry_policy, text_file
    from wainwright.contracts.http.templates import WriteTemplate
    from wainwright.domain.job_config import JobConfig

    if bool(paths) == bool(instructions):
        raise UsageProblem("a template needs something to run", advice="Give a PATH with tests, or --instructions.")
    work: dict[str, Any] = {"bundle_id": UNKNOWN_BUNDLE}
    if instructions is not None:
        work = {"instructions": text_file(instructions, "--instructions")}
    with faults_by_option():
        job_config = JobConfig.model_validate(json_file(config, "--config") or {})
        if timeout is not None:
            job_config = JobConfig.model_validate(job_config.model_dump(exclude_none=True) | {"timeout": timeout})
        return WriteTemplate(
            name=name, url=base_url, config=job_config, retry=retry_policy(retry), parallelism=parallelism,
            parameters=json_file(parameters, "--parameters"),
            output_schema=json_file(output_schema, "--output-schema"), **work,
        )  # fmt: skip


def _with_bundle(client: "Client", template: "WriteTemplate", paths: list[Path] | None) -> "WriteTemplate":
    import tempfile

    from wainwright.client import pack

    if not paths:
        return template
    with tempfile.TemporaryDirectory(prefix="wainwright-") as directory:
        bundle = pack(paths, Path(directory, "bundle.tar.gz"))
        return template.model_copy(update={"bundle_id": client.upload_bundle(bundle)})


def _print(template: "TemplateRecord", *, as_json: bool) -> None:
    if as_json:
        print_json(template)
    else:
        _print_table([template])


def _print_table(templates: "list[TemplateRecord]") -> None:
    from wainwright.domain.instants import to_text

    rows = [
        (
            each.id, str(each.version), to_text(each.updated_at), to_text(each.last_run_at) if each.last_run_at else "",
            each.name,
        )
        for each in templates
    ]  # fmt: skip
    print_table(("Template", "Version", "Updated", "Last run", "Name"), rows, wrapped={"Name"})
