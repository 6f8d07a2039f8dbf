"""Settings of a client: host, credentials, time limits, TLS, proxy and logging."""

from __future__ import annotations

import base64
import logging
import os
import ssl
from typing import TYPE_CHECKING, Any, ClassVar

from .environment import setting, setting_name
from .redaction import leaves_no_variables
from .transport.urls import split_url
from .validation import validate_base_url, validate_positive_integer, validate_seconds
from .version import __version__

if TYPE_CHECKING:
    from .credentials.token import TokenProvider

PACKAGE_LOGGER = "BlueJeansMeetingsRestApi"
DEFAULT_HOST = "https://api.bluejeans.com"
API_VERSION = "1.0.4402212019"  # version of the API description from which the 2019 SDK was generated


class Configuration:
    """The settings of a client. Set attributes before you create an `ApiClient`, which checks them.

    host: scheme, host and optional path of the service (default: BLUEJEANS_HOST if `trust_env`, or
        https://api.bluejeans.com). The default is resolved each time it is used.
    api_key, api_key_prefix: `api_key["access_token"]` is the access token that refresh and revoke send.
    credentials: the `TokenProvider`, such as `ClientCredentials`, that authorizes each `call_api` without
        `auth_settings`; None for no authorization.
    connect_timeout: maximum time to connect, in seconds.
    read_timeout: maximum time between two received bytes, in seconds.
    call_timeout: maximum time of a whole call with its retries, in seconds.
    max_attempts: maximum number of attempts for requests that are safe to retry; 1 for no retries.
    max_response_bytes: maximum size of a response body, in bytes after decompression.
    allow_insecure_host: whether `http://` URLs of remote hosts are allowed.
    verify_ssl, ssl_ca_cert, cert_file, key_file, assert_hostname: TLS settings; `ssl_ca_cert` is a PEM file or a
        folder of PEM files.
    key_password: password of an encrypted `key_file`, as str or bytes.
    ssl_context: your own `ssl.SSLContext`, which replaces all other TLS settings, also for an HTTPS proxy.
    proxy: URL of the proxy (default: HTTPS_PROXY, HTTP_PROXY and NO_PROXY if `trust_env`).
    trust_env: whether environment variables may set the host and the proxy.
    connection_pool_maxsize: maximum number of idle connections in the pool.
    temp_folder_path: folder for downloaded files.
    safe_chars_for_path_param: characters of a path parameter that are not percent-encoded.
    """

    _default: ClassVar[Configuration | None] = None

    def __init__(self) -> None:
        self.temp_folder_path: str | None = None
        self.api_key: dict[str, str] = {}
        self.api_key_prefix: dict[str, str] = {}
        self.username = ""
        self.password = ""
        self.credentials: TokenProvider | None = None
        self.connect_timeout = 5.0
        self.read_timeout = 30.0
        self.call_timeout = 35.0
        self.max_attempts = 3
        self.max_response_bytes = 1 << 20
        self.allow_insecure_host = False
        self.trust_env = True
        self.verify_ssl = True
        self.ssl_ca_cert: str | None = None
        self.cert_file: str | None = None
        self.key_file: str | None = None
        self.key_password: str | bytes | None = None
        self.assert_hostname: str | bool | None = None
        self.ssl_context: ssl.SSLContext | None = None
        self.connection_pool_maxsize = (os.cpu_count() or 1) * 5
        self.proxy: str | None = None
        self.safe_chars_for_path_param = ""
        package, of_urllib3 = logging.getLogger(PACKAGE_LOGGER), logging.getLogger("urllib3")
        self.logger = {"package_logger": package, "urllib3_logger": of_urllib3}
        self.logger_stream_handler: logging.Handler | None = None
        self.logger_file_handler: logging.Handler | None = None
        self._logger_file: str | None = None
        self._debug = False
        self.logger_format = "%(asctime)s %(levelname)s %(message)s"
        if self._default is not None:
            self.__dict__.update(self._default.__copy__().__dict__)

    @classmethod
    def set_default(cls, default: Configuration | None) -> None:
        """Make later `Configuration()` calls start as copies of `default`; None restores the built-in defaults."""
        cls._default = default and default.__copy__()

    def __getstate__(self) -> dict[str, Any]:
        if self.credentials is not None:
            # Omitting the credentials would let the unpickled configuration send requests without authorization.
            raise TypeError("A Configuration with credentials cannot be pickled: pickle the credentials, and set them")
        for name in ("key_password", "ssl_context"):
            if getattr(self, name) is not None:
                # A copy without the setting would connect with other TLS settings, and a pickle shows its secrets.
                raise TypeError(f"A Configuration with {name} cannot be pickled: set {name} again after unpickling")
        # Logging handlers have locks and open files, which cannot be pickled.
        return {**vars(self), "logger_stream_handler": None, "logger_file_handler": None}

    def __copy__(self) -> Configuration:
        # Copy the dictionaries so that a change in one copy does not affect another.
        other = object.__new__(type(self))
        other.__dict__.update({k: dict(v) if isinstance(v, dict) else v for k, v in self.__dict__.items()})
        return other

    def __deepcopy__(self, _: dict[int, Any]) -> Configuration:
        # Loggers, their handlers, credentials and the SSL context are shared.
        return self.__copy__()

    @property
    def host(self) -> str:
        """URL of the service: the assigned value, or BLUEJEANS_HOST if `trust_env`, or the default host."""
        if "host" in vars(self):
            host: str = vars(self)["host"]
            return host
        return (setting("HOST") if self.trust_env else None) or DEFAULT_HOST

    @host.setter
    def host(self, value: str) -> None:
        # Stored under the plain name, so that copies and pickles preserve whether it is set.
        vars(self)["host"] = value

    @property
    def logger_format(self) -> str:
        """Format string of log lines for `logging.Formatter`."""
        return self._logger_format

    @logger_format.setter
    def logger_format(self, value: str) -> None:
        self._logger_format, self.logger_formatter = value, logging.Formatter(value)

    @property
    def logger_file(self) -> str | None:
        """Path of the log file of this package; None for no file."""
        return self._logger_file

    @logger_file.setter
    def logger_file(self, value: str | None) -> None:
        logger = self.logger["package_logger"]
        if self.logger_file_handler is not None:
            logger.removeHandler(self.logger_file_handler)
            self.logger_file_handler.close()
        self._logger_file = value
        self.logger_file_handler = logging.FileHandler(value, encoding="utf-8") if value else None
        if self.logger_file_handler is not None:
            self.logger_file_handler.setFormatter(self.logger_formatter)
            logger.addHandler(self.logger_file_handler)

    @property
    def debug(self) -> bool:
        """Whether each request is logged, without its content; on standard error if the program has no log handler."""
        return self._debug

    @debug.setter
    def debug(self, value: bool) -> None:
        logger = self.logger["package_logger"]
        if value or self._debug:
            logger.setLevel(logging.DEBUG if value else logging.NOTSET)
        if value and not logger.hasHandlers():
            self.logger_stream_handler = logging.StreamHandler()
            self.logger_stream_handler.setFormatter(self.logger_formatter)
            logger.addHandler(self.logger_stream_handler)
        self._debug = value

    def get_api_key_with_prefix(self, identifier: str) -> str | None:
        """Return the API key with this name, after its prefix if it has one; None or an empty string if not set."""
        key, prefix = self.api_key.get(identifier), self.api_key_prefix.get(identifier)
        return f"{prefix} {key}" if key and prefix else key

    def get_basic_auth_token(self) -> str:
        """Return the value of an `Authorization: Basic` header (RFC 7617) for `username` and `password`."""
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode("ascii")

    def auth_settings(self) -> dict[str, dict[str, Any]]:
        """Return the authorization schemes for `auth_settings` of `call_api`, with their current values."""
        value = self.get_api_key_with_prefix("access_token")
        return {"access_token": {"type": "api_key", "in": "query", "key": "access_token", "value": value}}

    def to_debug_report(self) -> str:
        """Return the versions of the system, Python and the SDK, for bug reports."""
        import platform

        return (
            f"Python SDK Debug Report:\nOS: {platform.platform()}\nPython Version: {platform.python_version()}\n"
            f"Version of the API: {API_VERSION}\nSDK Package Version: {__version__}"
        )

    @property
    def base_url(self) -> str:
        """`host` with the scheme and host name in lower case and without a trailing slash.

        Raises ValueError if it is invalid, or if secrets must not be sent to it.
        """
        host = self.host
        if "host" in vars(self) or host == DEFAULT_HOST or host != setting("HOST"):
            return validate_base_url("Configuration.host", host, self.allow_insecure_host)
        variable = setting_name("HOST")
        try:
            return validate_base_url(variable, host, self.allow_insecure_host)
        except ValueError:
            if os.environ.get(variable):
                raise
        # Omit the value: the variable may name the file of a secret by mistake.
        raise ValueError(f"{variable}_FILE specifies a file that does not contain the https:// URL of a host")

    @leaves_no_variables
    def check(self) -> None:
        """Raise ValueError or TypeError with the name and the value of the first invalid setting."""
        _ = self.base_url
        for name in ("ssl_ca_cert", "cert_file", "key_file"):
            path = getattr(self, name)
            if path and not (os.path.isfile(path) or (name == "ssl_ca_cert" and os.path.isdir(path))):
                raise ValueError(f"Configuration.{name} is not an existing file: {path!r}")
        if self.key_password is not None and not isinstance(self.key_password, (str, bytes)):
            raise TypeError(f"Configuration.key_password must be str or bytes, not {type(self.key_password).__name__}")
        self._check_ssl_context()
        if self.proxy:
            split_url("Configuration.proxy", self.proxy, userinfo=True)
        for name in ("connect_timeout", "read_timeout", "call_timeout"):
            validate_seconds(f"Configuration.{name}", getattr(self, name))
        for name in ("max_attempts", "max_response_bytes", "connection_pool_maxsize"):
            validate_positive_integer(f"Configuration.{name}", getattr(self, name))

    def _check_ssl_context(self) -> None:
        context = self.ssl_context
        if context is not None and not isinstance(context, ssl.SSLContext):
            raise TypeError(f"Configuration.ssl_context must be an ssl.SSLContext, not {type(context).__name__}")
        if context is not None and context.protocol == ssl.PROTOCOL_TLS_SERVER:
            raise ValueError("Configuration.ssl_context is for servers: use ssl.create_default_context() for a client")


# IDs of the processes that have logged the warning about the default host. A forked child inherits those of its parent.
_warned: dict[int, object] = {}


def uses_default_host(configuration: Configuration) -> bool:
    """Return whether neither the program nor the environment specifies the host."""
    if "host" in vars(configuration) or configuration.host != DEFAULT_HOST:
        return False
    return not (configuration.trust_env and setting("HOST"))


def is_warning_due(configuration: Configuration, url: str) -> bool:
    """Return whether a secret sent to `url` would be the first one that this process sends to the default host.

    url: base URL.
    """
    return os.getpid() not in _warned and url == DEFAULT_HOST and uses_default_host(configuration)


def warn_about_default_host() -> None:
    """Log, once per process, that the vendor will shut down the service at the default host."""
    own = object()
    if _warned.setdefault(os.getpid(), own) is own:  # only the first of several threads
        logging.getLogger(PACKAGE_LOGGER).warning(
            "Secrets are sent to the default host %s, because no host is set. The vendor has announced the end of the "
            "service at this host. Set Configuration.host, or the environment variable %s, to the host of your "
            "service.",
            DEFAULT_HOST,
            setting_name("HOST"),
        )
