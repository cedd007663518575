"""The Chromium that draws: where it is, how it is started and ended, and the page that it opens."""

import os
import shutil
import signal
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from string import Template

import plotly
from choreographer import Browser
from choreographer.browsers import Chromium

PAGE = Path(__file__).parent / "page"
STATIC = Path(__file__).parents[1] / "static"
PLOTLY_JS = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
NO_BROWSER = (
    "No Chrome or Chromium was found: install one (`apt install chromium`, or `kaleido_get_chrome`), or name it in "
    "BROWSER_PATH. HTML, CSV and JSON need none."
)
FOLDER_PREFIX = "ai-market-impact-charts-"
_EXTENDED = "U+0100-02BA,U+02BD-02C5,U+02C7-02CC,U+02CE-02D7,U+02DD-02FF,U+1E00-1E9F,U+1EF2-1EFF,U+20A0-20C0"
_FONTS = (
    ("Inter", 400, "inter-400.woff2", ""),
    ("Inter", 400, "inter-400-ext.woff2", _EXTENDED),
    ("Inter", 700, "inter-700.woff2", ""),
    ("Inter", 700, "inter-700-ext.woff2", _EXTENDED),
    ("Source Serif", 600, "source-serif-600.woff2", ""),
    ("Source Serif", 600, "source-serif-600-ext.woff2", _EXTENDED),
)


class HeadlessChromium(Chromium):
    """Chromium with nothing that depends on the machine's screen, and no way to a network."""

    def get_cli(self) -> Sequence[str]:
        """The command that starts it."""
        return [
            *super().get_cli(),
            "--disable-lcd-text",
            "--font-render-hinting=none",
            "--enable-font-subpixel-positioning",
            "--force-color-profile=srgb",
            "--hide-scrollbars",
            "--disable-background-networking",
            "--host-resolver-rules=MAP * ~NOTFOUND",
        ]


def find_browser() -> str | None:
    """The path of the Chrome or Chromium that draws: `BROWSER_PATH`, or the first one that is installed."""
    named = os.environ.get("BROWSER_PATH")
    if named:
        return named if Path(named).is_file() else None
    return Chromium.find_browser(skip_local=False)


def workplace(path: str) -> "tempfile.TemporaryDirectory[str]":
    """A folder for the browser at `path` and its page; those of processes that were killed are swept away first."""
    home = Path.home() if "snap" in path else Path(tempfile.gettempdir())
    for left in home.glob(f"{FOLDER_PREFIX}*-*"):
        owner = left.name.removeprefix(FOLDER_PREFIX).partition("-")[0]
        if owner.isdigit() and not _is_running(int(owner)):
            shutil.rmtree(left, ignore_errors=True)
    prefix = f"{FOLDER_PREFIX}{os.getpid()}-"
    return tempfile.TemporaryDirectory(prefix=prefix, dir=home, ignore_cleanup_errors=True)


def _is_running(process_id: int) -> bool:
    if os.name != "posix":
        return True
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def has_ended(browser: Browser) -> bool:
    """Whether the browser's process is no more."""
    process = getattr(browser, "subprocess", None)
    return process is not None and process.poll() is not None


def kill(browser: Browser) -> None:
    """End the browser with all its processes, which are a group of their own where there are such groups."""
    process = getattr(browser, "subprocess", None)
    if process is None or process.poll() is not None:
        return
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def page() -> str:
    """The page on which charts are drawn, with the house's fonts, as HTML."""
    faces = [
        f'@font-face {{ font-family: "{family}"; font-weight: {weight}; src: url("{(STATIC / name).as_uri()}")'
        + (f"; unicode-range: {reach}" if reach else "")
        + " }"
        for family, weight, name, reach in _FONTS
    ]
    scripts = [
        f'<script src="{(PAGE / name).as_uri()}"></script>' for name in ("words.js", "fit.js", "draw.js")
    ]
    return Template((PAGE / "index.html").read_text(encoding="utf-8")).substitute(
        fonts="\n  ".join(faces), plotly=PLOTLY_JS.as_uri(), scripts="\n".join(scripts)
    )
