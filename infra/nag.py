"""Acknowledging a cdk-nag finding, with the reason, next to the resource that it is about."""

from aws_cdk import Acknowledgment, CfnElement, Stack, Validations
from aws_cdk import aws_iam as iam
from constructs import IConstruct


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Accept an AwsSolutions finding (``S1``, ``IAM5[Resource::*]``) on a construct and what is below it."""
    Validations.of(construct).acknowledge(Acknowledgment(id=f"AwsSolutions-{rule}", reason=reason))


def acknowledge_grant(grantee: iam.IGrantable, resource: str, reason: str) -> None:
    """Accept a wildcard in what a role was allowed: ``resource`` as findings name it (``<Bucket.Arn>/reports/*``)."""
    role = grantee.grant_principal
    acknowledge(role, f"IAM5[Resource::{resource}]", reason)  # type: ignore[arg-type]  # every principal here is a role


def logical_id(construct: IConstruct) -> str:
    """The name in the template of the resource that a construct stands for, as it appears in the ids of findings.

    Raises:
        TypeError: the construct has no single resource.
    """
    resource = construct.node.default_child
    if not isinstance(resource, CfnElement):
        raise TypeError(f"{construct.node.path} has no resource of its own")
    return Stack.of(construct).get_logical_id(resource)
