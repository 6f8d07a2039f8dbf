"""The transport uses one private name of urllib3, and no module of the package that is above it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import BlueJeansMeetingsRestApi

PACKAGE = Path(BlueJeansMeetingsRestApi.__file__).parent
SOURCES = sorted((PACKAGE / "transport").glob("*.py"))
# The package's modules that are below the transport.
BELOW = {"redaction"}
HOOK = "_new_conn"


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def names_of(tree: ast.AST) -> Iterator[tuple[str, bool]]:
    """Yield the private names in a module, with whether each is defined by the module itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.attr, isinstance(node.ctx, ast.Store)
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.arg, False
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name, True
        elif isinstance(node, ast.Name):
            yield node.id, isinstance(node.ctx, ast.Store)
        elif isinstance(node, ast.arg):
            yield node.arg, True
        elif isinstance(node, ast.ImportFrom):
            yield from ((part, False) for part in (node.module or "").split("."))
            yield from ((alias.name, bool(node.level)) for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            yield node.value, False  # such as in getattr


def foreign_private_names(source: str) -> set[str]:
    names = [(name, defined) for name, defined in names_of(ast.parse(source)) if is_private(name) and name != "_"]
    # namedtuple documents two names that start with an underscore.
    return {name for name, _ in names} - {name for name, defined in names if defined} - {"_fields", "_replace"}


@pytest.mark.parametrize("path", [*SOURCES, PACKAGE / "rest.py"], ids=lambda path: path.name)
def test_file_uses_no_private_name_of_another_package_but_new_conn(path: Path) -> None:
    assert foreign_private_names(path.read_text("utf-8")) <= {HOOK}


@pytest.mark.parametrize(
    "source",
    [
        "connection._tunnel()",
        "getattr(pool, '_put_conn')",
        "Pool(_proxy=None)",
        "from urllib3._collections import X",
        "from http.client import _MAXLINE",
    ],
)
def test_search_for_private_names_finds_them(source: str) -> None:
    assert foreign_private_names(source)


def test_methods_with_private_names_override_only_new_conn() -> None:
    from BlueJeansMeetingsRestApi.transport.pool import _pool_classes

    overridden = set()
    for pool in _pool_classes().values():
        for cls in (pool, pool.ConnectionCls, pool.ResponseCls if hasattr(pool, "ResponseCls") else pool):
            ours = [part for part in cls.__mro__ if not re.match("urllib3|http|io|_io|builtins", part.__module__)]
            others = [part for part in cls.__mro__ if part not in ours]
            overridden |= {
                name
                for part in ours
                for name in vars(part)
                if is_private(name) and name != "_abc_impl" and any(hasattr(o, name) for o in others)
            }
    assert overridden == {HOOK}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_file_imports_nothing_above_the_transport(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    imported = {
        (node.module or "").split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level == 2
    }
    assert imported <= BELOW
    assert "BlueJeansMeetingsRestApi" not in path.read_text("utf-8")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_file_has_at_most_250_lines_of_code(path: Path) -> None:
    assert lines_of_code(path.read_text("utf-8")) <= 250


def test_fast_path_has_at_most_60_lines_of_code() -> None:
    source = (PACKAGE / "transport" / "reader.py").read_text("utf-8")
    tree = ast.parse(source)
    parts = [node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Assign))]
    fast = [node for node in parts if getattr(node, "name", None) in ("PlainHead", "parse_plain")]
    fast += [node for node in parts if isinstance(node, ast.Assign) and "_PLAIN" in ast.unparse(node.targets[0])]
    reader = next(node for node in parts if getattr(node, "name", None) == "ResponseReader")
    assert isinstance(reader, ast.ClassDef)
    fast += [node for node in reader.body if getattr(node, "name", None) in ("_read_plain", "_read_more")]  # type: ignore[misc]
    assert len(fast) == 5
    assert sum(lines_of_code(ast.get_source_segment(source, node) or "") for node in fast) <= 60


def lines_of_code(source: str) -> int:
    """Count lines without docstrings, comments and empty lines."""
    without_docstrings = re.sub(r'^\s*"""(?:.|\n)*?"""\s*$', "", source, flags=re.MULTILINE)
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in without_docstrings.splitlines())
