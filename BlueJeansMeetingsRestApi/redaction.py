"""Redaction: which values are secret, and how they are masked in logs, errors, models and tracebacks."""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import re
import sys
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Callable, TypeVar

if TYPE_CHECKING:
    from types import FrameType, TracebackType

    from typing_extensions import ParamSpec

    P = ParamSpec("P")

T = TypeVar("T")

MASK = "***"

# Names, in lower case, of headers, query parameters, path parameters and keys whose values are secret in data that no
# model describes. A model knows its own secret fields.
_NAMES = """
authorization proxy-authorization cookie set-cookie access_token refresh_token id_token token client_secret code
code_verifier password passcode meetingpasscode meeting_passcode api_key secret assertion
"""
SECRET_NAMES = frozenset(_NAMES.split())

# A secret that is one of these words also occurs in the server's own text. Masking it there would change the meaning of
# the text, and would reveal the secret to readers who know the text.  plain-english: ignore
_WORDS = """
a about acceptable accepted access account action admin administrator after again all allow allowed already an
and any api app application are argument as at attendee authentication authorization authorize authorized
available bad basic be bearer been before between blocked bluejeans body but by bytes call can cannot change
character characters check client closed code company conflict connection contact content created credential
credentials customer data date day default demo denied digest digits disabled do does empty enabled enterprise
entity error exact exceeded exist exists expectation expire expired failed field first for forbidden form format
found from gateway get gone grant guest had has have header help host hour html id identifier if implemented in
incorrect insecure insufficient internal invalid is issued it its json key large last later least length letters
limit lock locked login long loop manager many match maximum may media meeting message method minimum minutes
misdirected missing moderator more most moved multiple must name network new no none not null number oauth
object of off ok on one only open operation or other owner page parameter parse parsed partial passcode
passphrase password path payload permanently permission permissions permitted please post precondition proxy
public query range reason received refresh refused rejected request requests required resource response retry
revoked root satisfiable scheme scope second seconds secret secure security see sent server service session
short sign signed size slow some state status storage string support system temporarily test text that the their
this time timeout to token tokens too true try type unable unauthorized unavailable unexpected unknown unlock
unlocked unprocessable unsupported update upgrade url use used user username users valid value variant version
was we welcome were when which with without word words wrong xml you your
"""
_COMMON_WORDS = frozenset(_WORDS.split())

# Libraries whose frames contain secrets if a frame of this package calls them.
_MODULES = """
urllib3 http json ssl socket email encodings codecs contextlib functools zlib threading queue multiprocessing
concurrent redis cryptography sqlite3 filelock dateutil opentelemetry
"""
_LIBRARIES = frozenset(_MODULES.split())
_PACKAGE = __name__.partition(".")[0]


def mask(value: Any) -> Any:
    """Return the mask for a secret, or the value itself if it is None or empty."""
    return MASK if value not in (None, "", b"") else value


