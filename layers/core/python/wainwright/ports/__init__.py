"""Protocols of all that the use cases need of the world. ``adapters/aws`` has the real ones, ``tests/support/memory`` the fakes.

Every implementation of a port passes the same suite in ``tests/contract``.
"""
