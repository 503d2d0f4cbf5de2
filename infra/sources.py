"""The files that are deployed, and nothing else: what a digest of an asset covers decides what is deployed anew."""

from dataclasses import dataclass
from pathlib import Path

from aws_cdk import IgnoreMode
from aws_cdk import aws_lambda as lambda_

from infra.deployed_files import CORE, DEPS, FUNCTIONS

IMAGE = "functions/browser_worker/Dockerfile"


@dataclass(frozen=True)
class Sources:
    """The repository's files, ready to be assets."""

    root: Path

    def functions(self) -> lambda_.Code:
        """The handlers; one asset for all functions."""
        return lambda_.Code.from_asset(str(self.root), exclude=list(FUNCTIONS), ignore_mode=IgnoreMode.GIT)

    def core_layer(self) -> lambda_.Code:
        """The package."""
        return self._folder("layers/core", CORE)

    def deps_layer(self) -> lambda_.Code:
        """Third-party packages; empty until they are built, which is enough to synthesize and to run locally."""
        return self._folder("layers/deps", DEPS)

    def image_excludes(self) -> list[str]:
        """Patterns of what the worker's image is not built from: the file that Docker reads."""
        lines = (self.root / f"{IMAGE}.dockerignore").read_text(encoding="utf-8").splitlines()
        return [line for line in lines if line and not line.startswith("#")]

    def text(self, path: str) -> str:
        """A text file of the repository."""
        return (self.root / path).read_text(encoding="utf-8")

    def _folder(self, path: str, exclude: tuple[str, ...]) -> lambda_.Code:
        return lambda_.Code.from_asset(str(self.root / path), exclude=list(exclude), ignore_mode=IgnoreMode.GIT)
