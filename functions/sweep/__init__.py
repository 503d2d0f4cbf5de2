"""Repairs, every minute."""
