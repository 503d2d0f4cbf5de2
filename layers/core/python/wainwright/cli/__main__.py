"""``python -m wainwright.cli``: the same as ``wainwright``."""

from wainwright.cli.main import app

if __name__ == "__main__":
    app(prog_name="wainwright")
