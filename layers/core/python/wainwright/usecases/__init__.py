"""One use case a file: what Wainwright does, told in terms of ports."""
