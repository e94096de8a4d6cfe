#!/usr/bin/env python3
"""Underdrawing in GIMP 3: the program that GIMP starts. Everything is in the package beside it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from underdrawing_gimp.plugin import main

main(sys.argv)
