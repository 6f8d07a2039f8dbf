"""Serialization: Python values to JSON, query and form fields; responses to models, dates, other values and files."""

from __future__ import annotations

import functools
import json
import math
import mimetypes
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import IO, TYPE_CHECKING, Any, Callable, NoReturn, Union
from urllib.parse import quote

from . import models
from .models.model import Model
from .transport.request import check_encodable

if TYPE_CHECKING:
    FileContent = Union[str, bytes, bytearray, memoryview, IO[str], IO[bytes]]
    FormFile = Union[
        Union[str, "os.PathLike[str]"],  # paths
        Union[bytes, bytearray, memoryview, IO[str], IO[bytes]],
        Union[tuple[str, FileContent], tuple[str, FileContent, str]],
    ]

PRIMITIVE_TYPES = (float, bool, bytes, str, int)
MAX_NESTING = 100
# JSON in a query has braces too, but also quotation marks.
_PLACEHOLDER = r"\{([^{}\"]*)\}"
_MEDIA_TYPE = r"[!-.0-~]+/[ -~]+"  # A line break would start another header of the part.
_DELIMITERS = {"ssv": " ", "tsv": "\t", "pipes": "|"}

# Python's own decoder accepts NaN and Infinity, which are not JSON.
_JSON = json.JSONDecoder(parse_constant=lambda name: _refuse(f"{name} is not JSON"))


def to_json(value: Any, convert: Callable[[Any], Any] | None = None) -> Any:
    """Return `value` as data that JSON can represent: models as objects without None, dates in ISO 8601.

    convert: what converts the parts of a collection or model; `to_json` if None.
    """
    if value is None or isinstance(value, PRIMITIVE_TYPES):
        return value
    convert = convert or to_json
    if isinstance(value, (list, tuple)):
        return type(value)(map(convert, value))
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, dict):
        fields = value
    elif hasattr(value, "swagger_types"):
        attributes = ((key, getattr(value, name)) for name, key in value.attribute_map.items())
        fields = {key: part for key, part in attributes if part is not None}
        fields.update((k, v) for k, v in getattr(value, "additional_properties", {}).items() if v is not None)
    else:
        raise TypeError(
            f"Cannot serialize {type(value).__name__}: expected a model, a dictionary or another JSON value"
        )
    return {key: part if type(part) is str else convert(part) for key, part in fields.items()}


def to_pairs(
    params: Mapping[str, Any] | Iterable[tuple[str, Any]], collection_formats: Mapping[str, str] | None
) -> list[tuple[str, Any]]:
    """Return parameters as pairs, with lists joined or repeated as `collection_formats` specifies by name."""
    pairs: list[tuple[str, Any]] = []
    items: Any = params.items() if isinstance(params, Mapping) else params
    for name, value in items:
        format_ = (collection_formats or {}).get(name)
        if format_ is None or isinstance(value, str):
            pairs.append((name, value))
        elif format_ == "multi":
            pairs.extend((name, item) for item in value)
        else:
            pairs.append((name, _DELIMITERS.get(format_, ",").join(map(str, value))))
    return pairs


def fill_path(resource_path: str, parameters: list[tuple[str, Any]], safe: str) -> str:
    """Return the path with the parameters percent-encoded in it.

    Raises ValueError for a parameter that is missing, unknown, None or empty, or that leads to another path: a request
    to delete one item must not become one to delete them all.
    """
    if not parameters and "{" not in resource_path:
        return resource_path
    placeholders = set(re.findall(_PLACEHOLDER, resource_path))
    values: dict[str, str] = {}
    for parameter, value in parameters:
        name, quoted = str(parameter), quote("" if value is None else str(value), safe=safe)
        if name not in placeholders:
            raise ValueError(f"The path parameter {name!r} has no placeholder in the path")
        if not quoted.strip("/"):
            raise ValueError(f"The path parameter {name!r} must not be {'None' if value is None else 'empty'}")
        if {".", ".."} & set(quoted.split("/")):
            raise ValueError(f"The path parameter {name!r} leads to another path")
        values.setdefault(name, quoted)
    for name in sorted(placeholders - values.keys()):
        raise ValueError(f"The path parameter {name!r} has no value")
    return re.sub(_PLACEHOLDER, lambda placeholder: values[placeholder[1]], resource_path)


def file_fields(files: Mapping[str, FormFile | Sequence[FormFile] | None]) -> list[tuple[str, tuple[str, bytes, str]]]:
    """Return a form field for each file: its name, content and media type. Raise TypeError before one is opened."""
    if not isinstance(files, Mapping):
        raise TypeError(f"files must be a dictionary of form fields, not {type(files).__name__}")
    listed = [(field, file) for field, value in files.items() for file in _each_file(value)]
    for field, file in listed:
        _check_file(field, file)
    return [(field, _read_file(field, file)) for field, file in listed]