def redact(value: Any) -> Any:
    """Return a copy of JSON-like data in which the values of secret names are masked."""
    if isinstance(value, dict):
        return {k: mask(v) if str(k).lower() in SECRET_NAMES else redact(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(redact, value))
    return value


def secrets_in(value: Any) -> list[str]:
    """Return each secret in a model or in JSON-like data as text; of an `Authorization` header also the last part."""
    found: list[str] = []
    _collect_secrets(value, found)
    return found


def _collect_secrets(value: Any, found: list[str]) -> None:
    if isinstance(value, (list, tuple)):
        for part in value:
            _collect_secrets(part, found)
    elif isinstance(value, Mapping):
        for name, part in value.items():
            if not isinstance(part, (str, int, float)):
                _collect_secrets(part, found)
            elif part != "" and str(name).lower() in SECRET_NAMES:
                found += _parts_of_secret(str(name).lower(), str(part))
    elif hasattr(value, "swagger_types"):
        is_secret = getattr(value, "is_secret", SECRET_NAMES.__contains__)
        for name in value.swagger_types:
            part = getattr(value, name, None)
            if not isinstance(part, (str, int, float)):
                _collect_secrets(part, found)
            elif part != "" and is_secret(name):
                found.append(str(part))
        _collect_secrets(getattr(value, "additional_properties", None), found)


def _parts_of_secret(name: str, secret: str) -> list[str]:
    if name == "cookie":
        return [secret, *(cookie.partition("=")[2].strip() for cookie in secret.split(";"))]
    # The token after `Bearer` is secret without it, too.
    is_token = name in ("authorization", "proxy-authorization", "access_token")
    return [secret, secret.partition(" ")[2]] if is_token and " " in secret else [secret]


def scrub(text: str, secrets: Iterable[str] = ()) -> str:
    """Return `text` with the given secrets masked, in every form in which servers repeat them.

    A secret that is a common English word is masked only where quotation marks enclose it, after an equals sign, or
    if it is the whole text. Numbers and secrets of fewer than four characters are masked only as separate words,
    so that request IDs stay readable. All others are masked everywhere.
    """
    for secret in sorted(filter(None, set(secrets)), key=len, reverse=True):
        pattern = "".join(map(_any_form, secret))
        if secret.lower() in _COMMON_WORDS and secret in (secret.lower(), secret.capitalize()):
            quoted = rf"(?<=[\"'`“\u2018«<]){pattern}(?=\\*[\"'`”\u2019»>])"
            text = re.sub(rf"{quoted}|(?<==){pattern}(?!\w)|\A\W*{pattern}\W*\Z", MASK, text)
        elif len(secret) < 4 or secret.isdecimal():
            text = re.sub(rf"(?:(?<!\w)|(?<=%[0-9A-Fa-f]{{2}})|(?<=\\[nrt])){pattern}(?!\w)", MASK, text)
        else:
            text = re.sub(f"{pattern}|{_in_base64(secret)}", MASK, text)
    return text


@functools.lru_cache(maxsize=256)
def _any_form(character: str) -> str:
    """Return a pattern of the character as it is and as JSON, Python, URLs, forms, HTML and XML escape it."""
    from html.entities import codepoint2name

    utf8 = "".join(f"%{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
    utf16 = character.encode("utf-16-be", "surrogatepass").hex()
    # At most eight backslashes, which JSON within JSON within JSON makes of one: more would take quadratic time.
    units = "".join(rf"\\{{1,8}}u{utf16[start : start + 4]}" for start in range(0, len(utf16), 4))
    code = ord(character)
    numbers = rf"\\{{1,8}}[xu]0*{code:x}|&#0*{code};|&#x0*{code:x};|&{codepoint2name.get(code, '#')};"
    forms = [f"(?i:{utf8}|{units}|{numbers})"]
    short = json.dumps(character)[1:-1]
    if short in ("'", "/") or (short[0] == "\\" and len(short) == 2):
        forms.append(rf"\\{{1,8}}{re.escape(short[-1])}")
    if character == " ":
        forms.append(r"\+")
    return f"(?:{'|'.join(forms)}|{re.escape(character)})"


def _in_base64(secret: str) -> str:
    """Return a pattern of the secret in Base64, alone or within other text."""
    forms = []
    for offset in range(3):
        encoded = b64encode(b"\0" * offset + secret.encode("utf-8", "surrogatepass")).decode().rstrip("=")
        # The first and last characters also depend on the text before and after the secret.
        core = re.escape(encoded[(0, 2, 3)[offset] : -1]).replace(r"\+", r"[+\-]").replace("/", "[/_]")
        forms.append(rf"[\w+/-]?{core}[\w+/=-]{{0,3}}")
    return "|".join(forms) if len(secret) > 6 else "(?!)"


def without_userinfo(url: str) -> str:
    """Return `url` with everything before its last `@` masked, because an unencoded password may contain a slash."""
    return re.sub(r"^([^/@]*//)?.*@", rf"\1{MASK}@", url, flags=re.DOTALL)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and all its causes and contexts."""
    if error is not None:
        yield error
        yield from chain(error.__cause__)
        yield from chain(error.__context__)


def leaves_no_variables(function: Callable[P, T]) -> Callable[P, T]:
    """Clear the local variables of this package from tracebacks that pass `function`; the lines stay.

    Crash reporters log tracebacks with local variables. In this package and in the libraries that it calls these are
    tokens, passwords and the bytes of requests. The frames of the program's own code keep their variables, including
    callbacks and token stores that this package calls.
    """

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        handled = sys.exc_info()[1]
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            # This frame is still running, so it cannot be cleared like the others.
            del args, kwargs
            _clear_chain(error, handled)
            raise

    return call


def _clear_chain(error: BaseException, handled: BaseException | None) -> None:
    """Clear the frames of an exception and its causes, up to the exception that the caller is handling."""
    for link in itertools.takewhile(lambda link: link is not handled, chain(error)):
        clear_frames(link.__traceback__)


def clear_frames(traceback: TracebackType | None) -> None:
    """Clear the variables of frames of this package and of libraries that it called, but not those of other code."""
    frames = []
    while traceback is not None:
        frames.append(traceback.tb_frame)
        traceback = traceback.tb_next
    for frame in list(filter(_is_ours, frames)):
        with contextlib.suppress(RuntimeError):  # it is still running
            frame.clear()


def _is_ours(frame: FrameType | None) -> bool:
    module = ""
    while frame is not None:
        module = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if module not in _LIBRARIES:
            break
        frame = frame.f_back
    return module == _PACKAGE
