"""Write `public-api.txt`, a line for every public name with its parameters.

`python docs/public_api.py` writes it. `python docs/public_api.py --check` fails if it is out of date, so that no name
changes unnoticed. griffe reads the names from the source, so they do not depend on the Python version.
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
# Public names in addition to those of the package itself. test_import.py checks the import paths of the 2019 SDK.
OF_MODULES = {
    "models.model": ["Model", "attribute"],
    "rest": ["RESTClientObject", "RESTResponse"],
    "sandbox": ["Sandbox"],
    "sandbox.app": ["ReceivedRequest"],
    "sandbox.pytest_plugin": [],  # all fixtures
    "sandbox.service": ["Accounts"],
    "token_life": ["Clock"],
    "token_stores.conformance": ["TokenStoreConformance"],
    "token_stores": ["StoredToken"],
}
# Classes whose members may change.
WITHOUT_MEMBERS = {"rest.RESTClientObject", "token_stores.conformance.TokenStoreConformance"}
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
        for name in names or own:
            member = root[f"{module}.{name}"]
            public[f"{module}.{name}"] = member.final_target if member.is_alias else member
    lines = [line for name, value in public.items() for line in described(name, value, public)]
    # The keyword arguments that a signature unpacks are public as well.
    for options in {name for _, line in lines for name in re.findall(r"Unpack\[(\w+)\]", line)}:
        [value] = (found for m in modules(root) if (found := m.members.get(options)) and not found.is_alias)
        lines += described(options, value, public)
    return [line for _, line in sorted(lines)]


def modules(module: griffe.Module) -> Iterator[griffe.Module]:
    yield module
    for below in module.modules.values():
        yield from modules(below)


def described(name: str, value: griffe.Object, public: dict[str, griffe.Object]) -> Iterator[tuple[str, str]]:
    """Yield a name with its line, and the same for each of its members."""
    if value.is_class:
        bases = list(map(str, value.bases))
        yield name, f"class {name}({', '.join(bases)})" if bases else f"class {name}"
        members = {} if name in WITHOUT_MEMBERS else public_members(value, public)
        for below, member in members.items():
            yield from described(f"{name}.{below}", member, public)
        if "Model" in bases:
            yield f"{name}.", f"{name}({', '.join(members)})"  # parameters of the constructor, in order
    elif value.is_function:
        # This decorator affects only tracebacks.
        decorators = [f"  @{d.value}" for d in value.decorators if str(d.value) != "leaves_no_variables"]
        yield name, value.signature(name=name.replace(".__init__", "")) + "".join(decorators)
    else:
        labels = [f"  @{label}" for label in sorted(value.labels & {"property", "writable"})]
        annotation = f": {value.annotation}" if value.annotation else ""
        yield name, f"{name}{annotation}{shown(str(value.value))}" + "".join(labels)


def public_members(cls: griffe.Class, public: dict[str, griffe.Object]) -> dict[str, griffe.Object]:
    """Return the public members of a class, including members inherited from private base classes."""
    bases = [base for base in cls.mro() if base in public.values()]
    documented = {id(of) for base in bases for of in (base, *base.mro())}
    sources = [cls, *(base for base in cls.mro() if id(base) not in documented)]
    members = {name: member for source in reversed(sources) for name, member in source.members.items()}
    special = ("__init__", "__call__", "__enter__")
    return {name: member for name, member in members.items() if not name.startswith("_") or name in special}


def shown(value: str) -> str:
    """Return a literal value or the declaration of a model attribute without its description, otherwise nothing."""
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
