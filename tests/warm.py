"""The program in processes that need not import anything first.

Most tests that run a command line spend their time importing torch. Here one process imports it once, and each command
line is a fork of it: a process of its own, with its own environment, folder and streams, that ends as the program ends.
What the interpreter itself reads when it starts is as in the process that was forked, so whoever changes that starts
the program anew (see `PLAIN`).
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PLAIN = ("PYTHON", "LC_", "LANG", "OPENBLAS", "OMP_", "MKL_", "CUDA", "TORCH", "NUMBA", "NVIDIA")  # names begin so
LOADED = (
    "torch",
    "numba",
    "polars",
    "sklearn.metrics",
    "safetensors.numpy",
    "engine.cli",
    "engine.commands.export",
    "engine.commands.predict",
    "engine.commands.runs",
    "engine.commands.train",
    "engine.training.run",
    "engine.analysis.evaluation",
    "engine.runs.onnx_model",
    "engine.runs.predictor",
    "engine.runs.report",
)


class Warm:
    """A process that is forked for each command line.

    Args:
        environment: its own, which it reads when it starts.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        here, there = socket.socketpair()
        with there:
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(there.fileno())],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                pass_fds=(there.fileno(),),
            )
        self._socket = here

    def serves(self, environment: Mapping[str, str]) -> bool:
        """Whether a process with this environment would be the same if it were started anew."""
        names = self._environment.keys() | environment.keys()
        return all(self._environment.get(n) == environment.get(n) for n in names if n.startswith(PLAIN))

    def run(
        self, words: Sequence[str], *, cwd: Path, environment: Mapping[str, str], stdin: Any, timeout: float
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command line to its end. Raises subprocess.TimeoutExpired, after which the process is gone."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, open(os.devnull, "rb") as nothing:
            source = nothing if stdin == subprocess.DEVNULL else stdin
            asked = json.dumps({"words": list(words), "cwd": str(cwd), "environment": dict(environment)}).encode()
            self._socket.settimeout(timeout)
            streams = [source.fileno(), out.fileno(), err.fileno()]
            socket.send_fds(self._socket, [len(asked).to_bytes(8, "big")], streams)
            self._socket.sendall(asked)
            child = self._number()
            try:
                code = self._number()
            except TimeoutError as error:
                os.kill(child, signal.SIGKILL)
                self._socket.settimeout(None)
                self._number()
                raise subprocess.TimeoutExpired(list(words), timeout) from error
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(list(words), code, out.read(), err.read())

    def close(self) -> None:
        """End the process."""
        self._socket.close()
        self._process.wait()

    def _number(self) -> int:
        return int.from_bytes(_exactly(self._socket, 8), "big", signed=True)


def _exactly(connection: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        piece = connection.recv(size - len(found))
        if not piece:
            raise EOFError("The process that is forked for command lines has ended.")
        found += piece
    return found


def _serve(connection: socket.socket) -> dict[str, Any] | None:
    """Fork for each command line that is asked for. In the child: what was asked; in the parent None, at the end."""
    while True:
        head, streams, _, _ = socket.recv_fds(connection, 8, 3)
        if not head:
            return None
        head += _exactly(connection, 8 - len(head)) if len(head) < 8 else b""
        asked: dict[str, Any] = json.loads(_exactly(connection, int.from_bytes(head, "big")))
        child = os.fork()
        if child == 0:
            connection.close()
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
                os.close(stream)
            return asked
        for stream in streams:
            os.close(stream)
        connection.sendall(child.to_bytes(8, "big", signed=True))
        _, status = os.waitpid(child, 0)
        connection.sendall(os.waitstatus_to_exitcode(status).to_bytes(8, "big", signed=True))


def _become(asked: dict[str, Any]) -> None:
    """Be the program as if it had been started anew."""
    import runpy

    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["cwd"])
    tempfile.tempdir = None
    sys.path[0] = os.getcwd()
    sys.argv[:] = ["tui.main", *asked["words"]]
    # The streams of the interpreter know what their files were when it started.
    sys.stdin = open(0, encoding=sys.stdin.encoding, errors=sys.stdin.errors, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding=sys.stdout.encoding, errors=sys.stdout.errors, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding=sys.stderr.encoding, errors=sys.stderr.errors, closefd=False, buffering=1)  # noqa: SIM115
    runpy.run_module("tui.main", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    from importlib import import_module

    sys.path[0] = str(Path(__file__).parents[1])
    for name in LOADED:
        import_module(name)
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)  # torch has modules with a bare name, which would lie in any folder
        if file and not os.path.isabs(file):
            module.__file__ = str(Path(sys.modules["torch"].__path__[0]) / file)
    request = _serve(socket.socket(fileno=int(sys.argv[1])))
    if request is not None:
        _become(request)
