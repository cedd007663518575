"""`python -m dashboard.export`."""

import sys

from dashboard.export.cli import main

if __name__ == "__main__":
    sys.exit(main())
