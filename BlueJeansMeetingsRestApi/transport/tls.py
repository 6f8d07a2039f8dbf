"""TLS contexts from the settings of certificates, host names and client keys."""

from __future__ import annotations

import contextlib
import functools
import os
import ssl
import warnings
from typing import Any
from urllib.parse import urlsplit

from urllib3.exceptions import InsecureRequestWarning, ProxyError
from urllib3.util.ssl_ import create_urllib3_context

from .deadline import UnsupportedUrllib3Error, keeping_deadlines, keeps_deadlines
from .settings import ConnectionSettings


class NamedContext:
    """An SSLContext for connections to one host. `ssl` verifies the host name during the handshake.

    urllib3 1.26 does not verify the host name of a proxy, and does not pass IP addresses to `ssl`. The attributes that
    urllib3 sets are set here. The context itself can belong to the user or be shared by clients.

    requires_deadline: whether sockets that keep no deadline are refused.
    """

    requires_deadline = True

    def __init__(self, context: ssl.SSLContext, url: str, check_hostname: bool, is_proxy: bool) -> None:
        """check_hostname: what urllib3 reads; if False, urllib3 compares the host names."""
        self.context, self.check_hostname, self.verify_mode = context, check_hostname, context.verify_mode
        self._host = (urlsplit(url).hostname or "").rstrip(".").partition("%")[0]
        self._is_proxy = is_proxy

    def __getattr__(self, name: str) -> Any:
        return getattr(self.context, name)

    def wrap_socket(self, sock: Any, **_: Any) -> Any:
        """Return a TLS socket that keeps the deadline of `sock`, also during the handshake."""
        if self.requires_deadline and not keeps_deadlines(sock):
            raise UnsupportedUrllib3Error
        timeout = sock.gettimeout()
        secure = self.context.wrap_socket(sock, server_hostname=self._host, do_handshake_on_connect=False)
        # The class is not set on the context, because that may belong to the user. Not every class can be replaced.
        with contextlib.suppress(TypeError):
            secure.__class__ = keeping_deadlines(type(secure))  # type: ignore[arg-type]
        try:
            secure.settimeout(timeout)
            secure.do_handshake()
        except BaseException as error:
            secure.close()
            if self._is_proxy and isinstance(error, ssl.SSLError):
                # urllib3 1.26 would not say that it was the proxy.
                raise ProxyError("Cannot connect to proxy.", error) from error
            raise
        return secure

    def wrap_bio(self, incoming: Any, outgoing: Any, **_: Any) -> Any:
        """See `ssl.SSLContext.wrap_bio`."""
        return self.context.wrap_bio(incoming, outgoing, server_hostname=self._host)


def tls_context(url: str, settings: ConnectionSettings, is_proxy: bool = False) -> NamedContext:
    """Return the context for connections to the host of `url`."""
    if settings.ssl_context is not None:
        return NamedContext(settings.ssl_context, url, True, is_proxy)
    check_hostname = is_proxy or settings.assert_hostname is None
    return NamedContext(_context_of_settings(settings, check_hostname), url, check_hostname, is_proxy)


def warn_if_unverified(settings: ConnectionSettings, host: str) -> None:
    """Warn once for each client that verifies nothing."""
    context = settings.ssl_context
    if context is None and not settings.verify_ssl:
        warnings.warn(
            f"Configuration.verify_ssl is False: any server that responds for {host} is trusted. "
            "To trust your own CA, set Configuration.ssl_ca_cert instead.",
            InsecureRequestWarning,
            stacklevel=3,
        )
    if context is not None and not (context.check_hostname and context.verify_mode == ssl.CERT_REQUIRED):
        warnings.warn(
            "Configuration.ssl_context does not verify certificates and host names: set its check_hostname to True "
            f"and its verify_mode to ssl.CERT_REQUIRED to be sure to connect to {host}.",
            InsecureRequestWarning,
            stacklevel=3,
        )


def _context_of_settings(settings: ConnectionSettings, check_hostname: bool) -> ssl.SSLContext:
    own = (settings.verify_ssl, settings.ssl_ca_cert, settings.cert_file, settings.key_file)
    if check_hostname and own == (True, None, None, None):
        return _shared_context()
    return _new_context(*own, settings.key_password, check_hostname)


def _new_context(
    verify: bool = True,
    ca_cert: str | None = None,
    cert_file: str | None = None,
    key_file: str | None = None,
    key_password: str | bytes | None = None,
    check_hostname: bool = True,
) -> ssl.SSLContext:
    import certifi  # takes longer to import than a client to make

    context: ssl.SSLContext = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED if verify else ssl.CERT_NONE)
    context.check_hostname = verify and check_hostname
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    ca_cert = ca_cert or certifi.where()
    setting = f"ssl_ca_cert {ca_cert!r}"
    try:
        if verify:
            context.load_verify_locations(**{"capath" if os.path.isdir(ca_cert) else "cafile": ca_cert})
        if cert_file:
            setting = f"cert_file {cert_file!r} with key_file {key_file!r}"
            _load_client_certificate(context, cert_file, key_file, key_password)
    except OSError as error:
        raise ValueError(f"Configuration.{setting} is not valid PEM: {error}") from None
    return context


def _load_client_certificate(
    context: ssl.SSLContext, cert_file: str, key_file: str | None, key_password: str | bytes | None
) -> None:
    is_encrypted = False

    def password() -> bytes:
        """Return the password; without this function OpenSSL prompts for it on the terminal."""
        nonlocal is_encrypted
        is_encrypted = True
        # An encoding error would contain the password.
        return key_password.encode("utf-8", "surrogatepass") if isinstance(key_password, str) else key_password or b""

    try:
        context.load_cert_chain(cert_file, key_file, password)
        return
    except (OSError, ValueError) as error:  # ValueError for a password that is too long
        if not is_encrypted or getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
            raise
    file = f"Configuration.key_file {key_file!r}" if key_file else f"the key in Configuration.cert_file {cert_file!r}"
    if key_password:
        raise ValueError(f"Cannot decrypt {file}: Configuration.key_password is wrong.")
    advice = "Set Configuration.key_password, or load the key into an SSLContext and set Configuration.ssl_context."
    raise ValueError(f"Cannot use {file}: the private key is encrypted. {advice}")


# Reading certifi's certificates takes longer than a call, and they are the same for every client.
_shared_context = functools.lru_cache(maxsize=1)(_new_context)
