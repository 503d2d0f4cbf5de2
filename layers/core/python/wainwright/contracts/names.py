"""Names that are shared by several parts, each built and parsed in one place."""

import re
import uuid
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from wainwright.domain.errors import InvalidInput

# DynamoDB: one table, one row kind per sort-key shape. The adapter builds the keys; infrastructure reads these.

PARTITION_KEY = "pk"
SORT_KEY = "sk"
TTL_ATTRIBUTE = "expiresAt"

ENTITY_ATTRIBUTE = "entity"
JOB_ENTITY = "job"
FACETS_ATTRIBUTE = "facets"
"""Fields that jobs are found by, as JSON: the indexes hold only these, so that changes of a running job do not rewrite them."""

DUE_INDEX = "due"
PROJECT_INDEX = "byProject"
STATUS_INDEX = "byStatus"
TEMPLATE_INDEX = "byTemplate"
BATCH_INDEX = "byBatch"
START_INDEX = "byStart"
END_INDEX = "byEnd"

INDEXES: Mapping[str, tuple[tuple[str, str], tuple[str, ...]]] = MappingProxyType(
    {
        DUE_INDEX: (("dueShard", "dueAt"), (ENTITY_ATTRIBUTE,)),
        # Lists of jobs. The sort key is an instant, ``#`` and the job's id: no two jobs have the same place.
        PROJECT_INDEX: (("byProject", "created"), (FACETS_ATTRIBUTE,)),
        STATUS_INDEX: (("byStatus", "created"), (FACETS_ATTRIBUTE,)),
        TEMPLATE_INDEX: (("byTemplate", "created"), (FACETS_ATTRIBUTE,)),
        BATCH_INDEX: (("byBatch", "created"), (FACETS_ATTRIBUTE,)),
        START_INDEX: (("byProject", "started"), (FACETS_ATTRIBUTE,)),
        END_INDEX: (("byProject", "completed"), (FACETS_ATTRIBUTE,)),
    }
)
"""The table's indexes by name: their keys, and their other attributes. All are sparse: rows without the keys are not in them."""

# S3

UPLOADS = "uploads/"
REPORTS = "reports/"
ASSETS = "assets/"
ARCHIVE = "archive/"
TEMPLATES = "templates/"
ENVIRONMENTS = "environments/"

SECRETS = "wainwright"
"""Path of the secrets of all stages in Parameter Store."""

_JOB_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
_PROJECT = re.compile(r"[a-z0-9][a-z0-9-]{0,39}\Z")


def new_job_id() -> str:
    """Return a new job's id: a random UUID."""
    return str(uuid.uuid4())


def check_job_id(text: str) -> str:
    """Return a job's id; raise InvalidInput for another form."""
    if not _JOB_ID.match(text):
        raise InvalidInput(
            "jobId", "this is not a job id", advice="A job id is a UUID in lower case, as POST /v1/jobs gave it."
        )
    return text


def check_project(text: str) -> str:
    """Return a project's name; raise InvalidInput unless it is 1 to 40 of a-z, 0-9 and hyphen, and starts with no hyphen."""
    if not _PROJECT.match(text):
        raise InvalidInput(
            "project", "a project's name is 1 to 40 characters of a-z, 0-9 and -, and starts with none of the latter"
        )
    return text


def is_template_id(text: str) -> bool:
    """True if this has the form of a template's id: a random UUID, as job ids are."""
    return bool(_JOB_ID.match(text))


def execution_name(job_id: str, run: int) -> str:
    """Return the name of a run's execution, ``<jobId>-<run>``: at most 80 characters, the bound of Step Functions."""
    return f"{job_id}-{run}"


def parse_execution_name(name: str) -> tuple[str, int]:
    """Return the job id and run of an execution's name; raise ValueError if no execution of ours has such a name."""
    job_id, _, run = name.rpartition("-")
    if not _JOB_ID.match(job_id) or not run.isdigit():
        raise ValueError(f"not the name of a job's execution: {name!r}")
    return job_id, int(run)


def bundle_key(project: str, bundle_id: str) -> str:
    """Return the key of a bundle, by project and digest."""
    return f"{UPLOADS}{project}/{bundle_id}.tar.gz"


def template_prefix(project: str, template_id: str) -> str:
    """Return the prefix of the bundles of a template's versions. They do not expire, unlike uploads."""
    return f"{TEMPLATES}{project}/{template_id}/"


def template_bundle_key(project: str, template_id: str, bundle_id: str) -> str:
    """Return the key of a bundle that a version of a template keeps."""
    return f"{template_prefix(project, template_id)}{bundle_id}.tar.gz"


def environment_key(project: str, digest: str) -> str:
    """Return the key of installed dependencies, by the digest of their requirements."""
    return f"{ENVIRONMENTS}{project}/{digest}.tar.gz"


def report_class(days: int) -> str:
    """Return the prefix of reports that are kept for so many days, for which the bucket has a lifecycle rule."""
    return f"{REPORTS}{days}d/"


def report_prefix(project: str, job_id: str, *, days: int = 30) -> str:
    """Return the prefix of all files of a job. ``days`` is the job's retention class."""
    return f"{report_class(days)}{project}/{job_id}/"


def artifact_name(writer: str, number: int, name: str) -> str:
    """Return the path of an attachment in the report. ``writer``, a fence and perhaps a lane, makes it unique."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[-80:] or "file"
    return f"data/{writer}-{number}-{safe}"


def report_key(project: str, job_id: str, *, fence: int, path: str, days: int = 30) -> str:
    """Return the key of a file of a job's report, by its path in the report.

    Attachments (``data/…``) have their fence in the name and are shared by all later reports; all other files are written
    anew, under the fence of their writer.
    """
    prefix = report_prefix(project, job_id, days=days)
    return f"{prefix}{path}" if path.startswith("data/") else f"{prefix}f{fence}/{path}"


class ReportFileName(NamedTuple):
    """Parts of a report's key. ``fence`` is None for attachments, which all later reports of the job share."""

    project: str
    job_id: str
    fence: int | None
    path: str


_REPORT_KEY = re.compile(rf"{REPORTS}\d+d/([^/]+)/([^/]+)/(?:f(\d+)/(.+)|(data/.+))\Z")


def parse_report_key(key: str) -> ReportFileName | None:
    """Return the parts of a report's key; None for any other key."""
    match = _REPORT_KEY.match(key)
    if match is None:
        return None
    project, job_id, fence, path, attachment = match.groups()
    return ReportFileName(project, job_id, int(fence) if fence else None, path or attachment)


def key_group(key: str) -> str:
    """Return the prefix of an object's group: all of its job, or of its version of the trace viewer."""
    return "/".join(key.split("/")[: 4 if key.startswith(REPORTS) else 3]) + "/"


def archive_key(project: str, job_id: str) -> str:
    """Return the key of a deleted job's record, if its project archives."""
    return f"{ARCHIVE}{project}/{job_id}.json"


TRACE_VIEWER = "trace/"
"""Path of the trace viewer in a report, and its name among a report's missing files."""


def viewer_key(version: str, path: str) -> str:
    """Return the key of a file of the trace viewer, shared by the reports of one version of Playwright."""
    return f"{ASSETS}trace-viewer/{version}/{path}"


def secret_path(stage: str, project: str) -> str:
    """Return the path of a project's secrets in Parameter Store."""
    return f"/{SECRETS}/{stage}/{project}"
