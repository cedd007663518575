"""Telling signals: real clients against a webhook and a mail server on the loopback."""

import base64
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from standardwebhooks import Webhook as Verifier

from etl import alerts
from etl.delivery.deliver import deliver
from etl.delivery.ledger import PAUSES, Ledger, LedgerError, ledger_place, left
from etl.product import variable
from etl.settings import PROJECT_ROOT, settings
from etl.signals.cli import tell
from etl.warehouse.files import FileWarehouse
from tests.conftest import SOAK
from tests.loopback.targets import MailServer, Receiver

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
NOW = datetime.now(UTC)
YESTERDAY = NOW.date() - timedelta(days=1)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def mail() -> Iterator[MailServer]:
    server = MailServer()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def warehouse(bundled_database: Path, tmp_path: Path) -> FileWarehouse:
    """The bundled warehouse, whose newest signals are of yesterday."""
    path = tmp_path / "market.duckdb"
    shutil.copyfile(bundled_database, path)
    made = FileWarehouse(path)
    with made.writing() as con:
        con.execute("UPDATE signal SET session = ? WHERE session >= DATE '2026-07-30'", [YESTERDAY])
    return made


Configure = Callable[..., None]


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch, warehouse: FileWarehouse) -> Iterator[Configure]:
    def use(**values: str) -> None:
        for name, value in ({"database": str(warehouse.path)} | values).items():
            monkeypatch.setenv(variable(name), value)
        settings.cache_clear()

    yield use
    settings.cache_clear()


def expected(warehouse: FileWarehouse) -> set[str]:
    with warehouse.reading() as con:
        rows = con.execute("SELECT signal_id FROM signal WHERE session >= ?", [YESTERDAY]).fetchall()
    return {signal_id for (signal_id,) in rows}


def test_a_webhook_gets_each_signal_once_signed_as_the_specification_says(
    warehouse: FileWarehouse, receiver: Receiver, configure: Configure, caplog: pytest.LogCaptureFixture
) -> None:
    configure(webhook_url=receiver.url, webhook_secret=SECRET, dashboard_url="https://news.example/ai/")
    wanted = expected(warehouse)
    assert len(wanted) >= 3
    assert deliver(warehouse) == len(wanted)
    assert receiver.ids() == Counter(wanted)
    for headers, content in receiver.got:
        told = Verifier(SECRET).verify(content, headers)
        assert told == json.loads(content)
        assert told["type"] == "signal.created"
        assert told["data"]["url"] == f"https://news.example/ai/?event={told['data']['signal_id']}"
        assert len(content) < 20_000
    assert deliver(warehouse) == 0
    assert receiver.ids() == Counter(wanted)
    assert "hush" not in caplog.text


def test_a_correction_and_a_withdrawal_are_told_once_each(
    warehouse: FileWarehouse, receiver: Receiver, configure: Configure
) -> None:
    configure(webhook_url=receiver.url, webhook_secret=SECRET)
    deliver(warehouse)
    before, one = len(receiver.got), min(expected(warehouse))
    for column, kind in (("corrected_at", "corrected"), ("withdrawn_at", "withdrawn")):
        with warehouse.writing() as con:
            con.execute(f"UPDATE signal SET {column} = now(), size = size * 2 WHERE signal_id = ?", [one])
        assert (deliver(warehouse), deliver(warehouse)) == (1, 0)
        told = json.loads(receiver.got[-1][1])
        assert (told["type"], told["data"]["signal_id"]) == (f"signal.{kind}", one)
    assert len(receiver.got) == before + 2


def test_an_old_signal_is_corrected_for_those_alone_who_were_told_of_it(
    warehouse: FileWarehouse, receiver: Receiver, configure: Configure
) -> None:
    configure(webhook_url=receiver.url, webhook_secret=SECRET)
    one = min(expected(warehouse))
    deliver(warehouse)
    with warehouse.writing() as con:
        con.execute(
            "UPDATE signal SET session = ? WHERE session >= ?", [YESTERDAY - timedelta(days=20), YESTERDAY]
        )
        con.execute("UPDATE signal SET corrected_at = now() WHERE signal_id = ?", [one])
    before = len(receiver.got)
    assert deliver(warehouse) == 1
    assert json.loads(receiver.got[-1][1])["type"] == "signal.corrected"
    configure(webhook_url=receiver.url, webhook_secret=SECRET, signal_urls="json://127.0.0.1:9")
    assert deliver(warehouse) == 0
    assert len(receiver.got) == before + 1
    assert not Ledger(
        ledger_place(settings())
    ).unsettled()  # the new target is told nothing that is long past


@pytest.mark.parametrize("clock", ["as it is", "in 1970"])
def test_a_first_run_over_years_of_history_tells_nobody_what_is_long_past(
    bundled_database: Path, tmp_path: Path, receiver: Receiver, configure: Configure, clock: str
) -> None:
    shutil.copyfile(bundled_database, tmp_path / "old.duckdb")
    old = FileWarehouse(tmp_path / "old.duckdb")
    with old.reading() as con:
        assert con.execute("SELECT count(*) FROM signal").fetchall()[0][0] > 100
    configure(webhook_url=receiver.url, webhook_secret=SECRET, database=str(old.path))
    assert deliver(old, NOW if clock == "as it is" else datetime(1970, 1, 2, tzinfo=UTC)) == 0
    assert not receiver.got


