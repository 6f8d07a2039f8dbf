"""Imports between the modules of the package point downwards only, type-only imports included."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import BlueJeansMeetingsRestApi as bluejeans

PACKAGE = "BlueJeansMeetingsRestApi"
FOLDER = Path(bluejeans.__file__).parent

# From low to high. A module may import modules of the same layer or of a lower one; a line is a layer. The longest
# matching name applies: sign_in.saved is below credentials, and the rest of sign_in is above it. credentials.token
# imports nothing and is below the configuration.
LAYERS = """
    version credentials.token
    environment
    redaction
    transport
    models
    exceptions
    serialization
    validation configuration
    rest
    legacy
    api_client
    api
    token_stores
    sign_in.callback sign_in.loopback sign_in.paste sign_in.saved
    credentials
    sign_in
    integrations
    sandbox
    cli
    __init__
    __main__ sandbox.pytest_plugin
"""


def layer_of(module: str) -> int:
    """Return the position of the layer of a module."""
    positions = {name: position for position, line in enumerate(LAYERS.split("\n")) for name in line.split()}
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        position = positions.get(".".join(parts[:length]))
        if position is not None:
            return position
    raise AssertionError(f"{module} is in no layer")


def module_name(path: Path) -> str:
    """Return the name of a module below the package; the package itself is `__init__`."""
    parts = path.relative_to(FOLDER).with_suffix("").parts
    if parts[-1] == "__init__" and len(parts) > 1:
        parts = parts[:-1]
    return ".".join(parts)


MODULES = {module_name(path): path for path in FOLDER.rglob("*.py")}


def imported_by(module: str) -> Iterator[str]:
    """Yield the modules of the package that a module imports anywhere in its source."""
    path = MODULES[module]
    package = [PACKAGE, *path.relative_to(FOLDER).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name for alias in node.names for name in resolve(alias.name.split(".")))
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = [*base, *(node.module or "").split(".")] if node.module else base
            for alias in node.names:
                # `from package import module` imports the module, not the package's other names.
                submodule = list(resolve([*source, alias.name]))
                yield from submodule or resolve(source)


def resolve(parts: list[str]) -> Iterator[str]:
    """Yield the module of the package with this name, if there is one."""
    if parts[0] == PACKAGE:
        name = ".".join(parts[1:]) or "__init__"
        if name in MODULES:
            yield name


IMPORTS = {module: set(imported_by(module)) - {module} for module in MODULES}


def cycles() -> set[tuple[str, ...]]:
    """Return the strongly connected components with more than one module (Tarjan's algorithm)."""
    found: set[tuple[str, ...]] = set()
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []

    def visit(module: str) -> None:
        index[module] = low[module] = len(index)
        stack.append(module)
        for imported in sorted(IMPORTS[module]):
            if imported not in index:
                visit(imported)
                low[module] = min(low[module], low[imported])
            elif imported in stack:
                low[module] = min(low[module], index[imported])
        if low[module] == index[module]:
            component = stack[stack.index(module) :]
            del stack[stack.index(module) :]
            if len(component) > 1:
                found.add(tuple(sorted(component)))

    for module in sorted(MODULES):
        if module not in index:
            visit(module)
    return found


def test_every_import_points_to_the_same_or_a_lower_layer() -> None:
    upward = {
        (module, imported)
        for module, all_imported in IMPORTS.items()
        for imported in all_imported
        if layer_of(imported) > layer_of(module)
    }
    assert upward == set()


def test_modules_of_the_package_form_no_import_cycle() -> None:
    assert cycles() == set()


def test_sandbox_and_client_import_nothing_from_each_other() -> None:
    shared = {"version", "environment", "sandbox.pytest_plugin"}  # the plugin has a fixture with a client
    sandbox = {module for module in MODULES if module.split(".")[0] == "sandbox"} - shared
    client = {module for module in MODULES if module.split(".")[0] not in ("sandbox", "cli", "__main__")} - shared
    assert [(module, name) for module in client for name in IMPORTS[module] & sandbox] == []
    assert [(module, name) for module in sandbox for name in IMPORTS[module] & client] == []


@pytest.mark.parametrize("module", sorted(MODULES))
def test_module_belongs_to_a_declared_layer(module: str) -> None:
    assert layer_of(module) >= 0
