"""Modules of the test process: they import nothing of Wainwright but each other."""