def test_another_rate_withdraws_without_telling_anybody(
    warehouse: FileWarehouse, receiver: Receiver, configure: Configure
) -> None:
    configure(webhook_url=receiver.url, webhook_secret=SECRET)
    deliver(warehouse)
    with warehouse.writing() as con:
        con.execute("UPDATE signal SET withdrawn_at = now(), withdrawn_for = 'setting'")
    assert deliver(warehouse) == 0


def test_a_webhook_that_answers_without_an_end_is_left(
    warehouse: FileWarehouse, receiver: Receiver, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("etl.delivery.targets.LONGEST_POST", 0.5)
    configure(webhook_url=receiver.url, webhook_secret=SECRET)
    receiver.drips = True
    began = time.monotonic()
    assert deliver(warehouse) == 0
    receiver.drips = False
    assert time.monotonic() - began < 10
    told = Ledger(ledger_place(settings())).unsettled()
    assert [(state, why) for _, _, state, why in told] == [("waiting", "no answer within 0.5 seconds")]


def test_what_was_withdrawn_before_anybody_was_told_is_not_told(
    warehouse: FileWarehouse, receiver: Receiver, configure: Configure
) -> None:
    configure(webhook_url=receiver.url, webhook_secret=SECRET)
    one = min(expected(warehouse))
    with warehouse.writing() as con:
        con.execute("UPDATE signal SET withdrawn_at = now() WHERE signal_id = ?", [one])
    deliver(warehouse)
    assert one not in receiver.ids()


def test_a_target_that_is_down_is_tried_again_later_and_given_up_in_the_end(
    warehouse: FileWarehouse, receiver: Receiver, configure: Configure
) -> None:
    configure(webhook_url=receiver.url, webhook_secret=SECRET)
    receiver.status = 503
    assert deliver(warehouse, NOW) == 0
    assert len(receiver.got) == 1  # the rest is not sent to a server that is down
    assert deliver(warehouse, NOW + PAUSES[0] / 2) == 0
    first = receiver.got[0][0]["webhook-id"]
    assert receiver.ids()[first] == 1
    receiver.status = 204
    later = NOW + timedelta(minutes=10)
    assert deliver(warehouse, later) == len(expected(warehouse))
    assert receiver.ids()[first] == 2
    assert not Ledger(ledger_place(settings())).unsettled()


def test_a_mail_holds_every_signal_in_plain_words_and_no_cause(
    warehouse: FileWarehouse, mail: MailServer, configure: Configure
) -> None:
    configure(signal_urls=mail.url, dashboard_url="http://127.0.0.1:9")
    assert deliver(warehouse) == len(expected(warehouse))
    assert deliver(warehouse) == 0
    (got,) = mail.mails
    texts = [part for part in got.walk() if part.get_content_type() == "text/plain"]
    assert len(texts) == 1
    text = texts[0].get_payload(decode=True).decode()  # type: ignore[union-attr]
    assert text.count("/?event=signal-") == len(expected(warehouse))
    assert text.startswith("Microsoft gained $449.7 billion of market value")  # the largest of the newest
    assert "NVIDIA gained $443.3 billion of market value" in text
    assert "Nothing here claims a cause" in text


def test_a_mail_tells_in_words_what_its_picture_shows(
    warehouse: FileWarehouse, mail: MailServer, receiver: Receiver, configure: Configure
) -> None:
    words, drawn = PngInfo(), io.BytesIO()
    words.add_text("Title", "38 of 51 fell")
    words.add_itxt("Description", "Bar chart. Lowest: Sandisk −14.2%.")
    Image.new("RGB", (4, 4)).save(drawn, "PNG", pnginfo=words)
    receiver.picture = drawn.getvalue()
    configure(signal_urls=mail.url, dashboard_url=receiver.url.partition("/hook")[0])
    deliver(warehouse)
    text, picture = mail.mails[0].get_payload()
    assert picture.get_payload(decode=True) == receiver.picture
    assert picture.get_filename().startswith("signal-2026-")
    words_read = text.get_payload(decode=True).decode().splitlines()
    assert "Attached picture: 38 of 51 fell. Bar chart. Lowest: Sandisk −14.2%." in words_read


@pytest.mark.parametrize("damage", ["no database", "a folder", "no lock"])
def test_a_ledger_that_cannot_be_used_is_one_sentence_and_one_trouble(
    warehouse: FileWarehouse, receiver: Receiver, configure: Configure, tmp_path: Path, damage: str
) -> None:
    configure(webhook_url=receiver.url, webhook_secret=SECRET, cache_dir=str(tmp_path), alert_command="cat")
    place = ledger_place(settings())
    if damage == "a folder":
        place.mkdir()
    else:
        place.write_text("no database " * 99)
    if damage == "no lock":
        place.with_name(f".{place.name}.lock").mkdir()
    with pytest.raises(LedgerError, match=r"^\S+, which holds what was told to whom, cannot be used \("):
        deliver(warehouse)
    assert not receiver.got  # nobody could know that it had been told
    assert [line for line in alerts.tell(warehouse) if "what was told to whom" in line]
    assert alerts.tell(warehouse) == []


def test_a_mail_server_that_refuses_holds_no_webhook_up(
    warehouse: FileWarehouse, mail: MailServer, receiver: Receiver, configure: Configure
) -> None:
    mail.refuses = True
    configure(signal_urls=mail.url, webhook_url=receiver.url, webhook_secret=SECRET)
    assert deliver(warehouse) == len(expected(warehouse))
    assert receiver.ids() == Counter(expected(warehouse))
    assert not mail.mails
    assert {target for _, target, _, _ in Ledger(ledger_place(settings())).unsettled()} == {"service 1"}


def test_what_can_be_told_no_more_is_named_once_more_and_then_let_go(
    warehouse: FileWarehouse,
    receiver: Receiver,
    configure: Configure,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure(webhook_url=receiver.url, webhook_secret=SECRET, cache_dir=str(tmp_path), alert_command="cat")
    left_behind, refused, young = sorted(expected(warehouse))[:3]
    ledger = Ledger(ledger_place(settings()))
    ledger.begin([left_behind], "webhook", NOW)
    ledger.begin([refused], "service 1", NOW)
    ledger.end([refused], "service 1", NOW, "answered 503")
    ledger.begin([young], "webhook", NOW)
    alerts.tell(warehouse)
    with warehouse.writing() as con:
        con.execute(
            "UPDATE signal SET session = ? WHERE signal_id IN (?, ?)",
            [YESTERDAY - timedelta(days=9), left_behind, refused],
        )
    said = []
    for again in (False, False, True, False):
        with pytest.raises(typer.Exit) as ended:
            tell(again=again)
        said.append((ended.value.exit_code, " ".join(capsys.readouterr().err.split())))
    first, second, *rest = said
    assert first[0] == 1
    assert f"webhook: {left_behind} left, not known to have arrived" in first[1]
    assert f"service 1: {refused} waiting (answered 503)" in first[1]
    assert "Nothing sends the first 2 any more" in first[1]
    assert second[0] == 1
    assert (left_behind in second[1], refused in second[1], young in second[1]) == (False, False, True)
    assert rest == [(0, ""), (0, "")]
    assert not [line for line in alerts.tell(warehouse) if left_behind in line]
    with warehouse.writing() as con:
        con.execute("UPDATE signal SET withdrawn_at = now() WHERE signal_id = ?", [left_behind])
    assert deliver(warehouse) == 1  # it may have arrived, so whoever has it is told


TELL = (sys.executable, "-m", "etl", "tell")


@pytest.mark.parametrize("number", range(50 if SOAK else 2))
def test_after_a_kill_at_any_moment_no_signal_is_told_twice_and_none_is_lost(
    warehouse: FileWarehouse,
    receiver: Receiver,
    configure: Configure,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    number: int,
) -> None:
    environment = {
        **os.environ,
        variable("database"): str(warehouse.path),
        variable("webhook_url"): receiver.url,
        variable("webhook_secret"): SECRET,
    }
    receiver.wait = 0.05
    killed = subprocess.Popen(TELL, cwd=PROJECT_ROOT, env=environment, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 30
    while len(receiver.got) <= number % 3 and time.monotonic() < end:
        time.sleep(0.005)
    time.sleep(0.013 * number % 0.06)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    configure(webhook_url=receiver.url, webhook_secret=SECRET)
    configure(alert_command="cat", cache_dir=str(tmp_path / "cache"))
    with pytest.raises(typer.Exit):
        tell(again=False)
    said = " ".join(capsys.readouterr().err.split())
    told = receiver.ids()
    assert max(told.values()) == 1
    unknown = [message_id for message_id, _ in left(ledger_place(settings()))]
    assert len(unknown) <= 1
    assert all(f"webhook: {one} left, not known to have arrived" in said for one in unknown)
    assert expected(warehouse) - set(told) <= set(unknown)
    spoken = [line for line in alerts.tell(warehouse) if "tell --again" in line]
    assert len(spoken) == len(unknown)
    assert deliver(warehouse, again=True) == len(unknown)
    assert set(receiver.ids()) == expected(warehouse)
    assert receiver.ids() - told == Counter(unknown)  # under the identity that it left with
    assert not left(ledger_place(settings()))


@pytest.mark.parametrize("secret", ["hush", "whsec_aHVzaA=="])
def test_a_secret_that_is_no_key_is_refused_without_being_shown(secret: str) -> None:
    told = subprocess.run(
        TELL,
        cwd=PROJECT_ROOT,
        env={**os.environ, variable("webhook_url"): "http://127.0.0.1:9", variable("webhook_secret"): secret},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 3
    assert "24 to 64 random bytes in base64" in told.stderr
    assert secret not in told.stderr
    assert "Traceback" not in told.stderr
