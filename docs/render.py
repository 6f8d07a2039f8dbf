"""Generate the parts of the documentation that the code determines.

The pages of the models and `AuthenticationApi.md` are generated as a whole. Other files have a generated part: the
table in `RELIABILITY.md`, the commands in `CLI.md`, the schemas in `openapi.yaml`, the lists of models and modules.
`python docs/render.py` writes them; `python docs/render.py --check` fails if one of them is out of date.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import inspect
import io
import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.cli.arguments import make_parser
from BlueJeansMeetingsRestApi.environment import VARIABLES, setting_name
from BlueJeansMeetingsRestApi.models.model import Attribute, Model

FOLDER = Path(__file__).parent
MODELS: list[type[Model]] = [
    value for value in vars(bluejeans).values() if isinstance(value, type) and issubclass(value, Model)
]
OPERATIONS = {
    name: method
    for name, method in sorted(vars(bluejeans.AuthenticationApi).items())
    if hasattr(method, "__wrapped__") and not name.endswith("_with_http_info")
}
MADE_HERE = re.compile(r"^<!-- .* below is made by docs/render\.py\. -->$", re.M)
SCHEMAS_MADE_HERE = "    # What follows is made by docs/render.py from the models.\n"
# In the models most attributes are optional, as in the 2019 SDK. In recorded traffic, only these may be missing.
OPTIONAL_KEYS = {
    "GrantRequestMeeting": ["meetingPasscode"],
    "InlineResponse200": ["user"],
    "Error": ["message", "code"],
}
# Existing scripts send these types too, and the service accepts them.
ALSO_ACCEPTED = {"GrantRequestMeeting": {"meetingNumericId": ["integer"], "meetingPasscode": ["integer", "null"]}}
GRANTS = ("Client", "Code", "Meeting", "Password", "Refresh")
INDEX_ENDS = "[README](../README.md) · [Changes](../CHANGELOG.md) · [Examples](../examples/README.md)"
BACK = "[Back to the operations](AuthenticationApi.md) · [All pages](README.md) · [README](../README.md)"


def main(arguments: list[str]) -> int:
    pages = {f"{model.__name__}.md": model_page(model) for model in MODELS}
    pages["AuthenticationApi.md"] = operations_page()
    pages["RELIABILITY.md"] = with_end("RELIABILITY.md", reliability_table())
    pages["CLI.md"] = with_end("CLI.md", commands())
    pages["openapi.yaml"] = openapi_document()
    pages["README.md"] = with_end("README.md", list_of_models(), INDEX_ENDS)
    pages["ARCHITECTURE.md"] = with_end("ARCHITECTURE.md", table_of_modules())
    stale = [name for name, text in pages.items() if not is_up_to_date(FOLDER / name, text)]
    for name in stale:
        if "--check" in arguments:
            print(f"docs/{name} is out of date: run python docs/render.py", file=sys.stderr)
        else:
            (FOLDER / name).write_text(pages[name], encoding="utf-8")
    return 1 if stale and "--check" in arguments else 0


def is_up_to_date(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


def model_page(model: type[Model]) -> str:
    rows = [f"| **{a.name}** | {linked(a.type)} | `{a.key}` | {a.doc} | {notes(a)} |" for a in model.attributes]
    table = "\n".join(["| Name | Type | In JSON | Meaning | Notes |", "| --- | --- | --- | --- | --- |", *rows])
    return f"# {model.__name__}\n\n{inspect.getdoc(model)}\n\n{table}\n\n{BACK}\n"


def notes(a: Attribute) -> str:
    found = ["required" if a.required else "optional"]
    if a.default is not None:
        found.append(f"default `{a.default}`")
    if a.allowed:
        found.append(f"only {', '.join(f'`{value}`' for value in a.allowed)}")
    if a.promised:
        found.append("responses without it raise an error")
    if a.secret:
        found.append("secret: shown as `***`")
    return "; ".join(found)


def list_of_models() -> list[str]:
    names = sorted(model.__name__ for model in MODELS)
    sent = [name for name in names if name.startswith("GrantRequest")]
    received = [name for name in names if name not in sent]
    return ["Requests:", "", *map(item, sent), "", "Responses:", "", *map(item, received)]


def item(name: str) -> str:
    return f"- [{name}]({name}.md)"


def table_of_modules() -> list[str]:
    """Return the table of the modules with the first sentence of their docstrings."""
    package = Path(bluejeans.__file__).parent
    models = {Path(sys.modules[model.__module__].__file__ or "") for model in MODELS}
    rows = ["| File | Content |", "| --- | --- |"]
    for path in sorted({*package.rglob("*.py")} - models):
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        sentence = re.split(r"\.(?:\s|$)", docstring)[0].replace("\n", " ")
        rows.append(f"| `{path.relative_to(package).as_posix()}` | {sentence} |")
    return rows


def linked(type_: str) -> str:
    """Return a type with links to the pages of its models."""
    names = "|".join(model.__name__ for model in MODELS)
    return re.sub(rf"\b({names})\b", r"[\1](\1.md)", type_)


def operations_page() -> str:
    rows = []
    for name in OPERATIONS:
        endpoint = described(name)
        request = f"**{endpoint.method}** {endpoint.path}"
        rows.append(f"| [**{name}**](#{name}) | {request} | {summary(name)} |")
    docstring = inspect.getdoc(bluejeans.AuthenticationApi) or ""
    return "\n".join(
        [
            "# BlueJeansMeetingsRestApi.AuthenticationApi",
            "",
            re.sub(r"^(\w+): ", r"- **\1**: ", docstring, flags=re.MULTILINE).replace(":\n- ", ":\n\n- "),
            "",
            "All URIs are relative to *https://api.bluejeans.com*, which is `Configuration.host`.",
            "",
            "| Method | HTTP request | Description |",
            "| --- | --- | --- |",
            *rows,
            "",
            *(line for name in OPERATIONS for line in operation_section(name)),
        ]
    )


class Recorder(bluejeans.ApiClient):
    """A client that returns the arguments of a call instead of sending a request."""

    def call_api(self, resource_path: str, method: str, *params: Any, **arguments: Any) -> SimpleNamespace:
        return SimpleNamespace(path=resource_path, method=method, headers=params[2], **arguments)


def described(name: str) -> SimpleNamespace:
    """Return the arguments with which the operation calls `call_api`."""
    call = getattr(bluejeans.AuthenticationApi(Recorder()), name)
    arguments: SimpleNamespace = call(**dict.fromkeys(parameters(name), "value"))
    return arguments


def parameters(name: str) -> dict[str, inspect.Parameter]:
    all_of_them = inspect.signature(OPERATIONS[name]).parameters
    return {p: value for p, value in all_of_them.items() if p not in ("self", "options")}


def summary(name: str) -> str:
    return (inspect.getdoc(OPERATIONS[name]) or "").partition("\n")[0]


def meanings(name: str) -> tuple[str, dict[str, str]]:
    """Return the prose of an operation's docstring and the meaning of each parameter."""
    prose, documented = [], {}
    for line in (inspect.getdoc(OPERATIONS[name]) or "").splitlines():
        parameter, colon, meaning = line.partition(": ")
        if colon and parameter in parameters(name):
            documented[parameter] = meaning
        else:
            prose.append(line)
    return "\n".join(prose).strip(), documented


