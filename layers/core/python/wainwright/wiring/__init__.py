"""Puts use cases together with AWS adapters, in a module for each entry point.

A function imports the module of its own work: at its cold start it has those adapters and use cases to import, and no others.
"""
