"""`ApiClient`: builds and authorizes a request, sends it through `rest.py`, and deserializes the response."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from . import serialization
from .configuration import Configuration
from .exceptions import ApiResponseError, UnauthorizedError
from .redaction import leaves_no_variables, secrets_in
from .rest import METHODS, Request, RequestTimeout, RESTClientObject, RESTResponse, check_encodable
from .validation import validate_positive_integer
from .version import __version__

if TYPE_CHECKING:
    from multiprocessing.pool import ThreadPool

    from . import legacy
    from .serialization import FormFile


class _Call(NamedTuple):
    """A prepared call: its request, what sends it, what provides tokens for it, and its options."""

    sender: Any
    request: Request | legacy.Request
    provider: Any
    response_type: str | type | None
    data_only: bool | None
    preload_content: bool
    request_timeout: RequestTimeout
    max_attempts: int | None


class ApiClient:
    """Calls the service by path and method. `AuthenticationApi` and every other endpoint use `call_api`.

    configuration: the settings; a new `Configuration` if None. Raises ValueError if a setting is invalid.
    header_name, header_value, cookie: a header, and the `Cookie` header, of every request.
    send: replaces the network in tests. It receives each request and returns a response or raises an exception.

    Threads may share a client. `close()`, or leaving a `with` block, closes its connections and threads.
    """

    PRIMITIVE_TYPES = serialization.PRIMITIVE_TYPES

    def __init__(
        self,
        configuration: Configuration | None = None,
        header_name: str | None = None,
        header_value: str | None = None,
        cookie: str | None = None,
        *,
        send: Callable[[Any], Any] | None = None,
    ) -> None:
        self.configuration = Configuration() if configuration is None else configuration
        self.configuration.check()
        self.rest_client = RESTClientObject(self.configuration, send=send)
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
        """Close the connections, and wait for calls with `async_req` before their threads end."""
        pool = self._pools.pop(os.getpid(), None)
        if pool is not None:
            pool.close()
            pool.join()
        self.rest_client.close()

    @property
    def pool(self) -> ThreadPool:
        """The threads of `async_req` calls, started on first use, and again in a forked child process."""
        pid = os.getpid()
        if pid in self._pools:
            return self._pools[pid]
        from multiprocessing.pool import ThreadPool

        created = ThreadPool()
        pool = self._pools.setdefault(pid, created)
        if pool is not created:  # another thread was first
            created.terminate()
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

        resource_path: the path below the host, with `{name}` for each of `path_params`, whose values are not empty.
        body: a model or JSON data. post_params: form fields.
        files: by form field, a path (`str` or `os.PathLike`), or content: an open file, `bytes`, or a tuple
            `(name, content)` or `(name, content, media_type)`; or a list of these. A tuple is never a list of paths.
        response_type: what the response is converted to: a model or its name, `list[...]`, `dict(str, ...)`, `str`,
            `int`, `float`, `bool`, `date`, `datetime`, `object`, or `file` for the path of a file with the body.
        auth_settings: the names of `Configuration.auth_settings()` to send; None for `Configuration.credentials`.
        async_req: call in a thread, and return an object whose `get()` returns or raises the result. `async` is its
            old name.
        collection_formats: how to join lists, by parameter: csv, ssv, tsv, pipes, or multi.
        _request_timeout: seconds for the whole call, or a pair: to connect, and to wait for data.
        _max_attempts: the maximum number of attempts; `Configuration.max_attempts` if None.
        idempotent: whether the request may be repeated after it may have reached the service; by default by method.
        redirect_is_answer: return a 3xx response instead of raising RedirectError. Redirects are never followed.

        Returns the data (urllib3's unread response if not `_preload_content`), the HTTP status and the headers; only
        the data if `_return_http_data_only`. Raises ApiException; ValueError or TypeError for invalid arguments.
        """
        in_thread = old_names.pop("async", async_req)
        if old_names:
            raise TypeError(f"Got an unexpected keyword argument '{next(iter(old_names))}' to method call_api")
        if _max_attempts is not None:
            validate_positive_integer("_max_attempts", _max_attempts)
        headers = self._merge_headers(header_params)
        provider = self._token_provider(headers) if auth_settings is None else None
        sender = self._sender(method)
        endpoint, content = (method, resource_path, path_params, query_params), (body, post_params, files)
        request = self._build(
            sender, endpoint, headers, content, auth_settings, collection_formats,
            idempotent=idempotent, redirect_is_answer=redirect_is_answer,
        )  # fmt: skip
        options = (response_type, _return_http_data_only, _preload_content, _request_timeout, _max_attempts)
        call = _Call(sender, request, provider, *options)
        return self.pool.apply_async(leaves_no_variables(self._perform), (call,)) if in_thread else self._perform(call)

    def _merge_headers(self, header_params: Any) -> dict[str, Any]:
        headers = {**dict(header_params or {}), **self.default_headers}
        if self.cookie:
            headers["Cookie"] = self.cookie
        return headers

    def _token_provider(self, headers: Mapping[str, Any]) -> Any:
        """Return what provides the tokens of a call: `Configuration.credentials`, for the host of this client."""
        credentials = self.configuration.credentials
        if credentials is None or any(name.lower() == "authorization" for name in headers):
            return None
        bind = getattr(credentials, "for_client", None)
        return credentials if bind is None else bind(self)

    def _build(
        self,
        sender: Any,
        endpoint: tuple[str, str, Any, Any],
        headers: dict[str, Any],
        content: tuple[Any, Any, Any],
        auth_settings: Iterable[str] | None,
        formats: Mapping[str, str] | None,
        **options: Any,
    ) -> Request | legacy.Request:
        """Return the request of a call, encoded and checked.

        endpoint: the method, the path and the parameters of path and query. content: body, form fields and files.
        """
        (method, resource_path, path_params, query_params), (body, post_params, files) = endpoint, content
        base_url, parameters = self.configuration.base_url, self._to_pairs(path_params, formats)
        path = serialization.fill_path(resource_path, parameters, self.configuration.safe_chars_for_path_param)
        query = [(name, value) for name, value in self._to_pairs(query_params, formats) if value is not None]
        self.update_params_for_auth(headers, query, auth_settings)
        if formats or {*map(type, headers.values())} != {str}:
            headers = dict(self._to_pairs(headers, formats))
        fields = self.prepare_post_parameters(self._to_pairs(post_params, formats), files)
        json = self.sanitize_for_serialization(body)
        secrets = secrets_in([body, dict(parameters)])
        parts = (method, base_url, path, query, headers, json, fields)
        request: Request | legacy.Request = sender.prepare(*parts, template=resource_path, secrets=secrets, **options)
        return request

    def _to_pairs(self, params: Any, formats: Mapping[str, str] | None) -> list[tuple[str, Any]]:
        if not params:
            return []
        pairs = self.parameters_to_tuples(self.sanitize_for_serialization(params), formats)
        for name, value in pairs:
            check_encodable(name, value)
        return pairs

    def _sender(self, method: str) -> Any:
        """Return the `rest_client`, or what sends requests through the methods that the program has replaced."""
        verb, rest = method.upper(), self.rest_client
        methods = (self.request, getattr(rest, "request", None), getattr(rest, verb, None))
        if tuple(getattr(method, "__func__", method) for method in methods) == (*_REQUESTS, _VERBS.get(verb)):
            return rest
        from . import legacy

        return legacy.Sender(self)

    def _perform(self, call: _Call) -> Any:
        """Authorize, send and read. A token that the service refuses (401) is replaced once."""
        limits = call.sender.limits(call.request_timeout)
        request, token = self._authorize(call, limits)
        try:
            response = call.sender.send(request, call.preload_content, limits, call.max_attempts)
        except UnauthorizedError:
            if token is None:
                raise
            call.provider.invalidate(token)
            request, another = self._authorize(call, limits)
            if another == token:
                raise
            response = call.sender.send(request, call.preload_content, limits, call.max_attempts)
        self.last_response = response
        return self._read(call, response)

    def _authorize(self, call: _Call, limits: Any) -> tuple[Any, str | None]:
        """Return the request with a token, and the token; the request and None if the call needs no token."""
        if call.provider is None:
            return call.request, None
        token: str = call.provider.get_token(timeout=limits.left()).token
        return call.request.with_header("Authorization", f"Bearer {token}"), token

    def _read(self, call: _Call, response: Any) -> Any:
        """Return what the caller of `call_api` gets."""
        data = response
        if call.preload_content:
            data = self.deserialize(response, call.response_type) if call.response_type else None
        return data if call.data_only else (data, response.status, response.headers)

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
        """Send a request to a whole URL, with JSON data as `body`, and return the `RESTResponse`.

        For programs of the 2019 SDK. If a program replaces this method, `RESTClientObject.request` or a method such as
        `RESTClientObject.POST`, `call_api` sends its requests through it.
        """
        from . import legacy

        options = {"query_params": query_params, "headers": headers}
        timing = {"_preload_content": _preload_content, "_request_timeout": _request_timeout}
        return legacy.request(self, method, url, body, post_params, **options, **timing)

    def sanitize_for_serialization(self, obj: Any) -> Any:
        """Return `obj` as JSON data: models by their JSON keys without None, dates in ISO 8601."""
        return serialization.to_json(obj, self.sanitize_for_serialization)

    def deserialize(self, response: Any, response_type: str | type) -> Any:
        """Return the body of a response as a `response_type` of `call_api`. Raise ApiResponseError if it is not one."""
        ours = response if isinstance(response, RESTResponse) else None
        content: Any = response.data if ours is None else ours.content
        if response_type == "file":
            disposition = response.getheader("Content-Disposition") or ""
            return serialization.save(content, disposition, self.configuration.temp_folder_path)
        try:
            return serialization.from_json(content, response_type)
        except (ValueError, RecursionError) as error:
            problem = f"unexpected response body: {error or 'nested too deep'}"
        # Raised here, so that the parser's error, which may contain the body, does not become the `__context__`.
        raise ApiResponseError(0, problem, ours, secrets=ours.request.secrets if ours and ours.request else ())

    def parameters_to_tuples(
        self, params: Mapping[str, Any] | Iterable[tuple[str, Any]], collection_formats: Mapping[str, str] | None
    ) -> list[tuple[str, Any]]:
        """Return parameters as pairs, with lists joined or repeated as `collection_formats` specifies by name."""
        return serialization.to_pairs(params, collection_formats)

    def prepare_post_parameters(self, post_params: Any = None, files: Any = None) -> list[tuple[str, Any]]:
        """Return form fields as pairs: the values, then a tuple of name, content and media type for each file."""
        return [*(post_params or ()), *serialization.file_fields(files or {})]

    def select_header_accept(self, accepts: Sequence[str] | None) -> str | None:
        """Return the `Accept` header for these content types: only JSON if it is one of them."""
        if not accepts:
            return None
        accepts = [accept.lower() for accept in accepts]
        return "application/json" if "application/json" in accepts else ", ".join(accepts)

    def select_header_content_type(self, content_types: Sequence[str] | None) -> str:
        """Return the `Content-Type` header for these content types: JSON if it is one of them, or by default."""
        content_types = [content_type.lower() for content_type in content_types or ("*/*",)]
        return "application/json" if {"application/json", "*/*"} & set(content_types) else content_types[0]

    def update_params_for_auth(
        self, headers: dict[str, Any], querys: list[tuple[str, Any]], auth_settings: Iterable[str] | None
    ) -> None:
        """Add the values of these `Configuration.auth_settings()`. A query parameter that is present stays."""
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


# The methods that send requests, unless a program replaces them.
_REQUESTS = (ApiClient.request, RESTClientObject.request)
_VERBS = {method: getattr(RESTClientObject, method) for method in METHODS}
