"""A kit made again from its `metadata.json`, and whether the data has changed since."""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from dashboard.export import tables
from dashboard.export.kit import Kit
from dashboard.export.order import BadOrder, Order, from_parameters


@dataclass(frozen=True)
class Earlier:
    """What a `metadata.json` says of an earlier kit, and that kit's CSV where it still lies beside it."""

    order: Order
    state: str
    data_hash: str
    csv: bytes | None


def read(path: Path) -> Earlier:
    """Read a kit's `metadata.json`.

    Raises
    ------
    BadOrder
        When it cannot be read, or is none.
    """
    try:
        said: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadOrder(f"{path} cannot be read ({error.strerror or error}).") from None
    except ValueError:
        raise BadOrder(f"{path} is no JSON.") from None
    if not isinstance(said, dict) or not isinstance(said.get("data"), dict):
        raise BadOrder(f"{path} is no metadata.json of a kit.")
    order = from_parameters(said.get("parameters"))
    table = path.parent / f"{order.name}.csv"
    csv = table.read_bytes() if table.is_file() else None
    state = (said.get("warehouse") or {}).get("state", "")
    return Earlier(order, str(state), str(said["data"].get("sha256", "")), csv)


def compare(earlier: Earlier, kit: Kit) -> str:
    """One sentence: whether the new kit's numbers are those of the earlier one."""
    now = tables.csv(kit.made.chart)
    if sha256(now).hexdigest() == earlier.data_hash:
        same = "the same state" if kit.made.state == earlier.state else f"now in {kit.made.state}"
        return f"{kit.order.name}: the data is unchanged since {earlier.state} ({same})."
    sentence = f"{kit.order.name}: THE DATA HAS CHANGED since {earlier.state}, it is now {kit.made.state}"
    if earlier.csv is None or sha256(earlier.csv).hexdigest() != earlier.data_hash:
        return f"{sentence}."
    before, after = (text.decode("utf-8").splitlines() for text in (earlier.csv, now))
    gone, new = len(set(before) - set(after)), len(set(after) - set(before))
    return f"{sentence}: {new} rows are new or different, {gone} of the old ones are gone."
