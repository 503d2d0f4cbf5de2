"""Compute entry points, one folder each: parse, call one use case, map out."""
