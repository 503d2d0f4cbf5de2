"""Inline scripts."""

import pytest

from wainwright.domain.errors import InvalidInput
from wainwright.usecases.check_scripts import check_scripts

GOOD = {"test_a.py": "def test_a():\n    pass\n"}


def test_takes_several_files_of_which_one_holds_tests() -> None:
    check_scripts({"pages.py": "HOME = '/'\n"} | GOOD)
    check_scripts({"cart_test.py": "import pages\n"})


def test_says_in_which_file_and_where_a_script_does_not_compile() -> None:
    with pytest.raises(InvalidInput) as refused:
        check_scripts(GOOD | {"test_b.py": "x = 1\ny = (1,\n"})

    assert refused.value.field == "scripts.1.content"
    assert refused.value.extra == {"file": "test_b.py", "line": 2, "column": 5}
    assert refused.value.message.startswith("test_b.py, line 2, column 5: ")


def test_refuses_files_of_which_none_would_be_run() -> None:
    with pytest.raises(InvalidInput) as refused:
        check_scripts({"cart.py": "def test_a(): pass"})

    assert refused.value.field == "scripts"
    assert "test_" in refused.value.advice
