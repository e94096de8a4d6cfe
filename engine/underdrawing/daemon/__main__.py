"""`python -m underdrawing.daemon`: the engine."""

import sys

from underdrawing.daemon.main import main

if __name__ == "__main__":
    sys.exit(main())