def _each_file(value: FormFile | Sequence[FormFile] | None) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _check_file(field: str, file: Any) -> None:
    """Raise a TypeError that contains the field's name if this is neither a path nor content."""
    if not isinstance(file, tuple):
        if not isinstance(file, (str, os.PathLike)) and not _is_content(file):
            given = type(file).__name__
            raise TypeError(f"files[{field!r}] must be a path, an open file, bytes or a tuple, not {given}")
        return
    name, content, media_type = (*file, None, None, None)[:3]
    # Text is content here, and not a path, as in requests.
    if len(file) not in (2, 3) or not isinstance(name, str) or not (isinstance(content, str) or _is_content(content)):
        raise TypeError(f"files[{field!r}] must be a tuple of a file name, content, and optionally a media type")
    if media_type is not None and not (isinstance(media_type, str) and re.fullmatch(_MEDIA_TYPE, media_type)):
        raise TypeError(f"The media type of files[{field!r}] must be such as 'text/plain'")


def _is_content(value: Any) -> bool:
    is_open_file = callable(getattr(value, "read", None)) and not isinstance(value, type)
    return isinstance(value, (bytes, bytearray, memoryview)) or is_open_file


def _read_file(field: str, file: Any) -> tuple[str, bytes, str]:
    """Return the name, content and media type of one file, which `_check_file` has checked."""
    content: Any
    name, content, media_type = (*file, None)[:3] if isinstance(file, tuple) else (None, file, None)
    if isinstance(file, (str, os.PathLike)):
        with open(file, "rb") as opened:
            name, content = os.path.basename(os.fsdecode(file)), opened.read()
    elif callable(getattr(content, "read", None)):
        path = getattr(content, "name", None)  # may be a descriptor, or such as "<stdin>"
        if name is None and isinstance(path, str) and not path.startswith("<"):
            name = os.path.basename(path)
        content = content.read()
    name = name or field
    check_encodable(f"files[{field!r}]", name)
    check_encodable(f"files[{field!r}]", content)
    if not isinstance(content, (str, bytes, bytearray, memoryview)):
        raise TypeError(f"read() of files[{field!r}] returned {type(content).__name__}, not bytes or text")
    content = content.encode() if isinstance(content, str) else bytes(content)
    return name, content, media_type or mimetypes.guess_type(name)[0] or "application/octet-stream"


def save(content: bytes, disposition: str, folder: str | None) -> str:
    """Write a download to a file, named by its `Content-Disposition` header, and return its path."""
    import tempfile
    from email.message import Message

    header = Message()
    header["Content-Disposition"] = disposition
    # The server's file name must not lead out of the folder or replace an existing file.
    name = re.split(r"[/\\]", header.get_filename("").strip("'"))[-1].lstrip(".")
    stem, extension = os.path.splitext("".join(c if c.isprintable() else "_" for c in name))
    name = stem[:40] + extension[:20]  # short enough for every file system
    folder = folder or tempfile.gettempdir()
    path = os.path.join(folder, name)
    if os.path.lexists(path):
        path = os.path.join(tempfile.mkdtemp(dir=folder), name or "download")
    with open(path, "xb") as file:
        file.write(content)
    return path


def from_json(content: bytes | str, response_type: Any) -> Any:
    """Return the body of a response as `response_type`. Raise a ValueError without values of the body if it is not."""
    return _reader(response_type)(_parse(content, response_type))


def _refuse(reason: str, field_error: ValueError | None = None) -> NoReturn:
    raise ValueError(reason if field_error is None else f"{reason}: {field_error}") from None


def _parse(content: bytes | str, response_type: Any) -> Any:
    """Return the JSON in a body, or its text if `response_type` permits that."""
    text = ""
    try:
        text = (content if isinstance(content, str) else content.decode()).removeprefix("\ufeff")
        # `_JSON.decode` finds whitespace with regular expressions, which takes half as long again.
        value = text.strip(" \t\r\n")
        data, end = _JSON.raw_decode(value)
        if end < len(value):
            _refuse("more than one value")
    except UnicodeDecodeError:
        _refuse("not UTF-8")
    except ValueError:
        return text if response_type in ("str", "object", str, object) else _refuse("not JSON")
    if len(value) > 2 * MAX_NESTING and value.count("[") + value.count("{") > MAX_NESTING:
        _check_nesting(data)
    return _refuse("null") if data is None and response_type not in ("object", object) else data


def _check_nesting(data: Any) -> None:
    # By level, because a function that calls itself would exceed the recursion limit that this check protects.
    depth, level = 0, [data]
    while level:
        depth += 1
        if depth > MAX_NESTING:
            _refuse(f"nested deeper than {MAX_NESTING} levels")
        collections = (part for part in level if isinstance(part, (dict, list)))
        level = [part for parts in collections for part in (parts.values() if isinstance(parts, dict) else parts)]


