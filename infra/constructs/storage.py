"""The one table: jobs, waiting lines, counters, workers, keys, events."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.nag import acknowledge_grant, logical_id
from infra.stages import Stage
from wainwright.contracts import names

READ = ("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query")
WRITE = (
    "dynamodb:BatchWriteItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
)
"""Transactions are authorised by the actions of their parts. No one scans."""


class Storage(Construct):
    """The table, its indexes and its stream."""

    def __init__(self, scope: Construct, construct_id: str, stage: Stage) -> None:
        super().__init__(scope, construct_id)
        self.table = dynamodb.Table(
            self,
            "Table",
            partition_key=_text(names.PARTITION_KEY),
            sort_key=_text(names.SORT_KEY),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
            time_to_live_attribute=names.TTL_ATTRIBUTE,
            # AWS-owned keys: encrypted at rest, without a charge for each request.
            encryption=dynamodb.TableEncryption.DEFAULT,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=stage.keep_data,
            removal_policy=RemovalPolicy.RETAIN if stage.keep_data else RemovalPolicy.DESTROY,
        )
        # Lists and the sweep read the rows that an index names by key, consistently. So the indexes hold only what filters
        # look at, and a running job, whose row is written every few seconds, does not pay for seven copies of it.
        for name, (keys, attributes) in names.INDEXES.items():
            self._index(name, keys, attributes)

    def grant_read(self, grantee: iam.IGrantable) -> None:
        """Allow reading rows by key or by index."""
        self._grant(grantee, READ)

    def grant_read_write(self, grantee: iam.IGrantable) -> None:
        """Allow reading and writing rows, in transactions too."""
        self._grant(grantee, READ + WRITE)

    def _grant(self, grantee: iam.IGrantable, actions: tuple[str, ...]) -> None:
        self.table.grant(grantee, *actions)
        acknowledge_grant(
            grantee,
            f"<{logical_id(self.table)}.Arn>/index/*",
            "A table's indexes can only be named together by their path below the table.",
        )

    def _index(self, name: str, keys: tuple[str, str], attributes: tuple[str, ...]) -> None:
        partition_key, sort_key = keys
        self.table.add_global_secondary_index(
            index_name=name,
            partition_key=_text(partition_key),
            sort_key=_text(sort_key),
            projection_type=dynamodb.ProjectionType.INCLUDE,
            non_key_attributes=[*attributes],
        )


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
