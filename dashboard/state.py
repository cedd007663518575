"""Which published state the pages show: the newest, or, while the warehouse cannot be asked, the last one known."""

from dataclasses import dataclass

from etl.warehouse import WarehouseError, published_version


@dataclass(frozen=True)
class Shown:
    """A state's name; `away` where the warehouse could not be asked and the state is the last one known."""

    name: str
    away: bool = False


_last_known: dict[str, str] = {}


def shown_state() -> Shown:
    """The state to show.

    Raises
    ------
    etl.warehouse.WarehouseError
        When the warehouse cannot be asked and this process knows of no state.
    """
    try:
        name = published_version()
    except WarehouseError:
        if "state" not in _last_known:
            raise
        return Shown(_last_known["state"], away=True)
    _last_known["state"] = name
    return Shown(name)
