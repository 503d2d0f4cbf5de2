"""``wainwright templates …``"""

from pathlib import Path
from typing import Annotated

import typer

from wainwright.cli.commands.arguments import (
    BaseUrl,
    FinalRecord,
    JobTimeout,
    Json,
    Junit,
    Label,
    LowPriority,
    NoWait,
    OutputSchema,
    Parallelism,
    Params,
    Priority,
    Report,
    TemplateId,
    Tries,
    WaitTimeout,
)

templates_app = typer.Typer(help="What to run, stored by a name.", rich_markup_mode=None)

Paths = Annotated[list[Path] | None, typer.Argument(metavar="PATH", help="Directories with tests, or test files.")]
Name = Annotated[str, typer.Option(help="The template's name.")]
Instructions = Annotated[Path | None, typer.Option(metavar="FILE", help="Sentences to follow, in place of tests.")]
Config = Annotated[Path | None, typer.Option(metavar="FILE", help="The jobs' config, as JSON.")]
Parameters = Annotated[
    Path | None, typer.Option(metavar="FILE", help="JSON schema of the parameters that a job takes.")
]


@templates_app.command("list")
def list_templates(as_json: Json = False) -> None:
    """Show all templates, in the order of their creation."""
    from wainwright.cli.templates import show_templates

    raise typer.Exit(show_templates(as_json=as_json))


@templates_app.command("get")
def get_template(
    template: TemplateId,
    version: Annotated[int | None, typer.Option(min=1, help="A version other than the newest.")] = None,
    as_json: Json = False,
) -> None:
    """Show one template."""
    from wainwright.cli.templates import show_template

    raise typer.Exit(show_template(template, version=version, as_json=as_json))


@templates_app.command("create")
def create_template(
    name: Name,
    paths: Paths = None,
    instructions: Instructions = None,
    base_url: BaseUrl = None,
    timeout: JobTimeout = None,
    config: Config = None,
    parameters: Parameters = None,
    output_schema: OutputSchema = None,
    retry: Tries = None,
    parallelism: Parallelism = None,
    as_json: Json = False,
) -> None:
    """Store tests as a template."""
    from wainwright.cli.request import TemplateOptions
    from wainwright.cli.templates import write_template

    options = TemplateOptions(
        name, paths or [], instructions, base_url, timeout, config, parameters, output_schema, retry, parallelism
    )
    raise typer.Exit(write_template(options, update=None, as_json=as_json))


@templates_app.command("update")
def update_template(
    template: TemplateId,
    name: Name,
    paths: Paths = None,
    instructions: Instructions = None,
    base_url: BaseUrl = None,
    timeout: JobTimeout = None,
    config: Config = None,
    parameters: Parameters = None,
    output_schema: OutputSchema = None,
    retry: Tries = None,
    parallelism: Parallelism = None,
    as_json: Json = False,
) -> None:
    """Store a new version of a template; jobs remember theirs."""
    from wainwright.cli.request import TemplateOptions
    from wainwright.cli.templates import write_template

    options = TemplateOptions(
        name, paths or [], instructions, base_url, timeout, config, parameters, output_schema, retry, parallelism
    )
    raise typer.Exit(write_template(options, update=template, as_json=as_json))


@templates_app.command("delete")
def delete_template(template: TemplateId) -> None:
    """Delete a template; its jobs stay."""
    from wainwright.cli.templates import delete_template

    raise typer.Exit(delete_template(template))


@templates_app.command("invoke")
def invoke_template(
    template: TemplateId,
    base_url: BaseUrl = None,
    label: Label = None,
    timeout: JobTimeout = None,
    priority: Priority = 0,
    low_priority: LowPriority = False,
    parallelism: Parallelism = None,
    param: Params = None,
    as_json: FinalRecord = False,
    report: Report = None,
    junit: Junit = None,
    no_wait: NoWait = False,
    wait_timeout: WaitTimeout = None,
) -> None:
    """Run a template as a job, show its tests as they end, and exit by their outcome."""
    from wainwright.cli.request import JobOptions
    from wainwright.cli.run import WatchOptions
    from wainwright.cli.templates import invoke_template

    options = JobOptions(base_url, label, timeout, priority, low_priority, params=param or [], parallelism=parallelism)
    watch = WatchOptions(as_json, report, junit, not no_wait, wait_timeout)
    raise typer.Exit(invoke_template(template, options, watch))
