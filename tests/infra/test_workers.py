"""The workers: network, cluster and task definition."""

import json
import re

import pytest

from tests.infra.synthesized import ROOT, Synthesized, target

IMAGE = ROOT / "functions" / "browser_worker" / "Dockerfile"

DEFAULT_CAPABILITIES = {
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
}
"""Capabilities of a container by default."""


@pytest.fixture
def dockerfile() -> str:
    """The image's recipe, continued lines joined, comments left out."""
    text = IMAGE.read_text(encoding="utf-8").replace("\\\n", "")
    return "\n".join(line for line in text.splitlines() if not line.startswith("#"))


def test_network_has_gateway_endpoints_and_nothing_that_is_paid_by_the_hour(each: Synthesized) -> None:
    kinds = {resource["Type"] for resource in each.resources.values()}
    endpoints = each.of_type("AWS::EC2::VPCEndpoint").values()

    assert kinds.isdisjoint({"AWS::EC2::NatGateway", "AWS::EC2::EIP", "AWS::EC2::Instance"})
    assert [endpoint["VpcEndpointType"] for endpoint in endpoints] == ["Gateway", "Gateway"]
    assert {endpoint["ServiceName"]["Fn::Join"][1][-1] for endpoint in endpoints} == {".s3", ".dynamodb"}


def test_subnets_lie_in_two_zones(each: Synthesized) -> None:
    zones = [json.dumps(subnet["AvailabilityZone"]) for subnet in each.of_type("AWS::EC2::Subnet").values()]

    assert len(zones) == len(set(zones)) == 2


def test_nothing_comes_in(each: Synthesized) -> None:
    assert "SecurityGroupIngress" not in each.one("AWS::EC2::SecurityGroup")
    assert each.of_type("AWS::EC2::SecurityGroupIngress") == {}


def test_cluster_offers_spot_and_on_demand(each: Synthesized) -> None:
    offered = each.one("AWS::ECS::ClusterCapacityProviderAssociations")

    assert set(offered["CapacityProviders"]) == {"FARGATE", "FARGATE_SPOT"}


def test_workers_run_on_arm64_without_privileges(each: Synthesized) -> None:
    task, container = each.one("AWS::ECS::TaskDefinition"), each.container()

    assert task["RequiresCompatibilities"] == ["FARGATE"]
    assert task["RuntimePlatform"] == {"CpuArchitecture": "ARM64", "OperatingSystemFamily": "LINUX"}
    assert container.get("Privileged", False) is False
    assert "Add" not in container["LinuxParameters"]["Capabilities"]
    assert DEFAULT_CAPABILITIES - set(container["LinuxParameters"]["Capabilities"]["Drop"]) == {
        "KILL",
        "SETGID",
        "SETUID",
    }


def test_workers_have_an_init_and_two_minutes_to_go(each: Synthesized) -> None:
    container = each.container()

    assert container["LinuxParameters"]["InitProcessEnabled"] is True
    assert container["StopTimeout"] == 120


def test_workers_log_to_a_group_of_ours(each: Synthesized) -> None:
    log = each.container()["LogConfiguration"]

    assert log["LogDriver"] == "awslogs"
    assert target(log["Options"]["awslogs-group"]) in each.of_type("AWS::Logs::LogGroup")


def test_stages_differ_in_the_workers_memory(dev: Synthesized, prod: Synthesized) -> None:
    sizes = [(task["Cpu"], task["Memory"]) for task in (one.one("AWS::ECS::TaskDefinition") for one in (dev, prod))]

    assert sizes == [("1024", "2048"), ("1024", "4096")]


def test_image_is_built_for_arm64_from_its_sources_alone(dev: Synthesized) -> None:
    (image,) = dev.assets["dockerImages"].values()
    folder = dev.folder / image["source"]["directory"]
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}

    assert image["source"]["platform"] == "linux/arm64"
    assert image["source"]["dockerFile"] == "functions/browser_worker/Dockerfile"
    assert "layers/core/python/wainwright/__init__.py" in files
    package = "layers/core/python/wainwright/"
    assert {path for path in files if not path.startswith(package)} == {
        "functions/browser_worker/Dockerfile",
        "requirements/worker.txt",
    }
    assert not any(path.startswith((f"{package}cli/", f"{package}local/")) or path.endswith(".pyc") for path in files)


def test_everything_copied_into_the_image_is_in_its_context(dev: Synthesized, dockerfile: str) -> None:
    (image,) = dev.assets["dockerImages"].values()
    folder = dev.folder / image["source"]["directory"]
    copied = re.findall(r"^COPY (\S+) \S+$", dockerfile, flags=re.MULTILINE)

    assert copied
    assert [path for path in copied if not (folder / path).exists()] == []


def test_image_starts_the_agent_and_has_a_user_for_tests(dockerfile: str) -> None:
    assert dockerfile.rstrip().endswith('ENTRYPOINT ["python", "-m", "wainwright.worker"]')
    (options,) = re.findall(r"useradd (.+) tester\b", dockerfile)
    assert "--uid 10001" in options
    assert "--no-create-home" in options, "what a job leaves there would be found by another project's"
    assert "USER" not in dockerfile.split(), "the agent drops its own rights for each test process"


def test_image_installs_pinned_packages_only(dockerfile: str) -> None:
    (install,) = re.findall(r"^RUN pip install (.+)$", dockerfile, flags=re.MULTILINE)
    pins = (ROOT / "requirements" / "worker.txt").read_text(encoding="utf-8")

    assert "--require-hashes" in install
    assert re.search(r"^playwright==[\d.]+", pins, flags=re.MULTILINE)
    assert re.search(r"^FROM python:\d+\.\d+", dockerfile, flags=re.MULTILINE)


def test_image_and_functions_are_of_one_python(dev: Synthesized, dockerfile: str) -> None:
    (version,) = re.findall(r"^FROM python:(\d+\.\d+)", dockerfile, flags=re.MULTILINE)

    assert {found["Runtime"] for found in dev.functions().values()} == {f"python{version}"}