def operation_section(name: str) -> Iterator[str]:
    endpoint = described(name)
    prose, documented = meanings(name)
    model = endpoint.response_type
    returns = f"[**{model}**]({model}.md)" if model else "nothing"
    named = [(f"{p}={p}" if value.kind is value.KEYWORD_ONLY else p) for p, value in parameters(name).items()]
    signature = ", ".join(named)
    authorization = ", ".join(endpoint.auth_settings or ())
    yield from ("", f"## {name}", "", f"> {model + ' ' if model else ''}{name}({signature})", "", prose, "")
    yield from ("### Example", "", "```python", example(name), "```", "", "### Parameters", "")
    yield from ("| Name | Type | Description | Notes |", "| --- | --- | --- | --- |")
    for parameter, value in parameters(name).items():
        type_ = linked(str(value.annotation).replace("models.", "").partition(" |")[0])
        note = "required" if value.default is value.empty else "optional"
        yield f"| **{parameter}** | {type_} | {documented[parameter]} | {note} |"
    yield from ("", "### Return type", "", returns, "", "### Authorization", "")
    key = f"the API key `{authorization}` of `Configuration.api_key`, in the query, if it is set"
    if endpoint.auth_settings is None:
        yield "the token of `Configuration.credentials`"
    else:
        yield key if authorization else "No authorization required"
    yield from ("", "### HTTP request headers", "")
    yield from (f"- **{header}**: {value}" for header, value in sorted(endpoint.headers.items(), reverse=True))
    yield from ("", BACK, "")


