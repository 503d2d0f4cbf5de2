"""Fakes of every port that behave like the real ones: for tests of Wainwright and of what is built on it."""
