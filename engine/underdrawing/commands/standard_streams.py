"""`-` in a command line: a picture from standard input, or the result, as PNG, to standard output."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from underdrawing.commands import output

OUT = ("-o", "--out")


@contextmanager
def with_files(words: Sequence[str]) -> Iterator[list[str]]:
    """The words of a command line with files in place of `-`, which live as long as the command.

    Where the result goes to standard output, the command's answer goes to standard error.
    """
    if "-" not in words:
        yield list(words)
        return
    with tempfile.TemporaryDirectory(prefix="underdrawing-") as folder:
        given, made = Path(folder) / "standard input", Path(folder) / "standard output.png"
        named = []
        for before, word in zip(["", *words], words, strict=False):
            if word != "-":
                named.append(word)
            elif before in OUT:
                output.answer_on_stderr()
                named.append(str(made))
            else:
                if not given.exists():
                    given.write_bytes(sys.stdin.buffer.read())
                named.append(str(given))
        try:
            yield named
        finally:
            if made.is_file():
                sys.stdout.buffer.write(made.read_bytes())
                sys.stdout.buffer.flush()
