"""`python -m underdrawing`: the command line."""

import os
import sys

# `python -m` looks for every module in the current folder first: in Downloads, say, a `pip.py` would run.
if sys.path[0] == os.getcwd():  # noqa: PTH109 - as a text, as it stands there
    del sys.path[0]

from underdrawing.commands.main import main

if __name__ == "__main__":
    main()
