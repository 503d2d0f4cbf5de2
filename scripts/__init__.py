"""Programs that `make` runs to set up a checkout. The standard library alone: nothing else is installed yet."""
