"""One browser draws for every thread: nobody gets another's chart, and a browser that dies is replaced."""

from __future__ import annotations

import io
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageColor

from dashboard.export.browser import (
    BrowserDied,
    BrowserError,
    NoBrowser,
    Renderer,
    renderer,
    token,
)
from dashboard.export.drawing import Look, job
from dashboard.export.pictures import Label, WrongPicture, finish_pdf, finish_png, finish_svg
from dashboard.export.presets import PRESETS
from dashboard.export.render import render
from tests.conftest import SOAK, Tell
from tests.export.samples import chromiums, flag, lines, render_png

ROUNDS = 500 if SOAK else 2
READERS = 12
LABEL = Label("t", "d", "s", "c")
WIDE = PRESETS["wide"].with_scale(0.5)


def test_twelve_readers_at_once_each_get_their_own_chart(tell: Tell) -> None:
    def read(reader: int) -> list[str]:
        faults = []
        for turn in range(ROUNDS):
            colour = f"#{(reader * 20 + 5):02x}{turn % 250:02x}{(255 - reader * 20):02x}"
            name = f"reader-{reader}-{turn}"
            drawn = render(flag(colour, name, 300 + reader), Look(WIDE), {"png", "svg"})
            picture = Image.open(io.BytesIO(drawn.files["png"]))
            if picture.getpixel((300, 180)) != ImageColor.getrgb(colour):
                faults.append(f"{name}: {picture.getpixel((300, 180))}")
            if f">{name}</title>" not in drawn.files["svg"].decode():
                faults.append(f"{name}: another's SVG")
        return faults

    with ThreadPoolExecutor(READERS) as pool:
        faults = [fault for found in pool.map(read, range(READERS)) for fault in found]
    tell("charts of twelve readers at once", READERS * ROUNDS, len(faults))
    assert not faults


def test_a_picture_of_another_chart_is_recognised_and_refused() -> None:
    mine, other = (job(lines(title=title), Look(WIDE)) for title in ("Mine", "Another’s"))
    drawing = renderer().draw(other, WIDE, {"png", "svg", "pdf"})
    assert finish_png(drawing.png, token(other), (600, 338), 96, True, LABEL)
    with pytest.raises(WrongPicture, match="another chart"):
        finish_png(drawing.png, token(mine), (600, 338), 96, True, LABEL)
    with pytest.raises(WrongPicture, match="another chart"):
        finish_svg(drawing.svg, token(mine), LABEL)
    with pytest.raises(WrongPicture, match="another chart"):
        finish_pdf(drawing.pdf, token(mine), (450, 253), LABEL)
    with pytest.raises(WrongPicture, match="not 700×338"):
        finish_png(drawing.png, token(other), (700, 338), 96, True, LABEL)


def test_the_marker_is_computed_by_the_page_from_what_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.export.render.token", lambda spec: "0" * 64)
    with pytest.raises(BrowserError, match="drew another chart"):
        render(lines(), Look(WIDE), {"png"})


def test_no_marker_is_left_in_the_files() -> None:
    drawn = render(lines(), Look(WIDE))
    assert Image.open(io.BytesIO(drawn.files["png"])).size == (600, 338)
    assert b"data-spec" not in drawn.files["svg"]
    assert b"strip" not in drawn.files["svg"]


@pytest.mark.skipif(not SOAK, reason="a long form: make soak")
def test_a_browser_killed_between_two_drawings_is_replaced() -> None:
    before = render_png(lines(), "wide")
    os.kill(*chromiums(), signal.SIGKILL)
    assert render_png(lines(), "wide") == before


def test_a_browser_killed_while_it_draws_costs_no_picture() -> None:
    render_png(lines(), "wide")
    starts, done = renderer().starts, threading.Event()

    def kill() -> None:
        while not done.wait(0.02):
            for number in chromiums():
                os.kill(number, signal.SIGKILL)
                return

    killer = threading.Thread(target=kill)
    killer.start()
    drawn = []
    try:
        while killer.is_alive() and len(drawn) < 200:
            drawn.append(render_png(lines(title=f"No. {len(drawn)}"), "wide"))
    finally:
        done.set()
        killer.join()
    drawn.append(render_png(lines(title="The one after"), "wide"))
    assert len(set(drawn)) == len(drawn)
    assert renderer().starts == starts + 1


def hang(owner: Renderer, monkeypatch: pytest.MonkeyPatch, *, times: int, patience: float) -> None:
    """Let the page of a renderer hang in its next drawings, each of which is given up after `patience` seconds."""
    real, usual, left = owner._draw, owner._timeout, [times]

    async def draw(page: Any, *what: Any) -> object:
        if left[0]:
            left[0] -= 1
            if not left[0]:
                owner._timeout = usual  # for what comes after: a browser that starts anew takes its time
            await page.evaluate("for(;;);")
        return await real(page, *what)

    monkeypatch.setattr(owner, "_draw", draw)
    monkeypatch.setattr(owner, "_timeout", patience)


def test_a_page_that_hangs_is_given_up_and_its_chart_drawn_by_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec, mine = job(lines(), Look(WIDE)), renderer()
    assert mine.draw(spec, WIDE, {"svg"}).svg
    starts = mine.starts
    hang(mine, monkeypatch, times=1, patience=2)
    assert mine.draw(spec, WIDE, {"svg"}).svg
    assert mine.starts == starts + 1


@pytest.mark.skipif(not SOAK, reason="a long form: make soak")
def test_a_page_that_hangs_twice_is_refused_and_the_next_chart_is_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec, mine = job(lines(), Look(WIDE)), renderer()
    assert mine.draw(spec, WIDE, {"svg"}).svg
    hang(mine, monkeypatch, times=2, patience=15)
    with pytest.raises(BrowserDied, match="within"):
        mine.draw(spec, WIDE, {"svg"})
    assert mine.draw(spec, WIDE, {"svg"}).svg


def test_without_a_browser_one_sentence_says_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "none"))
    mine = Renderer()
    try:
        with pytest.raises(NoBrowser, match="install one") as said:
            mine.draw(job(lines(), Look(WIDE)), WIDE, {"png"})
    finally:
        mine.close()
    assert "BROWSER_PATH" in str(said.value)


def test_the_page_cannot_reach_a_network() -> None:
    """Not even a picture on this computer's own web server is fetched by name."""
    chart = lines()
    chart.figure.add_layout_image(source="http://localhost:9/picture.png", x=0, y=1, sizex=1, sizey=1)
    text = render(chart, Look(WIDE), {"svg"}).files["svg"].decode()
    assert "localhost" not in text
    assert chromiums()
