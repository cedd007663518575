"""A file to be imported, and what the warehouse then holds."""

from __future__ import annotations

from pathlib import Path


def rows(warehouse, query: str) -> list[tuple]:
    with warehouse.reading() as con:
        return con.execute(query).fetchall()


def stored(warehouse, columns: str = "ticker, date, close") -> list[tuple]:
    return rows(warehouse, f"SELECT {columns} FROM price_daily ORDER BY ticker, date")


def written(folder: Path, content: str | bytes, name: str = "file.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path
