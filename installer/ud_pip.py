"""Running pip: progress for the person, every word in the log, and its own reason when it fails."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ud_hardware import clean_environment
from ud_report import InstallError, Reporter


@dataclass(frozen=True)
class Where:
    """Where packages come from. Nothing set: wherever the user's own pip settings say."""

    offline: Path | None = None
    """A folder with all files: nothing is downloaded."""
    index: str | None = None
    """A package index in place of the user's (`--mirror`)."""
    torch_index: str | None = None
    """An index for torch in place of the one in sources.json."""

    def options(self) -> list[str]:
        """pip's own words for it."""
        if self.offline is not None:
            return ["--no-index", "--find-links", str(self.offline)]
        return ["--index-url", self.index] if self.index else []


class Pip:
    """The pip of one environment."""

    def __init__(self, python: Path, report: Reporter, where: Where) -> None:
        self.python, self.report, self.where = python, report, where

    def install(self, label: str, arguments: Sequence[str], elsewhere: bool = True) -> None:
        """`pip install` with these arguments. Raises InstallError with pip's reason."""
        output = self.attempt(label, arguments, elsewhere)
        if output is not None:
            raise InstallError(f"pip could not install {label}: {reason(output)}", advice(output, self.where))

    def attempt(self, label: str, arguments: Sequence[str], elsewhere: bool = True) -> list[str] | None:
        """The same, but a failure is returned as pip's output, line by line; None is success."""
        command = [str(self.python), "-P", "-m", "pip", "install", "--no-input", "--progress-bar", self._progress()]
        command += self.where.options() if elsewhere else []
        command += arguments
        self.report.log("$ " + " ".join(command))
        output: list[str] = []
        current = label
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=clean_environment(),
            encoding="utf-8",
            errors="replace",
        ) as pip:
            assert pip.stdout is not None  # noqa: S101
            try:
                for line in pip.stdout:
                    progress = re.match(r"Progress (\d+) of (\d+)", line)
                    if progress:
                        self.report.bar(current, int(progress.group(1)), int(progress.group(2)))
                        continue
                    self.report.log(line)
                    output.append(line.strip())
                    loading = re.match(r"\s*(?:Downloading|Processing|Using cached) (\S+)", line)
                    if loading:
                        current = loading.group(1).rsplit("/", 1)[-1]
            except BaseException:
                pip.terminate()
                pip.wait(10)
                raise
            finally:
                self.report.clear()
        return None if pip.returncode == 0 else output

    def _progress(self) -> str:
        """The kind of progress to ask this pip for: `raw` came with 24.1, and Debian's first one is older."""
        site = ("lib/python*/site-packages", "Lib/site-packages")
        found = [info.name for place in site for info in self.python.parent.parent.glob(f"{place}/pip-*.dist-info")]
        versions = [re.match(r"pip-(\d+)\.(\d+)", name) for name in found]
        modern = versions and all(v is not None and (int(v.group(1)), int(v.group(2))) >= (24, 1) for v in versions)
        return "raw" if modern else "off"


def reason(output: Sequence[str]) -> str:
    """The most telling line of pip's output, as half a sentence with a full stop."""
    errors = [line for line in output if line.lower().startswith("error")]
    telling = [line for line in errors if "See above" not in line] or [line for line in output if line] or ["no output"]
    # A hash that does not match is explained over several lines; the first holds the point.
    chosen = next((line for line in telling if "DO NOT MATCH" in line), telling[-1])
    text = re.sub(r"^error:\s*", "", chosen, flags=re.IGNORECASE)
    return text.rstrip(". ") + "."


def advice(output: Sequence[str], where: Where) -> str:
    """What to do about it."""
    text = "\n".join(output)
    again = "Run the same command again: it goes on where this one stopped."
    if "No space left" in text:
        return f"The disk is full: free some space. {again}"
    if "DO NOT MATCH" in text or "do not match the hashes" in text:
        return f"A file is not the one that was locked: use another mirror, or empty pip's cache. {again}"
    if "Permission denied" in text or "Read-only file system" in text:
        return "The folder cannot be written: use a copy of Underdrawing in a folder of your own."
    proxy = _proxy()
    if "proxy" in text.lower() and not proxy:
        return f"The proxy does not answer: check pip's own settings (pip config list). {again}"
    if where.offline is not None:
        return f"The folder {where.offline} lacks a file: see docs/installation.md for how to fill one."
    lost = ("No matching distribution", "Connection", "Retrying", "Max retries", "proxy", "Proxy")
    if proxy and any(word in text for word in lost):
        return f"Packages are asked for through the proxy {proxy}: check that it answers. {again}"
    if "No matching distribution" in text or "Connection" in text or "Retrying" in text or "Max retries" in text:
        return f"Check the network, the proxy (HTTPS_PROXY) and pip's own settings (pip config list). {again}"
    return again


def _proxy() -> str:
    """The proxy that pip is sent through, and its variable; no password is repeated."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"):
        if os.environ.get(name):
            return f"{re.sub(r'(?<=://)[^/@]*@', '', os.environ[name])} ({name})"
    return ""
