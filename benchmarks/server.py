"""A service with minimal cost: it responds from memory and parses only the path and the length of a request.

`running()` starts it in a separate process, so that it does not share an interpreter with the measured clients.
"""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TOKEN = "0123456789abcdef0123456789abcdef"
GRANT = {
    "access_token": TOKEN,
    "expires_in": 3600,
    "scope": {"enterprise": 4711, "partitionName": "z2", "partition": {"id": 2, "name": "z2"}},
}
GRANT_OF_RFC_6749 = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600}


@dataclass(frozen=True)
class Server:
    """A running server.

    authority: path of the CA certificate to trust, or None without TLS
    """

    url: str
    authority: str | None


@contextmanager
def running(tls: bool = False) -> Iterator[Server]:
    """Run a server in a separate process during a `with` block."""
    with tempfile.TemporaryDirectory() as folder:
        authority, certificate = Path(folder, "authority.pem"), Path(folder, "server.pem")
        if tls:
            import trustme

            signer = trustme.CA()
            signer.cert_pem.write_to_path(str(authority))
            signer.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))
        command = [sys.executable, "-m", __name__, *([str(certificate)] if tls else [])]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent) as process:
            assert process.stdout is not None
            port = process.stdout.readline().strip()
            try:
                yield Server(f"{'https' if tls else 'http'}://127.0.0.1:{port}", str(authority) if tls else None)
            finally:
                process.terminate()


def response_to(path: str, origin: str) -> bytes:
    """Return the response for a path.

    `/bytes/N` is a grant of N bytes. `/slow/N` is a grant after N milliseconds; its token is the time of the response.
    """
    content: dict[str, object] = {**GRANT}
    parts = path.split("/")
    if path.startswith("/rfc6749/"):
        content = {**GRANT_OF_RFC_6749}
    elif path.endswith("/.well-known/openid-configuration"):
        content = dict.fromkeys(("token_endpoint", "authorization_endpoint", "issuer"), f"{origin}/rfc6749/token")
    elif path.startswith("/bytes/"):
        content["padding"] = ""
        content["padding"] = "x" * (int(parts[2]) - len(json.dumps(content)))
    elif path.startswith("/slow/"):
        time.sleep(int(parts[2]) / 1000)
        content["access_token"] = str(time.monotonic())
    body = json.dumps(content).encode()
    head = "HTTP/1.1 200 OK\r\nServer: BlueJeans Proxy\r\nContent-Type: application/json; charset=UTF-8\r\n"
    return f"{head}Connection: keep-alive\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def serve(connection: socket.socket, context: ssl.SSLContext | None, origin: str, made: dict[str, bytes]) -> None:
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream = connection if context is None else context.wrap_socket(connection, server_side=True)
        received = b""
        while chunk := stream.recv(1 << 16):
            received += chunk
            head, end, body = received.partition(b"\r\n\r\n")
            _, named, length = head.lower().partition(b"\r\ncontent-length:")
            if not end or (named and len(body) < int(length.partition(b"\r\n")[0])):
                continue
            received = b""
            path = head.split(b" ", 2)[1].decode("ascii").partition("?")[0]
            if path.startswith("/slow/"):
                stream.sendall(response_to(path, origin))
                continue
            if path not in made:
                made[path] = response_to(path, origin)
            stream.sendall(made[path])
    except OSError:
        pass  # The client has disconnected.
    finally:
        connection.close()


def main() -> None:
    context = None
    if sys.argv[1:]:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(sys.argv[1])
    made: dict[str, bytes] = {}
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listening:
        port = listening.getsockname()[1]
        origin = f"{'https' if context else 'http'}://127.0.0.1:{port}"
        sys.stdout.write(f"{port}\n")
        sys.stdout.flush()
        while True:
            connection, _ = listening.accept()
            threading.Thread(target=serve, args=(connection, context, origin, made), daemon=True).start()


if __name__ == "__main__":
    main()
