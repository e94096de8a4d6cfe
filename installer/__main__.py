"""`python3 installer ...`: see ud_main.py. Pythons that are too old for the rest have to understand this file."""

import sys

if sys.version_info < (3, 9):  # noqa: UP036
    sys.exit("Underdrawing's installer starts with Python 3.9 or newer: install 3.11 or newer, and start it with that.")

from ud_main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
