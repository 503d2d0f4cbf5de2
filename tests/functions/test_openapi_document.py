"""The OpenAPI document: the committed copy is current, and what it says is usable."""

import json
from pathlib import Path

from functions.api.openapi import document, to_text

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.json"


def test_the_committed_document_is_current() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == to_text(), "run: python -m scripts.write_openapi"


def test_every_reference_leads_to_a_schema() -> None:
    text = json.dumps(document())
    schemas = document()["components"]["schemas"]
    named = {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}

    assert named <= set(schemas)
    assert len(named) > 20


def test_fields_with_defaults_need_not_be_sent() -> None:
    schemas = document()["components"]["schemas"]

    assert schemas["WriteTemplate"].get("required") == ["name"]
    assert "required" not in schemas["PatchJob"]
    assert "required" not in schemas["RetryJob"]
    assert "required" not in schemas["CreateJob"]


def test_an_invocation_names_options_and_config_keys_and_allows_parameters() -> None:
    flat = document()["components"]["schemas"]["InvokeTemplate"]

    assert {"url", "dependsOn", "timeout", "viewport", "extraHeaders"} <= set(flat["properties"])
    assert flat["additionalProperties"] is True
