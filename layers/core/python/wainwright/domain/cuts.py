"""Cuts of long texts, each with a mark, at which redaction looks for the part of a secret that the cut has left."""

CUT_MARK = "… cut …"
"""Stands for what was left out. The test process, which cannot import this, writes the same (`failures.py`, `settings.cjs`)."""


def cut_end(text: str, limit: int) -> str:
    """Return at most `limit` characters: the beginning of a longer text, and the mark."""
    if len(text) <= limit:
        return text
    end = limit - len(CUT_MARK)
    halved = _find_halved(text, end)
    return text[: end if halved < 0 else halved] + CUT_MARK


def cut_start(text: str, limit: int) -> str:
    """Return at most `limit` characters: the mark, and the end of a longer text."""
    if len(text) <= limit:
        return text
    start = len(text) - limit + len(CUT_MARK)
    halved = _find_halved(text, start)
    return CUT_MARK + text[start if halved < 0 else halved + len(CUT_MARK) :]


def _find_halved(text: str, at: int) -> int:
    """Return the place of a mark that a cut here would halve, which nobody would know any more; -1 if there is none."""
    return text.find(CUT_MARK, max(0, at - len(CUT_MARK) + 1), at + len(CUT_MARK) - 1)