@functools.lru_cache(maxsize=256)
def _reader(type_: Any, module: str = models.__name__) -> Callable[[Any], Any]:
    """Return a function that converts JSON to a type, given by the 2019 SDK's name. Its ValueErrors quote no value.

    module: the module whose models take precedence over the models of this package.
    """
    name, cls = (type_, None) if isinstance(type_, str) else (type_.__name__, type_)
    if name == "object":
        return lambda value: value
    if name in _SCALARS:
        return _unless_none(_SCALARS[name])
    if name.startswith("list["):
        item = _reader(name[len("list[") : -1], module)
        return _unless_none(lambda v: [item(part) for part in v] if isinstance(v, list) else _refuse("not a list"))
    if name.startswith("dict("):
        of = _reader(name[len("dict(") : -1].partition(",")[2].strip(), module)
        return _of_object(lambda fields: {key: of(part) for key, part in fields.items()})
    name = name.rpartition(".")[2]
    cls = cls or getattr(sys.modules[module], name, None) or getattr(models, name)
    return _model_reader(cls) if issubclass(cls, Model) and cls.is_as_declared else _generated_model_reader(cls)


def _unless_none(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else read(value)


def _of_object(read: Callable[[dict[str, Any]], Any]) -> Callable[[Any], Any]:
    return _unless_none(lambda value: read(value) if isinstance(value, dict) else _refuse("not an object"))


def _model_reader(cls: type[Model]) -> Callable[[Any], Any]:
    # Compiled, like the constructor: a grant takes a third of the time of a loop over its attributes.
    plain_types = {"str": str, "int": int, "bool": bool}
    namespace: dict[str, Any] = {"cls": cls, "new": cls.__new__, "refuse": _refuse, **plain_types}
    namespace["__name__"] = __name__  # for tracebacks
    lines = ["def read(fields):", " if fields.__class__ is not dict:"]
    lines += ["  return None if fields is None else refuse('not an object')", " take = fields.pop"]
    for n, a in enumerate(cls.attributes):
        other_type = f"v{n}.__class__ is not {a.type} and " if a.type in plain_types else ""
        namespace[f"default{n}"] = a.default
        namespace[f"read{n}"] = _reader_on_first_use(namespace, f"read{n}", a.type, cls.__module__)
        lines += [f" v{n} = take({a.key!r}, default{n})"]
        if a.promised:
            lines += [f" if not v{n} or v{n}.__class__ is not str: refuse({f'{a.key} is missing'!r})"]
        lines += [f" if {other_type}v{n} is not default{n}:"]
        lines += [f"  try: v{n} = read{n}(v{n})", f"  except ValueError as error: refuse({a.key!r}, error)"]
        if a.required or a.allowed:
            namespace[f"check{n}"] = a.check
            lines += [f" if {a.required} or v{n} is not None: v{n} = check{n}(v{n})"]
    # The remaining fields are those that the model does not declare.
    lines += [" model = new(cls)", " model.__dict__ = {'additional_properties': fields,"]
    lines += [f"  {a.name!r}: v{n}," for n, a in enumerate(cls.attributes)]
    lines += [" }", " return model"]
    exec("\n".join(lines), namespace)
    read: Callable[[Any], Any] = namespace["read"]
    return read


def _reader_on_first_use(namespace: dict[str, Any], name: str, type_: str, module: str) -> Callable[[Any], Any]:
    """Return a reader that is created when it is called, because a model may contain models of the same class."""

    def read(value: Any) -> Any:
        namespace[name] = _reader(type_, module)
        return namespace[name](value)

    return read


def _generated_model_reader(cls: Any) -> Callable[[Any], Any]:
    """Return a reader that calls the constructor: for classes of swagger-codegen, and subclasses with their own one."""

    def read(fields: dict[str, Any]) -> Any:
        known = {}
        for name, key in cls.attribute_map.items():
            if key in fields:
                try:
                    known[name] = _reader(cls.swagger_types[name], cls.__module__)(fields[key])
                except ValueError as error:
                    _refuse(key, error)
        return cls(**known)

    return _of_object(read)


def _read_number(value: Any) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (ValueError, TypeError, OverflowError):
        number = math.nan
    return number if math.isfinite(number) else _refuse("not a number")


def _read_integer(value: Any) -> int:
    try:
        return int(value)
    except ValueError:
        return int(float(value))  # such as "1e3"


def _read_datetime(value: Any) -> datetime:
    from dateutil.parser import parse

    try:
        moment: datetime = parse(value)
    except (ValueError, TypeError, OverflowError):
        _refuse("not a date")
    return moment


def _read_bool(value: Any) -> bool:
    known = {"true": True, "false": False}.get(str(value).lower())
    return _refuse("neither true nor false") if known is None else known


_SCALARS: dict[str, Callable[[Any], Any]] = {
    "str": lambda value: _refuse("not a string") if isinstance(value, (dict, list)) else str(value),
    # Converted from the value, because the float would round a long ID.
    "int": lambda value: _read_integer(value) if _read_number(value).is_integer() else _refuse("not an integer"),
    "float": _read_number,
    "bool": _read_bool,
    "datetime": _read_datetime,
    "date": lambda value: _read_datetime(value).date(),
}
_SCALARS["long"] = _SCALARS["int"]
