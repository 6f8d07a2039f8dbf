"""The documentation site, built by MkDocs in strict mode."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parent.parent.parent


class Tags(HTMLParser):
    """A parser that collects every tag of a page with its attributes."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return folder


def pages(site: Path) -> Iterator[Path]:
    found = [
        page for page in site.rglob("*.html") if page.name != "404.html"
    ]  # The 404 page has no fixed URL for relative links.
    assert len(found) > 50
    yield from found


def test_site_has_every_page_of_docs(site: Path) -> None:
    written = {path.with_suffix(".html").name for path in (ROOT / "docs").glob("*.md")} - {"README.html"}
    assert {name for name in written if not (site / name).is_file()} == set()


def test_site_loads_no_resource_from_another_host(site: Path) -> None:
    """Links may lead to other hosts, but the browser must not load resources from them."""
    fetched = [
        (page.name, tag, name, value)
        for page in site.rglob("*.html")
        for tag, attributes in Tags(page).found
        for name, value in attributes.items()
        if re.match(r"\s*(https?:)?//", value) and (tag, name) != ("a", "href") and not name.startswith("xmlns")
    ]
    assert fetched == []
    by_styles = r"""(?:@import\s*|url\(\s*)["']?(?:https?:)?//[^)]*"""
    assert [re.findall(by_styles, path.read_text(encoding="utf-8")) for path in site.rglob("*.css")] == [[], []]


def test_site_links_lead_to_existing_pages_and_anchors(site: Path) -> None:
    anchors = {page: {a["id"] for _, a in Tags(page).found if "id" in a} for page in pages(site)}
    broken = []
    for page in anchors:
        for tag, attributes in Tags(page).found:
            link = unquote(attributes.get("href" if tag in ("a", "link") else "src", ""))
            if not link or re.match(r"[a-z]+:", link):
                continue
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file() or (anchor and anchor not in anchors.get(target, {anchor})):
                broken.append((page.name, link))
    assert broken == []


def test_site_renders_every_markdown_list_as_a_list(site: Path) -> None:
    """Python-Markdown needs an empty line before a list; GitHub does not."""
    for page in pages(site):
        paragraphs = re.findall(r"<p>(.*?)</p>", page.read_text(encoding="utf-8"), re.S)
        assert [text for text in paragraphs if re.search(r"^(- |\d+\. )", text, re.M)] == [], page.name
