"""Makes the help that GIMP shows out of docs/: pages of HTML and the list of what each entry's Help opens.

Run it after changing one of these pages: python plugin_gimp/make_help.py. The pages lie in the plug-in, for machines
without a network; pictures are left out. Needs markdown-it-py, which the tests' environment has.
"""

from __future__ import annotations

import re
import sys
from html import escape
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[1]
PLACE = ROOT / "plugin_gimp" / "underdrawing_gimp" / "help" / "en"
PAGES = ("gimp",)
STYLE = (
    "body{font-family:sans-serif;line-height:1.45;max-width:46em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse}td,th{border:1px solid #bbb;padding:.25em .6em;text-align:left;vertical-align:top}"
    "code,pre{background:#eee}pre{padding:.6em;overflow:auto}"
)
# Of the page on GIMP: the heading under which an entry is explained; others are in the first part.
PLACES = {
    "harmonize": "without-an-underdrawing",
    "blend": "without-an-underdrawing",
    "repaint": "without-an-underdrawing",
    "vary": "without-an-underdrawing",
    "resize": "without-an-underdrawing",
    "animate-picture": "without-an-underdrawing",
    "enlarge": "without-an-underdrawing",
    "between": "by-a-folders-model",
    "engine": "when-something-goes-wrong",
    "training": "for-scripts",
}


def page(name: str) -> str:
    """One page of docs/ as HTML; headings can be linked to, links to pages that are not here are plain text."""
    text = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    text = re.sub(r"(?m)^\s*!\[[^\]]*\]\([^)]*\)\n", "", text)
    body = MarkdownIt("commonmark").enable("table").render(text)
    body = re.sub(r"<h([2-4])>(.*?)</h\1>", lambda found: _heading(found[1], found[2]), body)
    body = re.sub(r'<a href="([^"]*)">(.*?)</a>', lambda found: _link(found[1], found[2]), body)
    title = escape(text.lstrip("# ").split("\n", 1)[0])
    head = f'<meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head><body>\n{body}</body></html>\n'


def slug(heading: str) -> str:
    """What a heading is linked to by, as GitHub makes it."""
    plain = re.sub(r"<[^>]*>|&[a-z]+;", "", heading).lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def _heading(level: str, text: str) -> str:
    return f'<h{level} id="{slug(text)}">{text}</h{level}>'


def _link(target: str, text: str) -> str:
    name, mark, place = target.partition("#")
    if not name:
        return f'<a href="{target}">{text}</a>'
    if name.removesuffix(".md") in PAGES:
        return f'<a href="{name.removesuffix(".md")}.html{mark}{place}">{text}</a>'
    return text


def index(names: list[str]) -> str:
    """The list of GIMP's help system: what the Help of each procedure opens."""
    lines = []
    for name in names:
        place = PLACES.get(name.removeprefix("underdrawing-"), "")
        lines.append(f'  <help-item id="{name}" ref="gimp.html{"#" * bool(place)}{place}" title="{name}"/>')
    return '<?xml version="1.0" encoding="utf-8"?>\n<gimp-help>\n%s\n</gimp-help>\n' % "\n".join(lines)


def made() -> dict[str, str]:
    """All files by name."""
    sources = (ROOT / "plugin_gimp" / "underdrawing_gimp").glob("*procedures.py")
    found = {name for path in sources for name in re.findall(r'"(underdrawing-[a-z-]+)"', path.read_text("utf-8"))}
    tools = {"underdrawing-" + name for name in ("move", "scale", "mirror", "copy", "remove")}
    files = {f"{name}.html": page(name) for name in PAGES}
    return {**files, "gimp-help.xml": index(sorted(found | tools))}


def main() -> None:
    """Write them."""
    PLACE.mkdir(parents=True, exist_ok=True)
    for name, text in made().items():
        (PLACE / name).write_text(text, encoding="utf-8")
        sys.stdout.write(f"{PLACE / name}\n")


if __name__ == "__main__":
    main()
