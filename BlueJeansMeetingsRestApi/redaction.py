"""What counts as a secret, and how it is shown. Models, logs, exceptions and settings all ask here."""

from __future__ import annotations

import functools
import itertools
import json
import re
import sys
import traceback
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Callable, TypeVar
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from typing_extensions import ParamSpec

    P = ParamSpec("P")

T = TypeVar("T")

MASK = "***"

# Names of headers, query parameters and JSON keys whose values are secret, in lower case. Models add theirs.
SECRET_NAMES = {"authorization", "proxy-authorization", "cookie", "set-cookie"}

# The service's tokens, codes and secrets are 32 characters, some followed by a partition such as @z2.
_TOKEN = re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z]{32}(?:@z\d+)?(?![0-9A-Za-z])")

# A shorter secret is masked where it stands alone: within words it is no echo, and the gaps would tell what it is.
_IS_IN_ANY_TEXT = 4


def mask(value: Any) -> Any:
    """What is shown in place of the secret `value`; that there is none (None, empty) is no secret."""
    return MASK if value not in (None, "", b"") else value


def redact(value: Any) -> Any:
    """A copy of JSON-like data in which the value of each secret name is masked."""
    if isinstance(value, dict):
        return {k: mask(v) if str(k).lower() in SECRET_NAMES else redact(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(redact, value))
    return value


def secrets_in(value: Any) -> Iterator[str]:
    """The text of each value in JSON-like data that stands under a secret name."""
    if isinstance(value, dict):
        for name, part in value.items():
            if isinstance(part, (dict, list, tuple)):
                yield from secrets_in(part)
            elif part not in (None, "") and str(name).lower() in SECRET_NAMES:
                # `Bearer <token>` holds a token.
                yield from filter(None, (str(part), str(part).split(" ", 1)[-1]))
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from secrets_in(part)


def scrub(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` without the given secrets, in whichever form a server echoes them, and without what looks like a token."""
    forms = {
        form
        for secret in secrets
        for in_json in [json.dumps(secret)[1:-1]]
        for form in (secret, in_json, json.dumps(in_json)[1:-1], quote(secret, safe=""), quote_plus(secret))
    }
    for form in sorted(forms, key=len, reverse=True):
        if len(form) < _IS_IN_ANY_TEXT:
            text = re.sub(rf"(?<!\w){re.escape(form)}(?!\w)", MASK, text)
        else:
            text = text.replace(form, MASK)
    return _TOKEN.sub(MASK, text)


def without_userinfo(url: str) -> str:
    """`url` with all before its last `@` masked: who forgot to encode a password may have put a slash into it."""
    return re.sub(r"^([^/@]*//)?.*@", rf"\1{MASK}@", url, flags=re.DOTALL)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception, and those that it comes with."""
    if error is not None:
        yield error
        yield from chain(error.__cause__)
        yield from chain(error.__context__)


def leaves_no_variables(function: Callable[P, T]) -> Callable[P, T]:
    """Let tracebacks of what `function` raises show its lines, but not its variables and those of what it called.

    Some programs log tracebacks with variables, which here are secrets, the bytes of requests, or those of answers.
    """

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        handled = sys.exc_info()[1]
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            # This frame is still running, and cannot be cleared with the others.
            del args, kwargs
            _clear_frames(error, handled)
            raise

    return call


def _clear_frames(error: BaseException, handled: BaseException | None) -> None:
    for link in itertools.takewhile(lambda link: link is not handled, chain(error)):
        traceback.clear_frames(link.__traceback__)
