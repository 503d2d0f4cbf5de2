"""The bucket: uploaded bundles, reports, and the trace viewer's files."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.nag import acknowledge, acknowledge_grant, logical_id
from infra.stages import Stage
from wainwright.contracts import names
from wainwright.contracts.report_files import REPORT_ZIP
from wainwright.domain.capacity import REPORT_CLASSES

UPLOADS_DAYS = 7
"""Job data is kept for 7 days (requirement D9); a bundle is of no use without its jobs."""

ENVIRONMENTS_DAYS = 14
"""Counted from the install, so that a suite which does not pin its packages gets newer ones at times."""


class Artifacts(Construct):
    """A private bucket. Browsers reach it by presigned URLs alone, from the reports' origin alone."""

    def __init__(self, scope: Construct, construct_id: str, stage: Stage, *, reports_origin: str) -> None:
        super().__init__(scope, construct_id)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            cors=[_viewer_access(reports_origin)],
            lifecycle_rules=[
                _expiry("uploads", UPLOADS_DAYS, prefix=names.UPLOADS),
                _expiry("environments", ENVIRONMENTS_DAYS, prefix=names.ENVIRONMENTS),
                *(_expiry(f"reports-{days}", days, prefix=names.report_class(days)) for days in REPORT_CLASSES),
                s3.LifecycleRule(id="abandoned-parts", abort_incomplete_multipart_upload_after=Duration.days(1)),
            ],
            # A bucket that holds something is never deleted with its stack: CloudFormation refuses.
            removal_policy=RemovalPolicy.RETAIN if stage.keep_data else RemovalPolicy.DESTROY,
        )
        acknowledge(
            self.bucket,
            "S1",
            "Every read of a report goes through the API, which logs it, before a URL is signed; a second bucket for "
            "S3's own access logs would cost more than the reports do. CloudTrail data events serve an audit.",
        )

    def grant_upload(self, grantee: iam.IGrantable) -> None:
        """Allow putting bundles, and asking whether one is there."""
        self._grant(grantee, ["s3:PutObject"], names.UPLOADS)
        self.grant_read_uploads(grantee)

    def grant_templates(self, grantee: iam.IGrantable) -> None:
        """Allow keeping what templates run, for as long as the templates are: no lifecycle rule deletes that."""
        self._grant(grantee, ["s3:PutObject", "s3:DeleteObject"], names.TEMPLATES)
        self._grant_reading(grantee, names.TEMPLATES)

    def grant_read_uploads(self, grantee: iam.IGrantable) -> None:
        """Allow getting bundles."""
        self._grant_reading(grantee, names.UPLOADS)

    def grant_read_reports(self, grantee: iam.IGrantable) -> None:
        """Allow getting what jobs left, and the trace viewer."""
        self._grant_reading(grantee, names.REPORTS, names.ASSETS)

    def grant_delete_reports(self, grantee: iam.IGrantable) -> None:
        """Allow deleting what jobs left."""
        self._grant(grantee, ["s3:DeleteObject"], names.REPORTS)
        self._grant_listing(grantee)

    def grant_archive(self, grantee: iam.IGrantable) -> None:
        """Allow keeping the records of jobs that are deleted."""
        self._grant(grantee, ["s3:PutObject"], names.ARCHIVE)

    def grant_write_reports(self, grantee: iam.IGrantable) -> None:
        """Allow putting what jobs leave, and the trace viewer."""
        self._grant(grantee, ["s3:PutObject", "s3:AbortMultipartUpload"], names.REPORTS, names.ASSETS)

    def grant_pack_reports(self, grantee: iam.IGrantable) -> None:
        """Allow putting the zips of reports, and nothing else of them."""
        self._grant(grantee, ["s3:PutObject"], f"{names.REPORTS}*/{REPORT_ZIP}")

    def grant_environments(self, grantee: iam.IGrantable) -> None:
        """Allow keeping the installed dependencies of suites for other workers."""
        self._grant(grantee, ["s3:PutObject"], names.ENVIRONMENTS)
        self._grant_reading(grantee, names.ENVIRONMENTS)

    def _grant_reading(self, grantee: iam.IGrantable, *prefixes: str) -> None:
        self._grant(grantee, ["s3:GetObject"], *prefixes)
        # Whoever may not list is told 403 instead of 404 of an object that is not there.
        self._grant_listing(grantee)

    def _grant_listing(self, grantee: iam.IGrantable) -> None:
        iam.Grant.add_to_principal(grantee=grantee, actions=["s3:ListBucket"], resource_arns=[self.bucket.bucket_arn])

    def _grant(self, grantee: iam.IGrantable, actions: list[str], *names_or_prefixes: str) -> None:
        patterns = [f"{each}*" if each.endswith("/") else each for each in names_or_prefixes]
        # The bucket's own grants speak of s3:GetObject* and s3:DeleteObject*; these say what is needed.
        iam.Grant.add_to_principal(
            grantee=grantee, actions=actions, resource_arns=[self.bucket.arn_for_objects(each) for each in patterns]
        )
        for pattern in patterns:
            acknowledge_grant(
                grantee,
                f"<{logical_id(self.bucket)}.Arn>/{pattern}",
                f"Objects at {pattern} are named by project and job, which come and go.",
            )


def _expiry(name: str, days: int, *, prefix: str) -> s3.LifecycleRule:
    return s3.LifecycleRule(id=name, prefix=prefix, expiration=Duration.days(days))


def _viewer_access(origin: str) -> s3.CorsRule:
    """The trace viewer fetches traces in ranges, and is redirected from the reports' origin to the bucket."""
    return s3.CorsRule(
        allowed_origins=[origin],
        allowed_methods=[s3.HttpMethods.GET, s3.HttpMethods.HEAD],
        allowed_headers=["Range"],
        exposed_headers=["Accept-Ranges", "Content-Length", "Content-Range", "ETag"],
        max_age=3600,
    )
