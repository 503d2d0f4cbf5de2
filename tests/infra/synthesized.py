"""Reading synthesized templates in tests."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

ROOT = Path(__file__).resolve().parents[2]

Resource = Mapping[str, Any]


def context() -> dict[str, Any]:
    """The flags that the CDK's command line reads."""
    return cast(dict[str, Any], json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"])


@dataclass(frozen=True)
class Synthesized:
    """One stack's template and the assets that it names."""

    folder: Path
    body: Mapping[str, Any]
    assets: Mapping[str, Any]

    @classmethod
    def read(cls, folder: Path, stack: str) -> "Synthesized":
        """A stack's template from a folder of synthesis."""
        template, assets = (
            json.loads((folder / f"{stack}.{kind}.json").read_text(encoding="utf-8")) for kind in ("template", "assets")
        )
        return cls(folder, template, assets)

    @property
    def resources(self) -> Mapping[str, Resource]:
        """All resources by logical id."""
        return cast(Mapping[str, Resource], self.body["Resources"])

    def of_type(self, kind: str) -> dict[str, Resource]:
        """Properties of all resources of a type, by logical id."""
        return {name: found.get("Properties", {}) for name, found in self.resources.items() if found["Type"] == kind}

    def one(self, kind: str) -> Resource:
        """Properties of the only resource of a type."""
        (found,) = self.of_type(kind).values()
        return found

    def functions(self) -> dict[str, Resource]:
        """Properties of the functions by the name of their folder."""
        return {found["Handler"].split(".")[1]: found for found in self.of_type("AWS::Lambda::Function").values()}

    def function_name(self, reference: Any) -> str:
        """The folder of the function that a Ref or a GetAtt points to."""
        return str(self.resources[target(reference)]["Properties"]["Handler"]).split(".")[1]

    def environments(self) -> dict[str, Mapping[str, Any]]:
        """Variables of each function and of the worker."""
        container = self.container()
        return {
            **{name: found["Environment"]["Variables"] for name, found in self.functions().items()},
            "worker": {entry["Name"]: entry["Value"] for entry in container["Environment"]},
        }

    def container(self) -> Resource:
        """The worker's container."""
        (container,) = self.one("AWS::ECS::TaskDefinition")["ContainerDefinitions"]
        return cast(Resource, container)

    def statements(self) -> Iterator[tuple[str, Resource]]:
        """Every statement that allows a role something, with the policy's logical id."""
        for name, policy in self.of_type("AWS::IAM::Policy").items():
            for statement in policy["PolicyDocument"]["Statement"]:
                yield name, statement

    def allowed(self, role: str) -> set[str]:
        """Every action allowed to the role whose policy's logical id begins so."""
        return {
            action
            for name, statement in self.statements()
            if name.startswith(role)
            for action in as_list(statement["Action"])
        }


def target(reference: Any) -> str:
    """The logical id that a Ref or a GetAtt names."""
    if "Ref" in reference:
        return str(reference["Ref"])
    return str(reference["Fn::GetAtt"][0])


def as_list(value: Any) -> list[Any]:
    """The list that CloudFormation writes as one value or as several."""
    return value if isinstance(value, list) else [value]


def rendered(value: Any) -> str:
    """A value with its references written out: ``<Table.Arn>/index/*``."""
    match value:
        case str():
            return value
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(rendered(part) for part in parts)
        case _:
            return json.dumps(value)
