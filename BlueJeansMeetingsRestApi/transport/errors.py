"""Messages and advice for the exceptions of urllib3."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
from typing import NamedTuple

from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, SSLError, TimeoutError

from .deadline import UnsupportedUrllib3Error
from .proxies import Proxy
from .retry import RetryPolicy

CONNECTION, TIMEOUT, TLS, PROXY = "connection", "timeout", "TLS", "proxy"
PROXY_CREDENTIALS = "It requires a valid user name and password: http://user:password@host:port"
_TLS_EOF = (ssl.SSLEOFError, ssl.SSLZeroReturnError)


class Failure(NamedTuple):
    """A failed attempt.

    kind: CONNECTION, TIMEOUT, TLS or PROXY. retryable: whether the same request may succeed later.
    what: what happened, up to the name of the host. why: the cause. advice: what to do.
    """

    kind: str
    retryable: bool
    what: str
    why: str
    advice: str = ""


def describe_error(error: HTTPError, connected: bool, proxy: Proxy | None) -> Failure:
    """Describe an error of urllib3.

    connected: whether the connection to the service was complete.
    """
    root = _root(error)
    why = _cause(root)
    closed = isinstance(root, _TLS_EOF)
    if isinstance(error, UnsupportedUrllib3Error):
        return Failure(CONNECTION, False, "cannot connect to", "unsupported urllib3", str(error))
    if proxy and not connected and (closed or not isinstance(error, SSLError)):
        return _proxy_failure(root, why, proxy)
    if closed:
        return Failure(CONNECTION, True, "lost the connection to", why)
    if isinstance(error, SSLError):
        return Failure(TLS, False, "no trusted TLS connection to", why, _tls_advice(root))
    if isinstance(root, socket.gaierror):
        advice = "Check the name in Configuration.host, and the DNS of this machine."
        return Failure(CONNECTION, True, "cannot find", why, advice)
    if isinstance(error, NewConnectionError):  # on urllib3 1.26 also a ConnectTimeoutError
        return Failure(CONNECTION, True, "cannot connect to", why, "Check Configuration.host and its port.")
    if isinstance(error, ConnectTimeoutError):
        advice = "Configuration.connect_timeout and call_timeout limit the time."
        return Failure(TIMEOUT, True, "timed out connecting to", why, advice)
    if isinstance(error, TimeoutError) or isinstance(root, socket.timeout):
        advice = "Configuration.read_timeout and call_timeout limit the time."
        return Failure(TIMEOUT, True, "timed out waiting for", why, advice)
    return Failure(CONNECTION, True, "lost the connection to", why)


def _proxy_failure(root: BaseException, why: str, proxy: Proxy) -> Failure:
    refused = re.search(r"Tunnel connection failed: (\d+)", str(root))
    status = int(refused.group(1)) if refused else 0
    advice = f"The proxy is {proxy!r}."
    if status == 407:
        advice += f" {PROXY_CREDENTIALS}"
    untrusted = isinstance(root, ssl.SSLError) and not isinstance(root, _TLS_EOF)
    retryable = status in RetryPolicy().statuses if refused else not untrusted
    return Failure(PROXY, retryable, "proxy connection failed for", why, advice)


def _tls_advice(root: BaseException) -> str:
    code = getattr(root, "verify_code", None)
    if code in (9, 10):  # not yet valid, expired
        return "The service must renew its certificate, unless the clock of this machine is wrong."
    if code in (62, 64) or "doesn't match" in str(root):  # host name, IP address
        return "The host name does not match the certificate. Check Configuration.host, or set assert_hostname."
    if code:  # what is left means that the certificate authority is not trusted
        return "If you trust the certificate authority, set Configuration.ssl_ca_cert to the file of its certificate."
    words = str(root).upper().replace("_", " ")
    if "WRONG VERSION NUMBER" in words or "RECORD LAYER" in words or "PACKET LENGTH" in words:
        return "The server does not support TLS on this port. Check the port, and https:// in Configuration.host."
    if "PROTOCOL" in words:
        return "The service must support TLS 1.2 or newer."
    return "If the service requires a client certificate, set Configuration.cert_file and key_file."


def _root(error: BaseException) -> BaseException:
    """Return the error of the socket, of TLS or of HTTP that urllib3 wrapped."""
    while not isinstance(error, (OSError, http.client.HTTPException)):
        wrapped = [part for part in error.args if isinstance(part, BaseException)]
        inner = wrapped[-1] if wrapped else error.__cause__ or error.__context__
        if inner is None:
            break
        error = inner
    return error


def _cause(root: BaseException) -> str:
    if isinstance(root, ssl.SSLCertVerificationError) and hasattr(root, "verify_message"):
        return str(root.verify_message).rstrip(".")
    if "doesn't match" in str(root):  # from urllib3 1.26, with the names in the certificate
        return "hostname mismatch"
    if isinstance(root, ssl.SSLError) and root.reason:
        return root.reason.replace("_", " ").lower()
    if isinstance(root, OSError):
        return root.strerror or str(root) or type(root).__name__
    # The text of other errors may quote the server.
    return "invalid HTTP response" if isinstance(root, http.client.BadStatusLine) else type(root).__name__
