"""What the use cases need of the world, as protocols. ``adapters/aws`` has the real ones, ``tests/support/memory`` the fakes.

Every implementation of a port passes the same suite in ``tests/contract``.
"""
