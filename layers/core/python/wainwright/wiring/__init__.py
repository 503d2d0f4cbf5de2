"""Use cases put together with AWS adapters, where more than one entry point uses them.

A function puts its own use case together in its handler: at its cold start it has those adapters and use cases to import, and
no others.
"""
