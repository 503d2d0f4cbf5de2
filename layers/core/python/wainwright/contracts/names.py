"""Names that several parts must agree on, each built and parsed in one place."""

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
"""What jobs are found by, as JSON: the indexes hold it, so that what happens to a running job does not rewrite them."""

DUE_INDEX = "due"
DUE_INDEX_KEYS = ("dueShard", "dueAt")

# Lists of jobs. The sort key is an instant, ``#`` and the job's id: no two jobs have the same place.
PROJECT_INDEX = "byProject"
PROJECT_INDEX_KEYS = ("byProject", "created")
STATUS_INDEX = "byStatus"
STATUS_INDEX_KEYS = ("byStatus", "created")
TEMPLATE_INDEX = "byTemplate"
TEMPLATE_INDEX_KEYS = ("byTemplate", "created")
BATCH_INDEX = "byBatch"
BATCH_INDEX_KEYS = ("byBatch", "created")
START_INDEX = "byStart"
START_INDEX_KEYS = ("byProject", "started")
END_INDEX = "byEnd"
END_INDEX_KEYS = ("byProject", "completed")

INDEXES: Mapping[str, tuple[tuple[str, str], tuple[str, ...]]] = MappingProxyType(
    {
        DUE_INDEX: (DUE_INDEX_KEYS, (ENTITY_ATTRIBUTE,)),
        PROJECT_INDEX: (PROJECT_INDEX_KEYS, (FACETS_ATTRIBUTE,)),
        STATUS_INDEX: (STATUS_INDEX_KEYS, (FACETS_ATTRIBUTE,)),
        TEMPLATE_INDEX: (TEMPLATE_INDEX_KEYS, (FACETS_ATTRIBUTE,)),
        BATCH_INDEX: (BATCH_INDEX_KEYS, (FACETS_ATTRIBUTE,)),
        START_INDEX: (START_INDEX_KEYS, (FACETS_ATTRIBUTE,)),
        END_INDEX: (END_INDEX_KEYS, (FACETS_ATTRIBUTE,)),
    }
)
"""The table's indexes by name: their keys, and what else they hold. All are sparse: rows without the keys are not in them."""

# S3

UPLOADS = "uploads/"
REPORTS = "reports/"
ASSETS = "assets/"
ARCHIVE = "archive/"
TEMPLATES = "templates/"
ENVIRONMENTS = "environments/"

SECRETS = "wainwright"
"""Below this path of Parameter Store lie the secrets of all stages."""

_JOB_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
_PROJECT = re.compile(r"[a-z0-9][a-z0-9-]{0,39}\Z")


def new_job_id() -> str:
    """A new job's id: a random UUID."""
    return str(uuid.uuid4())


def check_job_id(text: str) -> str:
    """The id, if it has a job id's form.

    Raises:
        InvalidInput: it has another form.
    """
    if not _JOB_ID.match(text):
        raise InvalidInput(
            "jobId", "this is not a job id", advice="A job id is a UUID in lower case, as POST /v1/jobs gave it."
        )
    return text


def check_project(text: str) -> str:
    """The project's name, if it is one: 1 to 40 of a-z, 0-9 and hyphen, not starting with a hyphen.

    Raises:
        InvalidInput: it is not.
    """
    if not _PROJECT.match(text):
        raise InvalidInput(
            "project", "a project's name is 1 to 40 characters of a-z, 0-9 and -, and starts with none of the latter"
        )
    return text


def is_template_id(text: str) -> bool:
    """Whether this has a template id's form: a random UUID, as job ids are."""
    return bool(_JOB_ID.match(text))


def execution_name(job_id: str, run: int) -> str:
    """The name of a run's state-machine execution: ``<jobId>-<run>``; at most 80 characters, as Step Functions asks."""
    return f"{job_id}-{run}"


def parse_execution_name(name: str) -> tuple[str, int]:
    """Job id and run of an execution's name.

    Raises:
        ValueError: no execution of ours has such a name.
    """
    job_id, _, run = name.rpartition("-")
    if not _JOB_ID.match(job_id) or not run.isdigit():
        raise ValueError(f"not the name of a job's execution: {name!r}")
    return job_id, int(run)


def bundle_key(project: str, bundle_id: str) -> str:
    """Where a bundle lies: by project and digest."""
    return f"{UPLOADS}{project}/{bundle_id}.tar.gz"


def template_prefix(project: str, template_id: str) -> str:
    """Under this prefix lie the bundles of a template's versions. They do not expire, unlike uploads."""
    return f"{TEMPLATES}{project}/{template_id}/"


def template_bundle_key(project: str, template_id: str, bundle_id: str) -> str:
    """Where a template keeps a bundle of one of its versions."""
    return f"{template_prefix(project, template_id)}{bundle_id}.tar.gz"


def environment_key(project: str, digest: str) -> str:
    """Where the installed dependencies of a project's suites lie: by digest of what they were made from."""
    return f"{ENVIRONMENTS}{project}/{digest}.tar.gz"


def report_class(days: int) -> str:
    """Under this prefix lie the reports that are kept for so many days; the bucket has a lifecycle rule for it."""
    return f"{REPORTS}{days}d/"


def report_prefix(project: str, job_id: str, *, days: int = 30) -> str:
    """Under this prefix lies all that a job leaves. ``days`` is the job's retention class."""
    return f"{report_class(days)}{project}/{job_id}/"


def artifact_name(writer: str, number: int, name: str) -> str:
    """A report-relative name of one attachment. ``writer``, a fence and perhaps a lane, keeps the files of two apart."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[-80:] or "file"
    return f"data/{writer}-{number}-{safe}"


def report_key(project: str, job_id: str, *, fence: int, path: str, days: int = 30) -> str:
    """Where one file of a job's report lies, by its path in the report.

    Attachments (``data/…``) carry their fence in the name and are shared by every later fence's report;
    everything else is written anew, under the fence of its writer.
    """
    prefix = report_prefix(project, job_id, days=days)
    return f"{prefix}{path}" if path.startswith("data/") else f"{prefix}f{fence}/{path}"


class ReportFileName(NamedTuple):
    """What a report's key says. ``fence`` is None for attachments, which all later reports of the job share."""

    project: str
    job_id: str
    fence: int | None
    path: str


_REPORT_KEY = re.compile(rf"{REPORTS}\d+d/([^/]+)/([^/]+)/(?:f(\d+)/(.+)|(data/.+))\Z")


def parse_report_key(key: str) -> ReportFileName | None:
    """Whose file a key of the bucket names, and which; None where it is no report's."""
    match = _REPORT_KEY.match(key)
    if match is None:
        return None
    project, job_id, fence, path, attachment = match.groups()
    return ReportFileName(project, job_id, int(fence) if fence else None, path or attachment)


def key_group(key: str) -> str:
    """The prefix of what belongs together with an object: all of its job, or of its version of the trace viewer."""
    return "/".join(key.split("/")[: 4 if key.startswith(REPORTS) else 3]) + "/"


def archive_key(project: str, job_id: str) -> str:
    """Where the record of a deleted job lies, if its project archives."""
    return f"{ARCHIVE}{project}/{job_id}.json"


TRACE_VIEWER = "trace/"
"""Where a report's pages expect the trace viewer, and the name by which a report says that it is without it."""


def viewer_key(version: str, path: str) -> str:
    """Where one file of the trace viewer lies, once for each version of Playwright."""
    return f"{ASSETS}trace-viewer/{version}/{path}"


def secret_path(stage: str, project: str) -> str:
    """Below this path of Parameter Store lie the secrets of a project."""
    return f"/{SECRETS}/{stage}/{project}"
