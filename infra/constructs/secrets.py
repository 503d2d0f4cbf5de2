"""Secrets of projects: parameters below one path, which the API may change and only workers may read."""

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.nag import acknowledge_grant
from infra.stages import Stage
from wainwright.contracts.names import SECRETS


class Secrets(Construct):
    """The path below which the secrets of a stage lie. Parameters are made by the API; the template has none of them.

    They are encrypted with the account's own key for Parameter Store, whose policy lets in whoever the parameter's permission
    does: a key of our own would cost as much a month as thousands of jobs.
    """

    def __init__(self, scope: Construct, construct_id: str, stage: Stage) -> None:
        super().__init__(scope, construct_id)
        self._path = f"{SECRETS}/{stage.name}/*"
        self._arn = Stack.of(self).format_arn(
            service="ssm", resource="parameter", resource_name=self._path, arn_format=ArnFormat.SLASH_RESOURCE_NAME
        )

    def grant_change(self, grantee: iam.IGrantable) -> None:
        """Allow setting and deleting secrets, and nothing that shows one."""
        self._grant(grantee, "ssm:PutParameter", "ssm:DeleteParameter")

    def grant_read(self, grantee: iam.IGrantable) -> None:
        """Allow reading the secrets of a project."""
        self._grant(grantee, "ssm:GetParametersByPath")

    def _grant(self, grantee: iam.IGrantable, *actions: str) -> None:
        iam.Grant.add_to_principal(grantee=grantee, actions=list(actions), resource_arns=[self._arn])
        acknowledge_grant(
            grantee,
            f"arn:<AWS::Partition>:ssm:<AWS::Region>:<AWS::AccountId>:parameter/{self._path}",
            "Projects and their secrets come and go; all of this stage's lie below this path, and nothing else does.",
        )
