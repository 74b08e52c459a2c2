"""What the pages of the documentation must hold; their code is run by ``pytest README.md docs``."""

import re
from pathlib import Path

import wellgram

DOCS = Path(__file__).parents[1] / "docs"


def test_every_public_name_is_in_the_reference():
    text = "".join(page.read_text() for page in DOCS.glob("reference/*.md"))
    there = set(re.findall(r"^::: wellgram\.(?:\w+\.)*(\w+)$", text, flags=re.MULTILINE))
    assert set(wellgram.__all__) <= there


def test_links_of_the_readme_lead_somewhere():
    """Those of the site are looked at by mkdocs."""
    home = DOCS.parent
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (home / "README.md").read_text())
    assert links
    assert not [link for link in links if not (home / link).exists()]
