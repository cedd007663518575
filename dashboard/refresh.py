"""Runs `python -m etl refresh` beside the dashboard, for the operator: one at a time, never in process."""

import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass, field

from etl.product import PROJECT_ROOT

COMMAND = (sys.executable, "-m", "etl", "refresh", "--log-format", "text")
LINES_KEPT = 400
PAUSE_SECONDS = 60.0
"""Between the end of a refresh and the next: the sources are not to be asked again and again."""
ENDINGS = {
    0: "Everything came. The pages show it now.",
    1: "Part of it came, and the pages show that; the lines below name the rest.",
    2: "Nothing came; the data is as it was. The lines below say why.",
    3: "The refresh is not configured as it should be; the lines below say what to change.",
}


@dataclass
class Refresh:
    """The refresh of this server: what it has said so far, and how it ended.

    `lines` are the latest of its log; `exit_code` is None while it runs, or where none has been started.
    """

    command: tuple[str, ...] = COMMAND
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=LINES_KEPT))
    exit_code: int | None = None
    started: float | None = None
    ended: float | None = None
    _process: subprocess.Popen[str] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def running(self) -> bool:
        """Whether it has been started and has not ended."""
        return self.started is not None and self.ended is None

    @property
    def pause(self) -> float:
        """Seconds until it may be started again after it has ended; 0 where it may."""
        return 0.0 if self.ended is None else max(0.0, self.ended + PAUSE_SECONDS - time.monotonic())

    @property
    def seconds(self) -> float:
        """How long it has run, or ran."""
        return 0.0 if self.started is None else (self.ended or time.monotonic()) - self.started

    @property
    def ending(self) -> str:
        """How it ended, in a sentence; empty while it runs."""
        if self.exit_code is None:
            return ""
        return ENDINGS.get(self.exit_code, f"The refresh ended with code {self.exit_code}.")

    def start(self) -> bool:
        """Start it, unless it runs or has just ended; tells whether it was started."""
        with self._lock:
            if self.running or self.pause:
                return False
            self.lines.clear()
            self.exit_code, self.ended, self.started = None, None, time.monotonic()
            try:
                self._process = subprocess.Popen(
                    self.command,
                    cwd=PROJECT_ROOT,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    encoding="utf-8",
                    errors="replace",
                )
            except OSError as error:
                self.lines.append(f"It could not be started: {error.strerror or error}")
                self.exit_code, self.ended = 3, time.monotonic()
                return False
        threading.Thread(target=self._follow, args=(self._process,), name="refresh", daemon=True).start()
        return True

    def _follow(self, process: subprocess.Popen[str]) -> None:
        with process:
            for line in process.stdout or ():
                if line.strip():
                    self.lines.append(line.rstrip())
        self.exit_code = process.returncode
        self.ended = time.monotonic()


refresh = Refresh()
