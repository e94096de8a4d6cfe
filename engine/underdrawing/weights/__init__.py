"""Pretrained networks: what there is, where it comes from, and getting it. Light to import; see `catalogue`."""

from underdrawing.weights.catalogue import CATALOGUE, DEFAULT, Entry, Source
from underdrawing.weights.obtain import DownloadProgress, fetch
from underdrawing.weights.store import WeightsError, entry, folder, missing, path

__all__ = [
    "CATALOGUE",
    "DEFAULT",
    "DownloadProgress",
    "Entry",
    "Source",
    "WeightsError",
    "entry",
    "fetch",
    "folder",
    "missing",
    "path",
]
