"""Templates in DynamoDB: a head that is the newest version, every version beside it, and an entry for the list."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

from wainwright.adapters.aws.items import Item, expressions, key, number, pack, text, unpack
from wainwright.adapters.aws.paging import Bounds, Reader, page
from wainwright.adapters.aws.table import Refusal, TableStore
from wainwright.adapters.cursors import read_cursor, write_cursor
from wainwright.domain.errors import Conflict
from wainwright.domain.instants import to_text
from wainwright.domain.templates import Template


class DynamoTemplateStore(TableStore):
    """A :class:`~wainwright.ports.template_store.TemplateStore` on one table.

    Without its head a template is not there any more.
    """

    def put(self, template: Template) -> None:
        operation = str(uuid.uuid4())
        body = pack("the template", template.model_dump_json(by_alias=True, exclude_defaults=True))
        partition, place = _partition(template.project, template.id), _place(template.created_at, template.id)
        head = key(partition, "HEAD") | body | {
            "version": number(template.version), "place": text(place), "operation": text(operation)
        }  # fmt: skip
        values = {":before": number(template.version - 1), ":place": text(place)}
        condition = expressions(values, ConditionExpression="#version = :before AND place = :place")
        if template.version == 1:
            condition = {"ConditionExpression": "attribute_not_exists(pk)"}
        version = key(partition, _version(template.version)) | body
        entry = key(_listed(template.project), place) | {"id": text(template.id)}
        try:
            self.table.commit(
                [{"Put": {"Item": head} | condition}, {"Put": {"Item": version}}, {"Put": {"Item": entry}}]
            )
        except Refusal as refusal:
            current = self.table.get(key(partition, "HEAD"))
            if current is None or current["operation"] != text(operation):  # else our own write, whose answer was lost
                raise Conflict(f"template {template.id} changed since it was read") from refusal

    def get(self, project: str, template_id: str, version: int | None = None) -> Template | None:
        partition = _partition(project, template_id)
        if version is None:
            found = self.table.get(key(partition, "HEAD"))
            return _read(found) if found else None
        rows = self.table.get_all([key(partition, "HEAD"), key(partition, _version(version))])
        by_sort_key = {row["sk"]["S"]: row for row in rows}
        if len(by_sort_key) < 2 or version > int(by_sort_key["HEAD"]["version"]["N"]):
            return None
        return _read(by_sort_key[_version(version)])

    def list(self, project: str, limit: int, cursor: str | None) -> tuple[Sequence[Template], str | None]:
        scope = ["templates", project]
        bounds = Bounds(passed=read_cursor(cursor, scope))
        entries = Reader(self.table, limit + 2).range(
            _listed(project), *bounds.ends, ascending=True, ConsistentRead=True
        )
        found, passed = page([entries], lambda row: str(row["sk"]["S"]), bounds, lambda _: True, limit)
        heads = self.table.get_all([key(_partition(project, row["id"]["S"]), "HEAD") for row in found])
        templates = {template.id: template for template in map(_read, heads)}
        in_order = [templates[row["id"]["S"]] for row in found if row["id"]["S"] in templates]
        return in_order, None if passed is None else write_cursor(scope, passed)

    def delete(self, project: str, template_id: str) -> bool:
        partition = _partition(project, template_id)
        head = self.table.get(key(partition, "HEAD"))
        if head is not None:
            gone = [key(partition, "HEAD"), key(_listed(project), head["place"]["S"])]
            self.table.commit([{"Delete": {"Key": each}} for each in gone])
        rest = self.table.partition(partition, ProjectionExpression="pk, sk")
        self.table.remove_all(row for row in rest if row["sk"]["S"] != "HEAD")
        return head is not None

    def mark_run(self, project: str, template_id: str, at: datetime) -> None:
        # A row of its own: it never conflicts with a new version.
        try:
            self.table.update(
                key(_partition(project, template_id), "RAN"), "SET #at = :at", {":at": text(to_text(at))},
                "attribute_not_exists(pk) OR #at < :at",
            )  # fmt: skip
        except Refusal:
            return  # a later run was marked first

    def last_run(self, project: str, template_ids: Sequence[str]) -> Mapping[str, datetime]:
        keys = {_partition(project, each): each for each in template_ids}
        rows = self.table.get_all([key(partition, "RAN") for partition in keys])
        return {keys[row["pk"]["S"]]: datetime.fromisoformat(row["at"]["S"]) for row in rows}


def _partition(project: str, template_id: str) -> str:
    return f"TEMPLATE#{project}#{template_id}"


def _listed(project: str) -> str:
    return f"TEMPLATES#{project}"


def _version(number: int) -> str:
    return f"VERSION#{number:08d}"


def _place(created_at: datetime, template_id: str) -> str:
    return f"{to_text(created_at)}#{template_id}"


def _read(item: Item) -> Template:
    return Template.model_validate_json(unpack(item))
