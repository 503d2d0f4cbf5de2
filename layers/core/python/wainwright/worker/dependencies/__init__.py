"""Packages of a suite besides the worker's own: found in its bundle, installed once, kept for the next job."""
