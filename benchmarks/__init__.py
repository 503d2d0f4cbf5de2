"""Measurements of the budgets; nothing here asserts a time."""
