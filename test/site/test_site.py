"""The pages of docs/ as a site, built as strictly as MkDocs can."""

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
    """Every tag of a page with its attributes."""

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
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return folder


def pages(site: Path) -> Iterator[Path]:
    found = [page for page in site.rglob("*.html") if page.name != "404.html"]  # which may be shown at any address
    assert len(found) > 50
    yield from found


def test_every_page_is_there(site: Path) -> None:
    written = {path.with_suffix(".html").name for path in (ROOT / "docs").glob("*.md")} - {"README.html"}
    assert {name for name in written if not (site / name).is_file()} == set()


def test_nothing_is_fetched_from_another_host(site: Path) -> None:
    """What a reader clicks may lead elsewhere; what the browser fetches may not."""
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


def test_every_link_leads_to_a_page_and_its_anchor(site: Path) -> None:
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


def test_lists_are_lists(site: Path) -> None:
    """Python-Markdown wants an empty line before one, which other readers do not."""
    for page in pages(site):
        paragraphs = re.findall(r"<p>(.*?)</p>", page.read_text(encoding="utf-8"), re.S)
        assert [text for text in paragraphs if re.search(r"^(- |\d+\. )", text, re.M)] == [], page.name
