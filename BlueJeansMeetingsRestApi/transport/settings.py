"""`ConnectionSettings`: the settings of `Configuration` that the transport needs."""

from __future__ import annotations

import ssl
from typing import NamedTuple


class ConnectionSettings(NamedTuple):
    """How to reach a service: the settings of `Configuration` with these names."""

    proxy: str | None = None
    trust_env: bool = True
    verify_ssl: bool = True
    ssl_ca_cert: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    key_password: str | bytes | None = None
    assert_hostname: str | bool | None = None
    ssl_context: ssl.SSLContext | None = None

    def __repr__(self) -> str:
        # Values are omitted, because two of them may contain a password.
        return "<ConnectionSettings>"
