"""Which published state the pages show: the newest, or, while the warehouse cannot be asked, the last one known."""

from dataclasses import dataclass

from etl.settings import settings
from etl.warehouse import WarehouseError, published_version


@dataclass(frozen=True)
class Shown:
    """A state's name; `away` where the warehouse could not be asked and the state is the last one known."""

    name: str
    away: bool = False


_last_known: dict[str, str] = {}  # by the database's place


def shown_state() -> Shown:
    """The state to show.

    Raises
    ------
    etl.warehouse.WarehouseError
        When the warehouse cannot be asked and this process knows of no state.
    """
    place = settings().database
    try:
        name = published_version()
    except WarehouseError:
        if place not in _last_known:
            raise
        return Shown(_last_known[place], away=True)
    _last_known[place] = name
    return Shown(name)
