"""Surroundings of test code: process user, bounds, environment, process and spare."""
