"""The one-machine AWS: moto, and what moto does not drive."""
