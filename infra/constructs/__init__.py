"""The boxes of the picture."""
