"""A real browser: Debian's chromium without a window, driven over its own protocol."""

import shutil
from contextlib import contextmanager

import pytest

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@contextmanager
def chromium():
    """Yield a browser with a profile of its own; skip where there is none."""
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("there is no chromium (of Debian: apt-get install chromium)")
    driver = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with driver.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=found, headless=True, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def visit(browser, url, *, width=1280, height=900, scheme="light"):
    """Yield a page, and check in the end that it asked for nothing else and reported no error."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, accept_downloads=True
    )
    page, asked, said = context.new_page(), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda problem: said.append(str(problem)))
    page.goto(url)
    yield page
    origin = url if url.startswith("file:") else "/".join(url.split("/")[:3]) + "/"
    strange = [one for one in asked if not one.startswith((origin, "data:"))]
    assert asked
    assert strange == []
    assert said == []
    context.close()


def overflowing(page):
    """Return by how many pixels the page is wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth - innerWidth")