def example(name: str) -> str:
    """Return a call with the values of the sandbox's environment variables."""
    variables = {
        "client_id": "BLUEJEANS_CLIENT_ID",
        "client_secret": "BLUEJEANS_CLIENT_SECRET",
        "username": "BLUEJEANS_USERNAME",
        "password": "BLUEJEANS_PASSWORD",
        "meeting_numeric_id": "BLUEJEANS_MEETING_ID",
        "meeting_passcode": "BLUEJEANS_MEETING_PASSCODE",
        "code": "BLUEJEANS_CODE",
        "redirect_uri": "BLUEJEANS_REDIRECT_URI",
        "refresh_token": "BLUEJEANS_REFRESH_TOKEN",
        "access_token": "BLUEJEANS_ACCESS_TOKEN",
        "user_id": "BLUEJEANS_USER_ID",
    }

    def given(names: list[str], indent: str) -> str:
        return "".join(f'{indent}{n}=os.environ["{variables[n]}"],\n' for n in names if n in variables)

    lines = ["import os", "import BlueJeansMeetingsRestApi", "", "api = BlueJeansMeetingsRestApi.AuthenticationApi()"]
    call = []
    for parameter, value in parameters(name).items():
        model = getattr(bluejeans, str(value.annotation).replace("models.", "").partition(" |")[0], None)
        if model is None:
            call.append(given([parameter], "    "))
            continue
        lines.append(f"{parameter} = BlueJeansMeetingsRestApi.{model.__name__}(")
        lines.append(given(list(model.attribute_map), "    ") + ")")
        call.append(f"    {parameter},\n")
    if described(name).auth_settings is None:
        token = 'BlueJeansMeetingsRestApi.StaticToken(os.environ["BLUEJEANS_ACCESS_TOKEN"])'
        lines.append(f"api.api_client.configuration.credentials = {token}")
    lines.append("")
    lines.append("try:")
    arguments = ", ".join(part.strip().rstrip(",").replace(",\n    ", ", ") for part in call if part)
    result = "print({})" if described(name).response_type else "{}"
    line = "    " + result.format(f"api.{name}({arguments})")
    lines.append(line if len(line) <= 120 else f"    api.{name}(\n        {arguments}\n    )")
    lines.append("except BlueJeansMeetingsRestApi.ApiException as error:")
    lines.append(f'    print("{name} failed:", error)')
    return "\n".join(lines)


def with_end(name: str, lines: list[str], ending: str = "[All pages](README.md)") -> str:
    """Return a page with the part below its mark replaced by the generated lines."""
    page = (FOLDER / name).read_text(encoding="utf-8")
    mark = MADE_HERE.search(page)
    assert mark, f"docs/{name} does not mark its generated part"
    return "\n".join([page[: mark.end()], "", *lines, "", ending, ""])


def commands() -> list[str]:
    """Return a section about the environment and one for each command.

    It does not contain the output of `--help`, which differs between Python versions.
    """
    subparsers = next(a for a in make_parser()._actions if isinstance(a, argparse._SubParsersAction))
    sections = [line for name, parser in subparsers.choices.items() for line in ("", *command_section(name, parser))]
    return [*environment_section(), *sections]


def environment_section() -> list[str]:
    """Return a table of the environment variables."""
    intro = "Each variable may instead be set with `_FILE` appended, to the path of a file that contains the value."
    table = ["| Variable | Meaning | Used for |", "| --- | --- | --- |"]
    table += [
        f"| `{setting_name(name)}` | {variable.description}{' (secret)' * variable.is_secret} | {variable.used_for} |"
        for name, variable in VARIABLES.items()
    ]
    return ["## Environment variables", "", intro, "", *table]


