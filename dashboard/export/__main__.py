"""`python -m dashboard.export`."""

from dashboard.export.cli import main

if __name__ == "__main__":
    main()
