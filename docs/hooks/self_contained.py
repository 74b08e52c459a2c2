"""Refuses a site that fetches anything from elsewhere when it is read."""

import re
from html.parser import HTMLParser
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError

# Attributes whose address a browser fetches by itself; links (`a`) wait for the reader.
_FETCHED = {("link", "href"), ("use", "href"), ("image", "href"), ("object", "data")}
_ELSEWHERE = re.compile(r"\s*(https?:)?//")
_IN_CSS = re.compile(r"(?:url\(|@import)\s*[\"']?\s*((?:https?:)?//[^\"')]+)")


class _Fetches(HTMLParser):
    """Gathers the addresses elsewhere that a page fetches."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at the attributes of one element."""
        for name, value in attrs:
            fetched = name in ("src", "srcset", "poster") or (tag, name) in _FETCHED
            if fetched and _ELSEWHERE.match(value or ""):
                self.found.append(f"<{tag} {name}={value}>")


def on_post_build(*, config: MkDocsConfig) -> None:
    """Look through all pages and style sheets.

    Raises
    ------
    PluginError
        If one of them fetches something from elsewhere.
    """
    for path in Path(config.site_dir).rglob("*"):
        found: list[str] = []
        if path.suffix == ".html":
            page = _Fetches()
            page.feed(text := path.read_text())
            found = page.found + _IN_CSS.findall(text)
        elif path.suffix == ".css":
            found = _IN_CSS.findall(path.read_text())
        if found:
            raise PluginError(f"{path} is not self-contained: {found[0]}")
