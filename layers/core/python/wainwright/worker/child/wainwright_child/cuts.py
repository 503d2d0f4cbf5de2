"""Cuts of long texts. The worker knows each by its mark, and removes what it has left of a secret there."""

from __future__ import annotations

MARK = "… cut …"
"""The same as in `wainwright.domain.cuts`, which this process cannot import."""


def cut_end(text: str, limit: int) -> str:
    """Return the beginning of a long text."""
    return text if len(text) <= limit else text[: limit - len(MARK)] + MARK


def cut_start(text: str, limit: int) -> str:
    """Return the end of a long text."""
    return text if len(text) <= limit else MARK + text[len(text) - limit + len(MARK) :]


def cut_middle(text: str, limit: int) -> str:
    """Return the beginning and the end of a long text: the end of a traceback says what happened."""
    if len(text) <= limit:
        return text
    half = (limit - len(MARK)) // 2
    return f"{text[:half]}{MARK}{text[-half:]}"
