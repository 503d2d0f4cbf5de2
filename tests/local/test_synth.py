"""The cached template."""

from __future__ import annotations

from pathlib import Path

import pytest

from wainwright.local.errors import LocalError
from wainwright.local.synth import is_cached, template_for

# Counts its own runs, and writes a template as the CDK would.
APP = """
import json, os
from pathlib import Path
count = Path("runs")
count.write_text(count.read_text() + "x" if count.exists() else "x")
out = Path(os.environ["CDK_OUTDIR"])
(out / "One.template.json").write_text(json.dumps({"Resources": {}, "Stage": os.environ["WAINWRIGHT_STAGE"]}))
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    (root / "infra").mkdir(parents=True)
    (root / "infra" / "stack.py").write_text("ONE = 1")
    (root / "functions" / "api").mkdir(parents=True)
    (root / "functions" / "api" / "handler.py").write_text("")
    (root / "cdk.json").write_text("{}")
    (root / "app.py").write_text(APP)
    return root


def runs(repository: Path) -> int:
    return len((repository / "runs").read_text())


def test_synthesizes_once_until_a_source_changes(repository: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert not is_cached(repository, cache)
    assert template_for(repository, cache) == {"Resources": {}, "Stage": "dev"}
    assert is_cached(repository, cache)
    assert template_for(repository, cache)["Resources"] == {}
    assert runs(repository) == 1
    (repository / "infra" / "stack.py").write_text("ONE = 2")
    template_for(repository, cache)
    assert runs(repository) == 2
    (repository / "functions" / "api" / "handler.py").write_text("changed = True")
    template_for(repository, cache)
    assert runs(repository) == 2, "a handler's content is no part of the template"
    (repository / "functions" / "sweep").mkdir()
    (repository / "functions" / "sweep" / "handler.py").write_text("")
    template_for(repository, cache)
    assert runs(repository) == 3
    assert template_for(repository, cache, stage="prod")["Stage"] == "prod"
    assert len(list(cache.iterdir())) == 1, "older templates are forgotten"


def test_synthesizes_anew_when_the_cached_template_is_broken(repository: Path, tmp_path: Path) -> None:
    template_for(repository, tmp_path)
    next(tmp_path.glob("template-*.json")).write_text('{"Resour')
    assert template_for(repository, tmp_path)["Resources"] == {}


def test_says_what_went_wrong_in_one_line(repository: Path, tmp_path: Path) -> None:
    (repository / "app.py").write_text("import sys; print('much'); sys.exit('wainwright: no such stage')")
    with pytest.raises(LocalError, match="cannot be synthesized: wainwright: no such stage") as refusal:
        template_for(repository, tmp_path / "cache")
    assert "\n" not in str(refusal.value)


def test_refuses_a_folder_that_is_no_checkout(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match=r"has no app\.py"):
        template_for(tmp_path, tmp_path / "cache")


def test_refuses_more_than_one_stack(repository: Path, tmp_path: Path) -> None:
    (repository / "app.py").write_text(APP + '(out / "Two.template.json").write_text("{}")')
    with pytest.raises(LocalError, match=r"One\.template\.json, Two\.template\.json"):
        template_for(repository, tmp_path / "cache")
