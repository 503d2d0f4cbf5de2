"""The files that are deployed, and nothing else: what a digest of an asset covers decides what is deployed anew."""

from dataclasses import dataclass
from pathlib import Path

from aws_cdk import IgnoreMode
from aws_cdk import aws_lambda as lambda_

IMAGE = "functions/browser_worker/Dockerfile"


@dataclass(frozen=True)
class Sources:
    """The repository's files, ready to be assets."""

    root: Path

    def code(self, folder: str, exclude: tuple[str, ...]) -> lambda_.Code:
        """The files of a folder of the repository, without those that the patterns of git leave out."""
        return lambda_.Code.from_asset(str(self.root / folder), exclude=list(exclude), ignore_mode=IgnoreMode.GIT)

    def image_excludes(self) -> list[str]:
        """Patterns of what the worker's image is not built from: the file that Docker reads."""
        lines = (self.root / f"{IMAGE}.dockerignore").read_text(encoding="utf-8").splitlines()
        return [line for line in lines if line and not line.startswith("#")]

    def text(self, path: str) -> str:
        """A text file of the repository."""
        return (self.root / path).read_text(encoding="utf-8")
