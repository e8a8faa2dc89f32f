"""Does a Redis server answer? Asked over a socket, as the engine does without its client."""

from __future__ import annotations

import socket
import ssl
import time
from urllib.parse import unquote, urlsplit

TIMEOUT_SECONDS = 3.0
PORT = 6379


def ping(url: str) -> tuple[str, float]:
    """Return where the server is (without its password) and the seconds of one round trip.

    Args:
        url: `redis://` or `rediss://`.

    Raises:
        ValueError: the address is none, or the server refuses.
        OSError: it cannot be reached.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("redis", "rediss") or not parts.hostname:
        raise ValueError("REDIS_URL is not like redis://[:password@]host:port/0")
    where = f"{parts.hostname}:{parts.port or PORT}"
    try:
        plain = socket.create_connection((parts.hostname, parts.port or PORT), TIMEOUT_SECONDS)
    except OSError as error:
        raise OSError(f"{where} cannot be reached ({error.strerror or error})") from None
    with plain:
        line = plain
        if parts.scheme == "rediss":
            line = ssl.create_default_context().wrap_socket(plain, server_hostname=parts.hostname)
        if parts.password:
            names = [unquote(parts.username)] if parts.username else []
            _ask(line, where, "AUTH", *names, unquote(parts.password))
        begun = time.perf_counter()
        _ask(line, where, "PING")
        return where, time.perf_counter() - begun


def _ask(line: socket.socket, where: str, *words: str) -> None:
    """Send one command in the Redis protocol and require a simple answer."""
    command = [f"*{len(words)}\r\n".encode()]
    for word in words:
        content = word.encode()
        command.append(b"$%d\r\n%s\r\n" % (len(content), content))
    line.sendall(b"".join(command))
    answer = line.recv(1000)
    if not answer.startswith(b"+"):
        said = answer[1:].split(b"\r\n")[0].decode(errors="replace")
        raise ValueError(f"{where} refuses {words[0]}: {said or 'no answer'}")
