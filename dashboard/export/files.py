"""Files that are there whole or not at all."""

import io
import os
import re
import secrets
import time
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

EPOCH = (1980, 1, 1, 0, 0, 0)
DRAFT = re.compile(r"\..+\.[0-9a-f]{8}")
FORSAKEN_SECONDS = 3600


def write(path: Path, content: bytes) -> None:
    """Put a file into place in one step: written beside it, flushed to the disk, renamed.

    Raises
    ------
    OSError
        When it cannot be written; what was there before stays, and nothing half-written is left.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _clear(path.parent)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with draft.open("xb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


@lru_cache(maxsize=10_000)
def _clear(folder: Path) -> None:
    """Take away, once a process, what another one that was killed had begun: a draft is written in far less time."""
    for draft in folder.glob(".*.????????"):
        with suppress(OSError):
            if DRAFT.fullmatch(draft.name) and time.time() - draft.stat().st_mtime > FORSAKEN_SECONDS:
                draft.unlink()


def zipped(files: Mapping[str, bytes], folder: str) -> bytes:
    """Files in a folder as a zip, the same for the same files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(f"{folder}/{name}", EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return out.getvalue()
