"""A port of this host's loopback for TensorBoard, and the way to it from a person's own machine."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Mapping, Sequence

from engine.base.errors import InputError
from engine.runs import sentences

HOST = "127.0.0.1"
PORTS = range(6006, 6026)  # TensorBoard's own first, so that a tunnel that is already open keeps working


def free_port(ports: Sequence[int] = PORTS) -> int:
    """A port of the loopback that nobody listens on: one of TensorBoard's usual ones, else any."""
    for port in (*ports, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as attempt:
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                attempt.bind((HOST, port))
            except OSError:
                continue
            return int(attempt.getsockname()[1])
    raise InputError(sentences.NO_PORT())


def tunnel(port: int, environment: Mapping[str, str] | None = None) -> str:
    """The `ssh -L` line to type on one's own machine: with the user, and the address and port by which this session
    came in where SSH says so, else the host's name."""
    known = os.environ if environment is None else environment
    host, extra = socket.gethostname(), ""
    # client address, client port, server address, server port (man ssh)
    parts = known.get("SSH_CONNECTION", "").split()
    if len(parts) == 4:
        host = parts[2]
        extra = f" -p {parts[3]}" if parts[3] != "22" else ""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        user = known.get("USER", "")
    return f"ssh -N -L {port}:{HOST}:{port}{extra} {f'{user}@' if user else ''}{host}"
