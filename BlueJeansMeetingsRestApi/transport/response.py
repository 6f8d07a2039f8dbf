"""`Response`: a status, headers, and a body of limited size, decompressed."""

from __future__ import annotations

import http.client
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

try:
    from urllib3 import HTTPHeaderDict as HTTPHeaderDict
except ImportError:  # urllib3 1.26
    from urllib3.response import HTTPHeaderDict as HTTPHeaderDict  # type: ignore[attr-defined]

TRUNCATED = "the response is truncated"
_TOO_LONG = "the response is longer than Configuration.max_response_bytes ({})"


class _NoDefects(http.client.HTTPMessage):
    """Headers without defects, for urllib3 1.26, which checks for them. The parser of this package has done that."""

    get_payload = None  # type: ignore[assignment]
    defects = ()  # type: ignore[assignment]


class Headers(Mapping[str, str]):
    """The headers of a response, by names in any case. `items()` has a pair for each line; others are joined."""

    __slots__ = ("_lines",)

    def __init__(self, lines: Iterable[tuple[str, str]]) -> None:
        self._lines = list(lines)

    def getlist(self, name: str) -> list[str]:
        """Return the values of all lines with this name."""
        name = name.lower()
        return [value for key, value in self._lines if key.lower() == name]

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of a header, or `default`."""
        return ", ".join(values) if (values := self.getlist(name)) else default

    def __getitem__(self, name: str) -> str:
        if not (values := self.getlist(name)):
            raise KeyError(name)
        return ", ".join(values)

    def __iter__(self) -> Iterator[str]:
        return iter({name.lower(): name for name, _ in self._lines}.values())

    def __len__(self) -> int:
        return len({name.lower() for name, _ in self._lines})

    def items(self) -> Any:
        return list(self._lines)

    def __repr__(self) -> str:
        return f"<Headers {list(self)}>"


class Response:
    """A response of the service.

    status: the HTTP status. headers: a mapping, or pairs of names and values. content: the body, decompressed.
    reason: the reason phrase; that of RFC 9110 if None. version: 11 for HTTP/1.1, 10 for HTTP/1.0.
    problem: why the body is incomplete or cannot be decompressed, or an empty string.
    """

    # urllib3 logs and checks these attributes of every response.
    version_string = "HTTP/1.1"
    length: int | None = None
    length_remaining: int | None = None
    msg = _NoDefects()

    def __init__(
        self,
        status: int = 200,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        content: bytes = b"",
        reason: str | None = None,
        version: int = 11,
        problem: str = "",
    ) -> None:
        self.status, self.content, self.version, self.problem = status, content, version, problem
        self.reason = http.client.responses.get(status, "") if reason is None else reason
        lines: Any = headers.items() if isinstance(headers, Mapping) else headers
        self.headers = headers if isinstance(headers, Headers) else Headers(lines)

    def __repr__(self) -> str:
        return f"<Response [{self.status}]>"

    def getheader(self, name: str, default: str | None = None) -> str | None:
        """Return the value of a header, or `default`."""
        value: str | None = self.headers.get(name, default)
        return value

    @property
    def data(self) -> bytes:
        """The body, under the name that urllib3 has for it."""
        return self.content

    def close(self) -> None:
        """Do nothing: the body has been read."""

    def decompress(self, max_bytes: int) -> None:
        """Decompress the body, and cut it off after `max_bytes`. An error is stored in `problem`."""
        if not self.problem and self.content:
            self.content, self.problem = _decompressed(
                self.content, self.headers.get("Content-Encoding", "identity").strip().lower(), max_bytes
            )
        if len(self.content) > max_bytes:
            self.content, self.problem = self.content[:max_bytes], _TOO_LONG.format(max_bytes)


def _decompressed(content: bytes, encoding: str, max_bytes: int) -> tuple[bytes, str]:
    if encoding == "identity":
        return content, ""
    if encoding not in ("gzip", "x-gzip", "deflate"):
        return b"", "the response has a Content-Encoding that was not requested"
    if len(content) > max_bytes:
        return content, ""
    # Not left to urllib3: before 2.6 it decompresses without a limit.
    decoder: Any = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    try:
        content = decoder.decompress(content, max_bytes + 1)
    except zlib.error:
        return b"", f"the response is not valid {encoding}"
    return content, "" if decoder.eof or len(content) > max_bytes else TRUNCATED
