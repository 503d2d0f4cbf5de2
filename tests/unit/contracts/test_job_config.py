"""How a job's browser is asked for."""

from typing import Any

import pytest
from pydantic import ValidationError

from wainwright.domain.job_config import JobConfig


@pytest.mark.parametrize(
    ("given", "kept"),
    [("firefox", "firefox"), (["chromium", "webkit"], ("chromium", "webkit")), (None, None)],
    ids=["one", "several", "none"],
)
def test_takes_one_browser_or_several(given: Any, kept: Any) -> None:
    assert JobConfig.model_validate({"browser": given}).browser == kept


@pytest.mark.parametrize("given", ["opera", [], ["chromium", "opera"], ["chromium", "chromium"], 7, {"chromium": 1}])
def test_refuses_other_browsers(given: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        JobConfig.model_validate({"browser": given})
    [error] = refused.value.errors()
    assert error["loc"] == ("browser",)
    assert "should be one of chromium, firefox, webkit, or a list of them, each once" in error["msg"]
