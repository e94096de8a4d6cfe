#!/usr/bin/env python3
"""Underdrawing in GIMP 3: the program that GIMP starts. Everything is in the package beside it."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from underdrawing_gimp.plugin import main  # noqa: E402

main(sys.argv)
