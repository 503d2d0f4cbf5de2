"""Templates: versions, concurrency, what they keep, and the jobs made of them."""

from datetime import timedelta

import pytest

from tests.unit.usecases.api.desk import CALLER, PROJECT, SCRIPT, START, Desk
from wainwright.contracts.http.jobs import CreateJob
from wainwright.contracts.http.templates import WriteTemplate
from wainwright.contracts.names import bundle_key, template_bundle_key, template_prefix
from wainwright.domain.errors import Conflict, NotFound, TooLarge

REQUEST = WriteTemplate(name="Checkout", script=SCRIPT)


def test_of_two_updates_at_once_one_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    template_id = desk.manage_templates.create(CALLER, REQUEST).template.id
    read_by_both = desk.templates.get(PROJECT, template_id)
    monkeypatch.setattr(desk.templates, "get", lambda *_: read_by_both)

    assert desk.manage_templates.update(CALLER, template_id, REQUEST).template.version == 2
    with pytest.raises(Conflict) as refused:
        desk.manage_templates.update(CALLER, template_id, REQUEST)

    assert "at the same time" in refused.value.message
    assert refused.value.advice


def test_an_update_keeps_when_the_template_was_made(desk: Desk) -> None:
    template_id = desk.manage_templates.create(CALLER, REQUEST).template.id
    desk.clock.advance(timedelta(hours=1))

    updated = desk.manage_templates.update(CALLER, template_id, REQUEST).template

    assert (updated.created_at, updated.updated_at) == (START, START + timedelta(hours=1))


def test_an_update_may_name_the_bundle_that_the_template_keeps_already(desk: Desk) -> None:
    first = desk.manage_templates.create(CALLER, REQUEST).template
    assert bundle_key(PROJECT, first.bundle_id or "") not in desk.artifacts.objects

    updated = desk.manage_templates.update(
        CALLER, first.id, WriteTemplate(name="x", bundle_id=first.bundle_id)
    ).template

    assert updated.bundle_id == first.bundle_id


def test_bounds_what_a_template_carries(desk: Desk) -> None:
    with pytest.raises(TooLarge):
        desk.manage_templates.create(
            CALLER, WriteTemplate(name="x", script=SCRIPT, output_schema={"description": "x" * 110_000})
        )

    assert desk.artifacts.objects == {}


def test_what_a_template_runs_is_put_among_the_uploads_again_before_it_expires(desk: Desk) -> None:
    template = desk.manage_templates.create(CALLER, REQUEST).template
    upload = bundle_key(PROJECT, template.bundle_id or "")

    def put_at() -> object:
        desk.invoke(CALLER, template.id, {})
        return desk.artifacts.objects[upload][2]

    assert put_at() == START
    desk.clock.advance(timedelta(days=2))
    assert put_at() == START
    desk.clock.advance(timedelta(days=2))
    assert put_at() == START + timedelta(days=4)


def test_a_template_whose_bundle_is_gone_makes_no_job(desk: Desk) -> None:
    template = desk.manage_templates.create(CALLER, REQUEST).template
    del desk.artifacts.objects[template_bundle_key(PROJECT, template.id, template.bundle_id or "")]

    with pytest.raises(NotFound):
        desk.invoke(CALLER, template.id, {})
    assert desk.jobs.load(PROJECT).queued == 0


def test_deletes_all_that_a_template_kept_however_much_that_is(desk: Desk) -> None:
    template = desk.manage_templates.create(CALLER, REQUEST).template
    other = desk.manage_templates.create(CALLER, REQUEST).template
    for number in range(1_005):
        desk.artifacts.put(f"{template_prefix(PROJECT, template.id)}{number}", b"", "application/gzip")

    desk.manage_templates.delete(CALLER, template.id)

    assert [*desk.artifacts.objects] == [template_bundle_key(PROJECT, other.id, other.bundle_id or "")]


def test_remembers_when_a_job_was_last_made_of_it(desk: Desk) -> None:
    template = desk.manage_templates.create(CALLER, REQUEST).template
    desk.invoke(CALLER, template.id, {}, "key")
    desk.clock.advance(timedelta(minutes=5))

    desk.invoke(CALLER, template.id, {}, "key")
    again = desk.manage_templates.get(CALLER, template.id).last_run_at
    desk.invoke.create(CALLER, CreateJob(template_id=template.id))

    assert again == START
    assert desk.manage_templates.get(CALLER, template.id).last_run_at == START + timedelta(minutes=5)


def test_the_same_request_finds_its_job_though_the_template_has_a_new_version(desk: Desk) -> None:
    template = desk.manage_templates.create(CALLER, REQUEST).template
    first = desk.invoke(CALLER, template.id, {}, "key").job
    desk.manage_templates.update(CALLER, template.id, REQUEST)

    assert desk.invoke(CALLER, template.id, {}, "key").job.id == first.id


def test_a_job_cannot_be_submitted_with_another_template_than_it_names(desk: Desk) -> None:
    with pytest.raises(ValueError, match="not the one"):
        desk.submit(CALLER, CreateJob(template_id="x"))
