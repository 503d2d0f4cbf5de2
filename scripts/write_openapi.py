"""Write ``docs/openapi.json`` anew: ``python -m scripts.write_openapi``."""

from pathlib import Path

from functions.api.openapi import to_text

TARGET = Path(__file__).parents[1] / "docs" / "openapi.json"


def main() -> None:
    """Write the file."""
    TARGET.write_text(to_text(), encoding="utf-8")
    print(f"wrote {TARGET}")


if __name__ == "__main__":
    main()
