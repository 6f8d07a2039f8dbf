"""Writes `public-api.txt`: every name that users may rely on, with its parameters, a line each.

`python docs/public_api.py` writes it; `python docs/public_api.py --check` fails where it is not what it would write, so
that no name changes unseen. It is read from the source by griffe, and is the same on every Python.
"""

from __future__ import annotations

import ast
import difflib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import griffe

FOLDER = Path(__file__).parent
PACKAGE = "BlueJeansMeetingsRestApi"
# Beside all that can be imported from the package itself. Where the 2019 SDK had each name is held by test_import.py.
OF_MODULES = {
    "models.model": ["Model", "attribute"],
    "rest": ["RESTClientObject", "RESTResponse"],
    "sandbox": ["Sandbox"],
    "sandbox.app": ["ReceivedRequest"],
    "sandbox.pytest_plugin": [],  # every fixture
    "sandbox.service": ["Accounts"],
    "token_life": ["Clock"],
    "token_store_conformance": ["TokenStoreConformance"],
    "token_stores": ["StoredToken"],
}
# Classes that are there for their name; what is in them may change.
WITHOUT_MEMBERS = {"rest.RESTClientObject", "token_store_conformance.TokenStoreConformance"}
HEAD = """\
Every name that users of BlueJeansMeetingsRestApi may rely on; docs/VERSIONS.md says how far.
Made from the source by docs/public_api.py.
"""


def main(arguments: list[str]) -> int:
    path = FOLDER / "public-api.txt"
    after = "\n".join([HEAD, *public_api(), ""])
    if "--check" not in arguments:
        path.write_text(after, encoding="utf-8")
        return 0
    before = path.read_text(encoding="utf-8")
    changes = difflib.unified_diff(before.splitlines(), after.splitlines(), "as written", "as the code is", n=0)
    print(*changes, sep="\n", file=sys.stderr)
    if before != after:
        print("The public names have changed. If that is meant, run docs/public_api.py", file=sys.stderr)
    return int(before != after)


def public_api() -> list[str]:
    root = griffe.load(PACKAGE, search_paths=[FOLDER.parent], resolve_aliases=True)
    public = {
        name: member.final_target
        for name, member in root.members.items()
        if member.is_alias and member.target_path.startswith(f"{PACKAGE}.")
    }
    for module, names in OF_MODULES.items():
        own = [name for name, member in root[module].members.items() if not (member.is_alias or name.startswith("_"))]
        public.update((f"{module}.{name}", root[f"{module}.{name}"]) for name in names or own)
    lines = [line for name, value in public.items() for line in described(name, value, public)]
    # The keywords that a signature unpacks are public too.
    for options in {name for _, line in lines for name in re.findall(r"Unpack\[(\w+)\]", line)}:
        [value] = (found for m in modules(root) if (found := m.members.get(options)) and not found.is_alias)
        lines += described(options, value, public)
    return [line for _, line in sorted(lines)]


def modules(module: griffe.Module) -> Iterator[griffe.Module]:
    yield module
    for below in module.modules.values():
        yield from modules(below)


def described(name: str, value: griffe.Object, public: dict[str, griffe.Object]) -> Iterator[tuple[str, str]]:
    """The name and its line, and those of each name below it."""
    if value.is_class:
        bases = list(map(str, value.bases))
        yield name, f"class {name}({', '.join(bases)})" if bases else f"class {name}"
        members = {} if name in WITHOUT_MEMBERS else public_members(value, public)
        for below, member in members.items():
            yield from described(f"{name}.{below}", member, public)
        if "Model" in bases:
            yield f"{name}.", f"{name}({', '.join(members)})"  # what the constructor takes, in this order
    elif value.is_function:
        # One decorator is for tracebacks, and leaves the function as it is.
        decorators = [f"  @{d.value}" for d in value.decorators if str(d.value) != "leaves_no_variables"]
        yield name, value.signature(name=name.replace(".__init__", "")) + "".join(decorators)
    else:
        labels = [f"  @{label}" for label in sorted(value.labels & {"property", "writable"})]
        annotation = f": {value.annotation}" if value.annotation else ""
        yield name, f"{name}{annotation}{shown(str(value.value))}" + "".join(labels)


def public_members(cls: griffe.Class, public: dict[str, griffe.Object]) -> dict[str, griffe.Object]:
    """The public names of a class, with those from a base that is not public itself."""
    bases = [base for base in cls.mro() if base in public.values()]
    told = {id(of) for base in bases for of in (base, *base.mro())}
    sources = [cls, *(base for base in cls.mro() if id(base) not in told)]
    members = {name: member for source in reversed(sources) for name, member in source.members.items()}
    special = ("__init__", "__call__", "__enter__")
    return {name: member for name, member in members.items() if not name.startswith("_") or name in special}


def shown(value: str) -> str:
    """A value that is written out, or the declaration of a model's attribute without its prose; nothing of others."""
    if value.startswith("attribute("):
        return " = " + re.sub(r"(, )?doc=.*\)$", ")", value)
    if value.startswith("TypedDict("):
        return f" = {value}"
    try:
        return f" = {ast.literal_eval(value)!r}" if value != "None" else ""
    except ValueError:
        return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
