"""What an error of urllib3 means: which `ApiConnectionError` it is, whether it may pass, and what to do about it."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
from typing import NamedTuple

from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, SSLError, TimeoutError

from .exceptions import ApiConnectionError, ApiProxyError, ApiTimeoutError, ApiTLSError
from .proxies import Proxy

RETRYABLE_STATUSES = (429, 502, 503, 504)
CREDENTIALS_OF_A_PROXY = "It wants a user name and password that it knows: http://user:password@host:port"
_ENDS_OF_TLS = (ssl.SSLEOFError, ssl.SSLZeroReturnError)


class Meaning(NamedTuple):
    """What happened, up to the name of the host, why, and what to do. `may_pass`: the same call may succeed later."""

    kind: type[ApiConnectionError]
    may_pass: bool
    what: str
    why: str
    advice: str = ""


def meaning_of(error: HTTPError, connected: bool, proxy: Proxy | None) -> Meaning:
    """What `error` means for a request that had, or had not, a connection all the way to the service."""
    root = _root(error)
    why = _words(root)
    broke_off = isinstance(root, _ENDS_OF_TLS)
    if proxy and not connected and (broke_off or not isinstance(error, SSLError)):
        return _at_the_proxy(root, why, proxy)
    if broke_off:
        return Meaning(ApiConnectionError, True, "the connection broke off to", why)
    if isinstance(error, SSLError):
        return Meaning(ApiTLSError, False, "no trusted TLS with", why, _advice_on_tls(root))
    if isinstance(root, socket.gaierror):
        advice = "Check the name in Configuration.host, and this machine's DNS."
        return Meaning(ApiConnectionError, True, "cannot find", why, advice)
    if isinstance(error, NewConnectionError):
        return Meaning(ApiConnectionError, True, "cannot connect to", why, "Check Configuration.host and its port.")
    if isinstance(error, ConnectTimeoutError):
        advice = "Configuration.connect_timeout and call_timeout say how long it may take."
        return Meaning(ApiTimeoutError, True, "no connection in time to", why, advice)
    if isinstance(error, TimeoutError) or isinstance(root, socket.timeout):
        advice = "Configuration.read_timeout and call_timeout say how long it may take."
        return Meaning(ApiTimeoutError, True, "no answer in time from", why, advice)
    return Meaning(ApiConnectionError, True, "the connection broke off to", why)


def _at_the_proxy(root: BaseException, why: str, proxy: Proxy) -> Meaning:
    refused = re.search(r"Tunnel connection failed: (\d+)", str(root))
    status = int(refused.group(1)) if refused else 0
    advice = f"The proxy is {proxy!r}."
    if status == 407:
        advice += f" {CREDENTIALS_OF_A_PROXY}"
    untrusted = isinstance(root, ssl.SSLError) and not isinstance(root, _ENDS_OF_TLS)
    may_pass = status in RETRYABLE_STATUSES if refused else not untrusted
    return Meaning(ApiProxyError, may_pass, "no way through the proxy to", why, advice)


def _advice_on_tls(root: BaseException) -> str:
    code = getattr(root, "verify_code", None)
    if code in (9, 10):  # not yet valid, expired
        return "The service has to renew its certificate, unless this machine's clock is wrong."
    if code in (62, 64) or "doesn't match" in str(root):  # host name, IP address
        return "The certificate is another host's. Check Configuration.host, or set Configuration.assert_hostname."
    if code:  # what is left says that the authority is unknown
        return "If you trust the authority that signed it, name its certificate's file in Configuration.ssl_ca_cert."
    words = str(root).upper().replace("_", " ")
    if "WRONG VERSION NUMBER" in words or "RECORD LAYER" in words or "PACKET LENGTH" in words:
        return "What answers there speaks no TLS. Check the port, and https:// in Configuration.host."
    if "PROTOCOL" in words:
        return "The service has to offer TLS 1.2 or newer."
    return "If the service asks for a client certificate, set Configuration.cert_file and key_file."


def _root(error: BaseException) -> BaseException:
    """The error of the socket, of TLS or of HTTP that urllib3 wrapped."""
    while not isinstance(error, (OSError, http.client.HTTPException)):
        wrapped = [part for part in error.args if isinstance(part, BaseException)]
        inner = wrapped[-1] if wrapped else error.__cause__ or error.__context__
        if inner is None:
            break
        error = inner
    return error


def _words(root: BaseException) -> str:
    if isinstance(root, ssl.SSLCertVerificationError) and hasattr(root, "verify_message"):
        return str(root.verify_message).rstrip(".")
    if "doesn't match" in str(root):  # how urllib3 1.26 words it, with the certificate's names
        return "hostname mismatch"
    if isinstance(root, ssl.SSLError) and root.reason:
        return root.reason.replace("_", " ").lower()
    if isinstance(root, OSError):
        return root.strerror or str(root) or type(root).__name__
    # The text of the others may quote what the server sent.
    return "what came is no HTTP" if isinstance(root, http.client.BadStatusLine) else type(root).__name__
