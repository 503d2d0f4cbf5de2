"""Admission of waiting jobs."""
