"""Streamed responses: the body is read from the socket as the caller iterates over it."""

from __future__ import annotations

import functools
import http.client
from collections.abc import Generator
from typing import Any, Callable

import urllib3
from urllib3.exceptions import DecodeError, ProtocolError, ResponseNotChunked

from .response import HTTPHeaderDict, Response


def _without_quotes(read: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a method of urllib3's response so that its errors do not contain bytes from the server."""

    @functools.wraps(read)
    def call(self: Any, *args: Any, **options: Any) -> Any:
        try:
            return read(self, *args, **options)
        except ResponseNotChunked:
            raise
        except (ProtocolError, DecodeError) as error:
            kind = type(error)
        # Raise a new error here, so that the original error is not its `__context__`.
        raise kind("Connection broken: the response body is incomplete or malformed")

    return call


class StreamedResponse(urllib3.HTTPResponse):
    """urllib3's response. Its errors do not quote chunk sizes or headers, and do not contain parts of the body."""

    read = _without_quotes(urllib3.HTTPResponse.read)
    if hasattr(urllib3.HTTPResponse, "read1"):  # urllib3 2
        read1 = _without_quotes(urllib3.HTTPResponse.read1)

    def read_chunked(self, *args: Any, **options: Any) -> Generator[bytes, None, None]:
        """Yield the decoded chunks; see `urllib3.HTTPResponse.read_chunked`."""
        chunks, following = super().read_chunked(*args, **options), _without_quotes(next)
        while (chunk := following(chunks, None)) is not None:
            yield chunk


class UnreadResponse:
    """A response whose body the caller reads. urllib3 1.26 checks it before it creates its own response."""

    length = None
    msg = Response.msg

    def __init__(self, response: http.client.HTTPResponse, method: str, url: str) -> None:
        """url: the part of the URL that may be logged."""
        self.status = response.status
        self._options: dict[str, Any] = {
            "body": response,
            "headers": HTTPHeaderDict(response.getheaders()),
            "status": response.status,
            "version": response.version,
            "reason": http.client.responses.get(response.status, ""),
            "preload_content": False,
            "original_response": response,
            "enforce_content_length": True,
            "request_method": method,
            "request_url": url,
        }

    def of_urllib3(self, **options: Any) -> StreamedResponse:
        """Return a response of urllib3. `options` come from urllib3 1.26."""
        response = StreamedResponse(**{**self._options, **options})
        if hasattr(response, "version_string"):  # urllib3 2.3
            response.version_string = "HTTP/1.1" if response.version == 11 else "HTTP/1.0"
        return response
