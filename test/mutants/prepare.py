"""`python prepare.py DIRECTORY` copies the project, with decorators written as calls in the modules to be mutated.

mutmut leaves functions with decorators as they are. `f = decorator(f)` behind a function means the same.
"""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import tomllib

PROJECT = Path(__file__).parents[2]


def without_decorators(source: str) -> str:
    lines = source.splitlines()
    owners = [node for node in ast.walk(ast.parse(source)) if isinstance(node, (ast.Module, ast.ClassDef))]
    functions = [node for owner in owners for node in owner.body if isinstance(node, ast.FunctionDef)]
    for function in sorted(functions, key=lambda function: function.lineno, reverse=True):
        if function.decorator_list:
            wrapped = function.name
            for decorator in reversed(function.decorator_list):
                wrapped = f"{ast.unparse(decorator)}({wrapped})"
            lines.insert(function.end_lineno or 0, f"{' ' * function.col_offset}{function.name} = {wrapped}")
            del lines[function.decorator_list[0].lineno - 1 : function.lineno - 1]
    return "\n".join([*lines, ""])


def main(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(PROJECT / name, directory / name)
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))
    for name in settings["tool"]["mutmut"]["only_mutate"]:
        module = directory / name
        module.write_text(without_decorators(module.read_text("utf-8")), "utf-8")
    # Or Python, which has it on its path, would remember that it is not there.
    (directory / "mutants").mkdir()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
