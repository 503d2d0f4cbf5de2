"""What surrounds test code: its user, its bounds, its environment, its process, the spare."""