def command_section(name: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    usage = parser.usage or f"bluejeans-auth {name} [options]"
    words = [" ".join(map(str, action.choices or ())) for action in parser._actions if not action.option_strings]
    yield from (f"## {name}", "", parser.description or "", "", "```sh")
    yield from (f"# {' '.join([usage, *(word.replace(' ', '|') for word in words)])}",)
    yield from ((parser.epilog or "").partition(": ")[2], "```", "", "| Option | Meaning |", "| --- | --- |")
    for action in parser._actions[1:]:  # the first is --help
        if action.option_strings:
            value = (
                "" if action.nargs == 0 else f" {action.metavar or '|'.join(action.choices or [action.dest.upper()])}"
            )
            meaning = (action.help or "") % {"default": action.default}
            option = f"{action.option_strings[0]}{value}".replace("|", "\\|")
            yield f"| `{option}` | {meaning} |"


def reliability_table() -> list[str]:
    """Return the table with a row for each test that has a `fault` marker."""
    lines = ["| | Fault | Behavior | Raised | Test |", "| --- | --- | --- | --- | --- |"]
    for name, path, (row, fault, happens, *kinds) in sorted(faults(), key=lambda found: found[2][0]):
        raised = ", ".join(f"`{kind}`" if kind else "nothing" for kind in kinds or ("",))
        lines.append(f"| {row} | {fault} | {happens} | {raised} | [{name}](../{path}) |")
    return lines


def openapi_document() -> str:
    """Return the OpenAPI document with its schemas replaced by those of the models."""
    by_hand, made_here, _ = (FOLDER / "openapi.yaml").read_text(encoding="utf-8").partition(SCHEMAS_MADE_HERE)
    schemas = {
        "GrantRequest": {
            "description": "One of five grants; `grant_type` specifies which.",
            "oneOf": [reference(f"GrantRequest{grant}") for grant in GRANTS],
            "discriminator": {
                "propertyName": "grant_type",
                "mapping": {
                    a.default: f"#/components/schemas/{model.__name__}"
                    for model in MODELS
                    for a in model.attributes
                    if a.name == "grant_type"
                },
            },
        },
        "Grant": {
            "description": "Response to the requested grant.",
            # A response matches the first schema that fits, so the most specific ones come first.
            "anyOf": [reference(f"Grant{grant}") for grant in ("Code", "Refresh", "Password", "Meeting", "Client")],
        },
        **{model.__name__: schema(model) for model in MODELS},
    }
    return by_hand + made_here + "".join(as_yaml(schemas, indent="    "))


def schema(model: type[Model]) -> dict[str, Any]:
    """Return the JSON Schema of a model."""
    optional, also_accepted = OPTIONAL_KEYS.get(model.__name__, []), ALSO_ACCEPTED.get(model.__name__, {})
    required = [a.key for a in model.attributes if a.key not in optional]
    return {
        "type": "object",
        "description": inspect.getdoc(model),
        **({"required": required} if required else {}),
        "properties": {a.key: property_schema(a, also_accepted.get(a.key, ())) for a in model.attributes},
    }


def property_schema(a: Attribute, also_accepted: Sequence[str] = ()) -> dict[str, Any]:
    result = type_schema(a.type)
    if also_accepted:
        result["type"] = [result["type"], *also_accepted]
    if a.allowed:
        result["enum"] = list(a.allowed)
    if a.secret:
        result["format"] = "password"
    return {**result, "description": a.doc}


def type_schema(type_: str) -> dict[str, Any]:
    """Return the JSON Schema of a type, which is written as in the 2019 SDK."""
    if type_.startswith("list["):
        return {"type": "array", "items": type_schema(type_[len("list[") : -1])}
    simple = {"str": "string", "int": "integer", "bool": "boolean", "object": None}
    if type_ not in simple:
        return reference(type_)
    return {"type": simple[type_]} if simple[type_] else {}


def reference(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def as_yaml(content: dict[str, Any], indent: str) -> Iterator[str]:
    """Yield lines of YAML: nested objects as blocks, and everything else as JSON, which is valid YAML."""
    for key, value in content.items():
        if isinstance(value, dict) and any(isinstance(part, dict) for part in value.values()):
            yield f"{indent}{key}:\n"
            yield from as_yaml(value, indent + "  ")
        else:
            yield f"{indent}{key}: {json.dumps(value)}\n"


def faults() -> list[tuple[str, str, tuple[Any, ...]]]:
    """Return the name, file and marker arguments of each test that has a `fault` marker, in collection order."""
    import pytest

    class Collected:
        found: ClassVar[dict[tuple[str, str], tuple[Any, ...]]] = {}

        def pytest_collection_finish(self, session: pytest.Session) -> None:
            for item in session.items:
                marker = item.get_closest_marker("fault")
                if marker:
                    path = item.path.relative_to(FOLDER.parent).as_posix()
                    self.found[item.nodeid.partition("[")[0].rpartition("::")[2], path] = marker.args

    # If the package is installed, pytest warns that it can no longer rewrite the plugin.
    options = ["--collect-only", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    options += ["--rootdir", str(FOLDER.parent)]
    with contextlib.redirect_stdout(io.StringIO()) as output:
        status = pytest.main([*options, str(FOLDER.parent / "test")], plugins=[Collected()])
    if status:
        sys.exit(output.getvalue())
    return [(name, path, arguments) for (name, path), arguments in Collected.found.items()]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
