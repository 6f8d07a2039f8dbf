"""MkDocs hooks that build the site from docs/ in the order of docs/README.md and from every linked file.

Links in the pages are relative to the files of the repository; the hooks rewrite them for the site.
"""

from __future__ import annotations

import re
from pathlib import Path
from posixpath import dirname, join, normpath, relpath
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
LINK = re.compile(r"(?<=\]\()[^)#:\s]+(?=[)#])")
PROJECT = {
    "Changes": "CHANGELOG.md",
    "Contributing": "CONTRIBUTING.md",
    "Security": "SECURITY.md",
    "Examples": "examples/README.md",
}


def on_config(config: MkDocsConfig) -> None:
    guides, _, models = read("docs/README.md").partition("\n## Models")
    project = [{title: place_of(path)} for title, path in PROJECT.items()]
    more = [{"Models": entries(models)}, {"Project": [*project, {"All pages": "README.md"}]}]
    config.nav = [{"Home": "index.md"}, *entries(guides), *more]


def entries(markdown: str) -> list[dict[str, str]]:
    return [{title.replace("`", ""): page} for title, page in re.findall(r"^- \[([^]]+)\]\(([^)]+)\)", markdown, re.M)]


def on_files(files: Files, *, config: MkDocsConfig) -> None:
    files.src_uris["README.md"].dest_uri = "pages.html"  # The home page is the README of the repository.
    paths = ["README.md", *PROJECT.values(), *(f"docs/{file.src_uri}" for file in files.documentation_pages())]
    for path in paths:  # The loop appends to the list.
        if place_of(path) not in files.src_uris:
            listed = path == "README.md" or path in PROJECT.values()
            inclusion = InclusionLevel.INCLUDED if listed else InclusionLevel.NOT_IN_NAV
            files.append(File.generated(config, place_of(path), content=content_of(path), inclusion=inclusion))
        targets = [target_of(path, link) for link in LINK.findall(read(path))] if path.endswith(".md") else []
        paths += [target for target in dict.fromkeys(targets) if target and target not in paths]


def on_page_markdown(markdown: str, *, page: Page, **_: Any) -> str:
    here = dirname(page.file.src_uri)
    path = path_of(page.file.src_uri)

    def on_site(link: re.Match[str]) -> str:
        target = target_of(path, link[0])
        return relpath(place_of(target), here or ".") if target else link[0]

    return LINK.sub(on_site, markdown) if path.endswith(".md") else markdown


def target_of(path: str, link: str) -> str | None:
    """Return the file that a link in the file at `path` leads to, or None for code that only looks like a link."""
    target = normpath(join(dirname(path), link))
    return target if (ROOT / target).is_file() else None


def place_of(path: str) -> str:
    """Return the path on the site of a file of the repository."""
    if path.startswith("docs/"):
        return path.partition("/")[2]
    return "index.md" if path == "README.md" else f"project/{path}" + ("" if path.endswith(".md") else ".md")


def path_of(place: str) -> str:
    """Return the path in the repository of a file of the site; the inverse of `place_of`."""
    if not place.startswith("project/"):
        return "README.md" if place == "index.md" else f"docs/{place}"
    path = place.partition("/")[2]
    return path if (ROOT / path).is_file() else path.removesuffix(".md")


def content_of(path: str) -> str:
    """Return the content of a page, or a page with the source of another file, which is excluded from the search."""
    if path.endswith(".md"):
        return read(path)
    language = "python" if path.endswith(".py") else "text"
    return f"---\nsearch: {{exclude: true}}\n---\n\n# {path}\n\n````{language}\n{read(path)}\n````\n"


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")
