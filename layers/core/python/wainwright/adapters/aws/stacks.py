"""Deployed stacks: what their outputs say."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from wainwright.domain.errors import NotFound, Unavailable

TABLE_OUTPUT = "TableName"


def stack_name(stage: str) -> str:
    """The CloudFormation stack of a stage."""
    return f"Wainwright-{stage}"


def table_of_stage(cloudformation: Any, stage: str) -> str:
    """The name of a deployed stage's table, from the stack's outputs. ``cloudformation`` is a boto3 client.

    Raises:
        NotFound: the stage is not deployed in the account and region of these credentials.
        Unavailable: AWS did not answer, or not to these credentials.
    """
    try:
        stacks = cloudformation.describe_stacks(StackName=stack_name(stage))["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            raise NotFound(
                f"the stage {stage} is not deployed in this account and region",
                advice=f"Deploy it with `make deploy STAGE={stage}`, or set AWS_PROFILE and AWS_REGION to where it is.",
            ) from error
        raise Unavailable(f"AWS refused: {error}", advice="Check AWS_PROFILE and AWS_REGION.") from error
    except BotoCoreError as error:
        raise Unavailable(f"AWS could not be called: {error}", advice="Set AWS_PROFILE and AWS_REGION.") from error
    for output in stacks[0].get("Outputs", []):
        if output["OutputKey"] == TABLE_OUTPUT:
            return str(output["OutputValue"])
    raise NotFound(
        f"the stack {stack_name(stage)} has no output {TABLE_OUTPUT}", advice=f"Deploy it: `make deploy STAGE={stage}`."
    )
