"""``wainwright templates``: what to run, stored by a name."""

import sys
import tempfile
from pathlib import Path

from wainwright.cli.connect import connect
from wainwright.cli.failures import ExitCode
from wainwright.cli.request import JobOptions, TemplateOptions, invocation, template_of
from wainwright.cli.run import WatchOptions, follow, warn_of_unreachable_site
from wainwright.cli.terminal import clean, console
from wainwright.client import Client, TemplateRecord, WriteTemplate, pack
from wainwright.contracts.http.templates import TemplateList
from wainwright.domain.instants import to_text


def show_templates(*, as_json: bool) -> int:
    """Print all templates, in the order of their creation."""
    with connect(looking_back=True) as system, system.client() as client:
        templates = list(client.templates.list())
    if as_json:
        sys.stdout.write(TemplateList(templates=templates).model_dump_json(by_alias=True, indent=2) + "\n")
    elif templates:
        _print_table(templates)
    else:
        sys.stdout.write("no templates\n")
    return ExitCode.PASSED


def show_template(template_id: str, *, version: int | None, as_json: bool) -> int:
    """Print one template."""
    with connect(looking_back=True) as system, system.client() as client:
        _tell(client.templates.get(template_id, version=version), as_json=as_json)
    return ExitCode.PASSED


def write_template(options: TemplateOptions, *, update: str | None, as_json: bool) -> int:
    """Store a template, or a new version of the one that ``update`` names.

    Raises:
        UsageProblem, BundleError: what was given makes no template.
    """
    template = template_of(options)
    with connect(start=False) as system, system.client() as client:
        complete = _with_bundle(client, template, options)
        stored = client.templates.create(complete) if update is None else client.templates.update(update, complete)
    _tell(stored, as_json=as_json)
    return ExitCode.PASSED


def delete_template(template_id: str) -> int:
    """Delete a template; its jobs stay."""
    with connect(looking_back=True) as system, system.client() as client:
        client.templates.delete(template_id)
    sys.stdout.write(f"{template_id} deleted\n")
    return ExitCode.PASSED


def invoke_template(template_id: str, options: JobOptions, watch: WatchOptions) -> int:
    """Create a job of a template, and follow it.

    Raises:
        UsageProblem: options do not go together.
    """
    watch.check()
    fields = invocation(options)
    with connect(start=False) as system, system.client() as client:
        warn_of_unreachable_site(options.base_url, system)
        created = client.templates.invoke(template_id, fields)
        return follow(client, created.job_id, watch, console(stderr=watch.as_json), own=system.own)


def _with_bundle(client: Client, template: WriteTemplate, options: TemplateOptions) -> WriteTemplate:
    if not options.paths:
        return template
    with tempfile.TemporaryDirectory(prefix="wainwright-") as directory:
        bundle = pack(list(options.paths), Path(directory, "bundle.tar.gz"))
        return template.model_copy(update={"bundle_id": client.upload_bundle(bundle)})


def _tell(template: TemplateRecord, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(template.model_dump_json(by_alias=True, indent=2) + "\n")
    else:
        _print_table([template])


def _print_table(templates: list[TemplateRecord]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("Template", "Version", "Updated", "Last run", "Name"):
        table.add_column(name, no_wrap=name != "Name", overflow="fold")
    for each in templates:
        last = to_text(each.last_run_at) if each.last_run_at else ""
        table.add_row(each.id, str(each.version), to_text(each.updated_at), last, Text(clean(each.name)))
    console().print(table)
