"""`ApiClient`: models to JSON, the call, JSON to models."""

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
from .configuration import Configuration, whole_number
from .exceptions import ApiResponseError, UnauthorizedError
from .models.model import Model
from .redaction import leaves_no_variables
from .rest import METHODS, Limits, Request, RequestTimeout, RESTClientObject, RESTResponse, check_encodable
from .version import __version__

if TYPE_CHECKING:
    from multiprocessing.pool import ThreadPool

MAX_NESTING = 100
FileContent = Union[str, bytes, bytearray, memoryview, IO[str], IO[bytes]]
FormFile = Union[
    Union[str, "os.PathLike[str]"],  # paths
    Union[bytes, bytearray, memoryview, IO[str], IO[bytes]],
    Union[tuple[str, FileContent], tuple[str, FileContent, str]],
]
_DELIMITERS = {"ssv": " ", "tsv": "\t", "pipes": "|"}


class ApiClient:
    """Calls the service by path and method. `AuthenticationApi` and every other endpoint go through `call_api`.

    configuration: the settings; a new `Configuration` if None. Raises ValueError for one that cannot work.
    header_name, header_value, cookie: a header, and the `Cookie` header, of every request.

    It may be used by many threads at once. `close()`, or leaving a `with` block, closes its connections and threads.
    """

    PRIMITIVE_TYPES = (float, bool, bytes, str, int)

    def __init__(
        self,
        configuration: Configuration | None = None,
        header_name: str | None = None,
        header_value: str | None = None,
        cookie: str | None = None,
    ) -> None:
        self.configuration = Configuration() if configuration is None else configuration
        self.configuration.check()
        self.rest_client = RESTClientObject(self.configuration)
        self.default_headers: dict[str, str] = {}
        if header_name is not None and header_value is not None:
            self.default_headers[header_name] = header_value
        self.cookie = cookie
        self.user_agent = f"BlueJeansMeetingsRestApi/{__version__}/python"
        self.last_response: Any = None
        self._pools: dict[int, ThreadPool] = {}

    def __enter__(self) -> ApiClient:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections, and end the threads of `async_req` once their calls have ended."""
        pool = self._pools.pop(os.getpid(), None)
        if pool is not None:
            pool.close()
            pool.join()
        self.rest_client.close()

    @property
    def pool(self) -> ThreadPool:
        """The threads that `async_req` calls run in, started when first asked for, and anew in a forked child."""
        pid = os.getpid()
        if pid in self._pools:
            return self._pools[pid]
        from multiprocessing.pool import ThreadPool

        made = ThreadPool()
        pool = self._pools.setdefault(pid, made)
        if pool is not made:  # another thread was first
            made.terminate()
        return pool

    @pool.setter
    def pool(self, value: ThreadPool) -> None:
        self._pools[os.getpid()] = value

    @property
    def user_agent(self) -> str:
        """The `User-Agent` header."""
        return self.default_headers["User-Agent"]

    @user_agent.setter
    def user_agent(self, value: str) -> None:
        self.default_headers["User-Agent"] = value

    def set_default_header(self, header_name: str, header_value: str) -> None:
        """Send this header with every request."""
        self.default_headers[header_name] = header_value

    @leaves_no_variables
    def call_api(
        self,
        resource_path: str,
        method: str,
        path_params: Mapping[str, Any] | Sequence[tuple[str, Any]] | None = None,
        query_params: Mapping[str, Any] | Sequence[tuple[str, Any]] | None = None,
        header_params: Mapping[str, Any] | Sequence[tuple[str, Any]] | None = None,
        body: Any = None,
        post_params: Mapping[str, Any] | Sequence[tuple[str, Any]] | None = None,
        files: Mapping[str, FormFile | Sequence[FormFile] | None] | None = None,
        response_type: str | type | None = None,
        auth_settings: Iterable[str] | None = None,
        async_req: bool | None = None,
        _return_http_data_only: bool | None = None,
        collection_formats: Mapping[str, str] | None = None,
        _preload_content: bool = True,
        _request_timeout: RequestTimeout = None,
        *,
        _max_attempts: int | None = None,
        idempotent: bool | None = None,
        redirect_is_answer: bool = False,
        **old_names: Any,
    ) -> Any:
        """Call any endpoint of the service.

        resource_path: the path below the host, with `{name}` for each of `path_params`. Each has a value, not empty.
        body: a model, or what JSON knows. post_params: form fields.
        files: by form field, a path (`str` or `os.PathLike`), or content: an open file, `bytes`, or a tuple
            `(name, content)` or `(name, content, media_type)`; or a list of these. A tuple is never a list of paths.
        response_type: what the answer is made into: a model or its name, `list[...]`, `dict(str, ...)`, `str`, `int`,
            `float`, `bool`, `date`, `datetime`, `object`, or `file` for the name of a file with the answer in it.
        auth_settings: what in `Configuration.auth_settings()` authorizes it; None for `Configuration.credentials`.
        async_req: run in a thread; the result's `get()` gives or raises what the call does. Its old name is `async`.
        collection_formats: how lists are joined, by parameter: csv, ssv, tsv, pipes, or multi.
        _request_timeout: seconds for the whole call, or a pair: to connect, and of silence while reading.
        _max_attempts: the maximum number of attempts; `Configuration.max_attempts` if None.
        idempotent: whether it may be sent again after a failure that may have come too late; by default by method.
        redirect_is_answer: return an answer of 3xx, where otherwise RedirectError is raised. It is never followed.

        Returns the data (urllib3's unread response if not `_preload_content`), HTTP status and headers; the data alone
        if `_return_http_data_only`. Raises the kinds of `ApiException`; ValueError or TypeError if nothing can be sent.
        """
        in_thread = old_names.pop("async", async_req)
        if old_names:
            raise TypeError(f"Got an unexpected keyword argument '{next(iter(old_names))}' to method call_api")
        if _max_attempts is not None:
            whole_number("_max_attempts", _max_attempts)

        def tuples(params: Any) -> list[tuple[str, Any]]:
            if not params:
                return []
            pairs = self.parameters_to_tuples(self.sanitize_for_serialization(params), collection_formats)
            for name, value in pairs:
                check_encodable(name, value)
            return pairs

        configuration, base_url = self.configuration, self.configuration.base_url
        headers = {**dict(header_params or {}), **self.default_headers}
        if self.cookie:
            headers["Cookie"] = self.cookie
        credentials = configuration.credentials if auth_settings is None else None
        if any(name.lower() == "authorization" for name in headers):
            credentials = None
        elif credentials is not None:
            # Credentials of the SDK check the host, or have a token for each host.
            credentials = credentials.for_client(self) if hasattr(credentials, "for_client") else credentials
        query = [(name, value) for name, value in tuples(query_params) if value is not None]
        self.update_params_for_auth(headers, query, auth_settings)
        resource_path = _fill_in(resource_path, tuples(path_params), configuration.safe_chars_for_path_param)
        content, fields = self.sanitize_for_serialization(body), tuples(post_params) + _file_fields(files or {})

        def prepared() -> Request:
            return self.rest_client.prepare(
                method,
                base_url,
                resource_path,
                query,
                dict(tuples(headers)),
                content,
                fields,
                idempotent=idempotent,
                redirect_is_answer=redirect_is_answer,
            )

        sends_by_itself = self._sends_by_itself(method)
        request = None if sends_by_itself else prepared()  # also to say at once what cannot be sent

        def send(limits: Limits) -> Any:
            if sends_by_itself:
                return self.request(
                    method,
                    base_url + resource_path,
                    query_params=query,
                    headers=dict(tuples(headers)),
                    post_params=fields,
                    body=content,
                    _preload_content=_preload_content,
                    _request_timeout=_request_timeout,
                )
            ready = request if request is not None and credentials is None else prepared()
            return self.rest_client.send(ready, _preload_content, limits, _max_attempts)

        def send_authorized(limits: Limits) -> Any:
            if credentials is None:
                return send(limits)
            headers["Authorization"] = f"Bearer {credentials.get_token(limits.left()).token}"
            try:
                return send(limits)
            except UnauthorizedError:
                # The token should have been good. Once more, with another one.
                credentials.invalidate(str(headers["Authorization"]).partition(" ")[2])
            headers["Authorization"] = f"Bearer {credentials.get_token(limits.left()).token}"
            return send(limits)

        def call() -> Any:
            response = self.last_response = send_authorized(self.rest_client.limits(_request_timeout))
            data = (response_type and self.deserialize(response, response_type)) if _preload_content else response
            return data if _return_http_data_only else (data, response.status, response.headers)

        return self.pool.apply_async(leaves_no_variables(call)) if in_thread else call()

    @leaves_no_variables
    def request(
        self,
        method: str,
        url: str,
        query_params: Any = None,
        headers: Any = None,
        post_params: Any = None,
        body: Any = None,
        _preload_content: bool = True,
        _request_timeout: RequestTimeout = None,
    ) -> Any:
        """Send a request to a whole URL, with `body` as JSON knows it, and return the `RESTResponse`.

        For programs of the 2019 SDK, which call it, or whose clients have one of their own: then `call_api` goes by way
        of that, and of `RESTClientObject.request` or `.POST` where those are a program's own.
        """
        given = {"query_params": query_params, "headers": headers, "post_params": post_params, "body": body}
        arguments = {name: value for name, value in given.items() if value}
        send = getattr(self.rest_client, method.upper(), None) or functools.partial(self.rest_client.request, method)
        return send(url, _preload_content=_preload_content, _request_timeout=_request_timeout, **arguments)

    def _sends_by_itself(self, method: str) -> bool:
        """Whether the program has put something of its own in the place of a method that used to send requests."""
        verb = method.upper()
        now = (self.request, getattr(self.rest_client, "request", None), getattr(self.rest_client, verb, None))
        return tuple(getattr(way, "__func__", way) for way in now) != (*_REQUESTS, _VERBS.get(verb))

    def sanitize_for_serialization(self, obj: Any) -> Any:
        """`obj` as JSON knows it: models by their JSON keys without what is None, dates in ISO 8601."""
        if obj is None or isinstance(obj, self.PRIMITIVE_TYPES):
            return obj
        if isinstance(obj, (list, tuple)):
            return type(obj)(map(self.sanitize_for_serialization, obj))
        if isinstance(obj, (datetime, date)):
            return obj.isoformat()
        if isinstance(obj, dict):
            fields = obj
        elif hasattr(obj, "swagger_types"):
            held = ((key, getattr(obj, name)) for name, key in obj.attribute_map.items())
            fields = {key: value for key, value in held if value is not None}
            fields.update((k, v) for k, v in getattr(obj, "additional_properties", {}).items() if v is not None)
        else:
            raise TypeError(f"A {type(obj).__name__} cannot be sent: give a model, a dict, or what JSON knows")
        sanitize = self.sanitize_for_serialization
        return {key: value if type(value) is str else sanitize(value) for key, value in fields.items()}

    def deserialize(self, response: Any, response_type: str | type) -> Any:
        """The body of a response as a `response_type` of `call_api`; ApiResponseError if it is none."""
        if response_type == "file":
            return self._save(response)
        try:
            return _reader(response_type)(_parse(response, response_type))
        except (ValueError, RecursionError) as error:
            problem = f"the answer is not what was promised: {error or 'nested too deep'}"
        # Raised out here, lest the parser's error, which may hold the body, comes along as `__context__`.
        ours = response if isinstance(response, RESTResponse) else None
        raise ApiResponseError(0, problem, ours, secrets=ours.request.secrets if ours and ours.request else ())

    def _save(self, response: RESTResponse) -> str:
        """Write the body to a file named as the answer's Content-Disposition says, and return its path."""
        import tempfile
        from email.message import Message

        header = Message()
        header["Content-Disposition"] = response.getheader("Content-Disposition") or ""
        # The server's choice of a name must not lead out of the folder, nor over a file that is there.
        name = re.split(r"[/\\]", header.get_filename("").strip("'"))[-1].lstrip(".")
        stem, extension = os.path.splitext("".join(c if c.isprintable() else "_" for c in name))
        name = stem[:40] + extension[:20]  # which any file system takes
        folder = self.configuration.temp_folder_path or tempfile.gettempdir()
        path = os.path.join(folder, name)
        if os.path.lexists(path):
            path = os.path.join(tempfile.mkdtemp(dir=folder), name or "download")
        with open(path, "xb") as file:
            file.write(response.content)
        return path

    def parameters_to_tuples(
        self, params: Mapping[str, Any] | Iterable[tuple[str, Any]], collection_formats: Mapping[str, str] | None
    ) -> list[tuple[str, Any]]:
        """Parameters as pairs, with lists joined (or for `multi` repeated) as `collection_formats` says by name."""
        pairs: list[tuple[str, Any]] = []
        for name, value in params.items() if isinstance(params, Mapping) else params:
            format_ = (collection_formats or {}).get(name)
            if format_ is None or isinstance(value, str):
                pairs.append((name, value))
            elif format_ == "multi":
                pairs.extend((name, item) for item in value)
            else:
                pairs.append((name, _DELIMITERS.get(format_, ",").join(map(str, value))))
        return pairs

    def select_header_accept(self, accepts: Sequence[str] | None) -> str | None:
        """The `Accept` header for these content types: JSON alone if it is among them."""
        if not accepts:
            return None
        accepts = [accept.lower() for accept in accepts]
        return "application/json" if "application/json" in accepts else ", ".join(accepts)

    def select_header_content_type(self, content_types: Sequence[str] | None) -> str:
        """The `Content-Type` header out of these: JSON if it is among them, or if there are none."""
        content_types = [content_type.lower() for content_type in content_types or ("*/*",)]
        return "application/json" if {"application/json", "*/*"} & set(content_types) else content_types[0]

    def update_params_for_auth(
        self, headers: dict[str, Any], querys: list[tuple[str, Any]], auth_settings: Iterable[str] | None
    ) -> None:
        """Add what authorizes the call, by the names of `Configuration.auth_settings()`, unless it is given already."""
        for name in auth_settings or ():
            setting = self.configuration.auth_settings().get(name)
            if not setting or not setting["value"]:
                continue
            if setting["in"] == "header":
                headers[setting["key"]] = setting["value"]
            elif setting["in"] == "query":
                if all(key != setting["key"] for key, _ in querys):
                    querys.append((setting["key"], setting["value"]))
            else:
                raise ValueError("Authentication token must be in `query` or `header`")


# What sends requests unless a program puts something of its own there.
_REQUESTS = (ApiClient.request, RESTClientObject.request)
_VERBS = {method: getattr(RESTClientObject, method) for method in METHODS}


# JSON in a query has braces too, but also quotation marks.
_PLACEHOLDER = re.compile(r"\{([^{}\"]*)\}")


def _fill_in(resource_path: str, parameters: list[tuple[str, Any]], safe: str) -> str:
    """Return the path with the parameters percent-encoded in it.

    Raises ValueError for a parameter that is missing, unknown, None or empty, or that leads to another path: a request
    to delete one item must not become one to delete them all.
    """
    placeholders = set(_PLACEHOLDER.findall(resource_path))
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
    return _PLACEHOLDER.sub(lambda placeholder: values[placeholder[1]], resource_path)


_MEDIA_TYPE = re.compile(r"[!-.0-~]+/[ -~]+")  # A line break would start another header of the part.


def _file_fields(files: Mapping[str, FormFile | Sequence[FormFile] | None]) -> list[tuple[str, tuple[str, bytes, str]]]:
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
    if media_type is not None and not (isinstance(media_type, str) and _MEDIA_TYPE.fullmatch(media_type)):
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


# Python's own decoder takes NaN and Infinity, which are not JSON.
_JSON = json.JSONDecoder(parse_constant=lambda name: _refuse(f"{name} is not JSON"))


def _refuse(why: str, of_field: ValueError | None = None) -> NoReturn:
    raise ValueError(why if of_field is None else f"{why}: {of_field}") from None


def _parse(response: Any, response_type: Any) -> Any:
    """The JSON in a response's body, or its text where that will do; a ValueError if it cannot be of the type."""
    content = response.content if isinstance(response, RESTResponse) else response.data
    try:
        text = (content if isinstance(content, str) else content.decode()).removeprefix("\ufeff")
        # `_JSON.decode` finds the spaces around it with regular expressions: half as long again as a grant takes.
        value = text.strip(" \t\r\n")
        data, end = _JSON.raw_decode(value)
        if end < len(value):
            _refuse("more than one value")
    except UnicodeDecodeError:
        _refuse("it is not UTF-8")
    except ValueError:
        return text if response_type in ("str", "object", str, object) else _refuse("it is not JSON")
    # Looked at by level, because a function that calls itself would fail where this is to prevent it.
    may_be_deep = len(value) > 2 * MAX_NESTING and value.count("[") + value.count("{") > MAX_NESTING
    depth, level = 0, [data] if may_be_deep else []
    while level and depth <= MAX_NESTING:
        depth += 1
        level = [part for parts in level if isinstance(parts, (dict, list)) for part in _parts(parts)]
    if depth > MAX_NESTING:
        _refuse(f"it is nested deeper than {MAX_NESTING} levels")
    return _refuse("it is null") if data is None and response_type not in ("object", object) else data


def _parts(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


@functools.lru_cache(maxsize=256)
def _reader(type_: Any, module: str = models.__name__) -> Callable[[Any], Any]:
    """What makes JSON into a type by the 2019 SDK's naming. It refuses with a ValueError that quotes no value.

    module: whose models the type may name, before those of this package.
    """
    name, cls = (type_, None) if isinstance(type_, str) else (type_.__name__, type_)
    if name == "object":
        return lambda value: value
    if name in _SCALARS:
        return _unless_none(_SCALARS[name])
    if name.startswith("list["):
        item = _reader(name[len("list[") : -1], module)
        return _unless_none(lambda v: [item(part) for part in v] if isinstance(v, list) else _refuse("no list"))
    if name.startswith("dict("):
        of = _reader(name[len("dict(") : -1].partition(",")[2].strip(), module)
        return _of_object(lambda fields: {key: of(part) for key, part in fields.items()})
    name = name.rpartition(".")[2]
    cls = cls or getattr(sys.modules[module], name, None) or getattr(models, name)
    return _model_reader(cls) if issubclass(cls, Model) and cls.is_as_declared else _generated_model_reader(cls)


def _unless_none(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else read(value)


def _of_object(read: Callable[[dict[str, Any]], Any]) -> Callable[[Any], Any]:
    return _unless_none(lambda value: read(value) if isinstance(value, dict) else _refuse("no object"))


def _model_reader(cls: type[Model]) -> Callable[[Any], Any]:
    # Written out and compiled, as the constructor is: a grant takes a third of the time of a loop over its attributes.
    taken_as_they_are = {"str": str, "int": int, "bool": bool}
    namespace: dict[str, Any] = {"cls": cls, "new": cls.__new__, "refuse": _refuse, **taken_as_they_are}
    lines = ["def read(fields):", " if fields.__class__ is not dict:"]
    lines += ["  return None if fields is None else refuse('no object')", " take = fields.pop"]
    for n, a in enumerate(cls.attributes):
        other_type = f"v{n}.__class__ is not {a.type} and " if a.type in taken_as_they_are else ""
        namespace[f"default{n}"] = a.default
        namespace[f"read{n}"] = _reader_on_first_use(namespace, f"read{n}", a.type, cls.__module__)
        lines += [f" v{n} = take({a.key!r}, default{n})"]
        if a.promised:
            lines += [f" if not v{n} or v{n}.__class__ is not str: refuse({f'no {a.key}'!r})"]
        lines += [f" if {other_type}v{n} is not default{n}:"]
        lines += [f"  try: v{n} = read{n}(v{n})", f"  except ValueError as error: refuse({a.key!r}, error)"]
        if a.required or a.allowed:
            namespace[f"check{n}"] = a.check
            lines += [f" if {a.required} or v{n} is not None: v{n} = check{n}(v{n})"]
    # What nobody took is what the model does not declare.
    lines += [" model = new(cls)", " model.__dict__ = {'additional_properties': fields,"]
    lines += [f"  {a.name!r}: v{n}," for n, a in enumerate(cls.attributes)]
    lines += [" }", " return model"]
    exec("\n".join(lines), namespace)
    read: Callable[[Any], Any] = namespace["read"]
    return read


def _reader_on_first_use(namespace: dict[str, Any], name: str, type_: str, module: str) -> Callable[[Any], Any]:
    """Not made before: a model may hold models of its own class."""

    def read(value: Any) -> Any:
        namespace[name] = _reader(type_, module)
        return namespace[name](value)

    return read


def _generated_model_reader(cls: Any) -> Callable[[Any], Any]:
    """Of a class that swagger-codegen made, or that a program has made of ours: its constructor is called."""

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
    return number if math.isfinite(number) else _refuse("no number")


def _read_whole(value: Any) -> int:
    try:
        return int(value)
    except ValueError:
        return int(float(value))  # such as "1e3"


def _read_datetime(value: Any) -> datetime:
    from dateutil.parser import parse

    try:
        moment: datetime = parse(value)
    except (ValueError, TypeError, OverflowError):
        _refuse("no date")
    return moment


def _read_bool(value: Any) -> bool:
    known = {"true": True, "false": False}.get(str(value).lower())
    return _refuse("neither true nor false") if known is None else known


_SCALARS: dict[str, Callable[[Any], Any]] = {
    "str": lambda value: _refuse("no text") if isinstance(value, (dict, list)) else str(value),
    # Made from the value, not from the float, which would round a long id.
    "int": lambda value: _read_whole(value) if _read_number(value).is_integer() else _refuse("no whole number"),
    "float": _read_number,
    "bool": _read_bool,
    "datetime": _read_datetime,
    "date": lambda value: _read_datetime(value).date(),
}
_SCALARS["long"] = _SCALARS["int"]
