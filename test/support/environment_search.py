"""Search the package for values of the environment that contain "canary", and print each place that shows one.

The last line is the number of objects that were searched. With --self-test, two are planted first.
"""

from __future__ import annotations

import gc
import importlib
import inspect
import os
import pkgutil
import sys
import types
from collections.abc import Iterator
from typing import Any

import BlueJeansMeetingsRestApi as bluejeans

PACKAGE = bluejeans.__name__
CANARY = "canary"


def modules() -> list[types.ModuleType]:
    """Import every module of the package."""
    names = [module.name for module in pkgutil.walk_packages(bluejeans.__path__, f"{PACKAGE}.")]
    return [bluejeans, *map(importlib.import_module, names)]


def objects(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield a member of a module, and the members of a class of the package, whatever their descriptors hide."""
    yield name, value
    if isinstance(value, (staticmethod, classmethod)):
        yield name, value.__func__
    elif isinstance(value, property):
        yield from ((name, function) for function in (value.fget, value.fset, value.fdel) if function)
    elif isinstance(value, type) and value.__module__.startswith(PACKAGE):
        for member, held in vars(value).items():
            yield from objects(f"{name}.{member}", held)


def visible(value: Any) -> Iterator[tuple[str, str]]:
    """Yield each text that documentation tools print for an object, after the name of its kind."""
    yield "repr", repr(value)
    try:
        yield "docstring", str(value.__doc__)
        yield "signature", str(inspect.signature(value))
    except (TypeError, ValueError, RuntimeError):
        return  # not callable, a built-in without a signature, or Flask's `request` outside of one


def search() -> tuple[set[str], int]:
    found: set[str] = set()
    searched = 0
    for module in modules():
        found.update({f"{module.__name__}: docstring"} if CANARY in (module.__doc__ or "") else ())
        for name, value in list(vars(module).items()):
            if name.startswith("__") or isinstance(value, types.ModuleType):
                continue
            for where, member in objects(f"{module.__name__}.{name}", value):
                searched += 1
                found.update(f"{where}: {kind}" for kind, text in visible(member) if CANARY in text)
    # Every function, also the ones that closures and decorators hide.
    for function in gc.get_objects():
        if isinstance(function, types.FunctionType) and str(function.__module__).startswith(PACKAGE):
            searched += 1
            defaults = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
            if any(default is os.environ or CANARY in repr(default) for default in defaults):
                found.add(f"{function.__module__}.{function.__qualname__}: default argument")
    instances = [bluejeans.Configuration(), bluejeans.ApiClient(), bluejeans.default_credentials()]
    found.update(f"{type(one).__name__}: repr" for one in instances if CANARY in repr(one))
    return found, searched + len(instances)


def plant() -> None:
    def planted(*, environment: Any = os.environ) -> Any:
        return environment

    planted.__module__, planted.__qualname__ = f"{PACKAGE}.environment", "planted"
    vars(sys.modules[f"{PACKAGE}.environment"]).update(planted=planted, planted_value=dict(os.environ))


if __name__ == "__main__":
    if "--self-test" in sys.argv:
        plant()
    found, searched = search()
    print(*sorted(found), searched, sep="\n")
