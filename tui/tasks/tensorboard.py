"""TensorBoard beside the app: started once, on a free port, ended with the app."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual.message import Message

from tui.tasks import sentences
from tui.tasks.background import in_background

ADDRESS = re.compile(r"https?://[^\s/]+:(\d+)/")


@dataclass
class TensorBoardAnswered(Message):
    """Where TensorBoard is, or why it is nowhere."""

    address: str = ""
    tunnel: str = ""  # the line that brings it to another machine
    problem: str = ""


class TensorBoard:
    """A child process that serves the runs folder to a browser on this machine."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self.address = self.tunnel = ""

    def open(self, folder: Path, post: Callable[[Message], Any]) -> None:
        """Start it, if it is not there yet.

        Answers with `TensorBoardAnswered`.
        """
        from engine.base import children
        from engine.runs.tunnel import HOST, free_port

        if self._process is not None and self._process.poll() is None:
            if self.address:
                post(TensorBoardAnswered(self.address, self.tunnel))
            return
        self.address = self.tunnel = ""  # of one that has ended meanwhile
        where = ["--host", HOST, "--port", str(free_port())]
        command = children.command("tui.tasks.tensorboard_child", "--logdir", str(folder), *where)
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=children.environment(),
        )
        process = self._process
        in_background(
            lambda: self._listen(process, post),
            "tensorboard",
            lambda words: post(TensorBoardAnswered(problem=words)),
        )

    def _listen(self, process: subprocess.Popen[str], post: Callable[[Message], Any]) -> None:
        """Wait for the line with the address, then keep the pipe empty."""
        from engine.runs.tunnel import tunnel

        assert process.stderr is not None
        last = ""
        for line in process.stderr:
            last = line.strip() or last
            found = ADDRESS.search(line)
            if found and not self.address:
                self.tunnel = tunnel(int(found[1]))
                self.address = f"http://localhost:{found[1]}/"
                post(TensorBoardAnswered(self.address, self.tunnel))
        if not self.address:
            post(TensorBoardAnswered(problem=sentences.TENSORBOARD_FAILED(reason=last or sentences.SAID_NOTHING())))

    def close(self) -> None:
        """End it."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
