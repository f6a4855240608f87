"""The stores pass the contract; the file of the SQLite store survives what happens to files."""

import multiprocessing
import os
import pickle
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from moopt.errors import StoreError, StudyBusy
from moopt.store import open_store
from moopt.store.base import Store
from tests.contracts.stores import StoreContract, a_record, a_step, a_trial, ended


class TestMemory(StoreContract):
    def open(self, folder: Path) -> Store:
        del folder  # it leaves nothing behind
        return open_store(None)


class TestSqlite(StoreContract):
    def open(self, folder: Path) -> Store:
        return open_store(folder / "store 100%.db")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    store = open_store(tmp_path / "s.db")
    store.create_study(a_record())
    store.close()
    return tmp_path / "s.db"


def test_commits_are_durable(path: Path) -> None:
    """Write-ahead log and full synchronisation, as SQLite itself says of the connection that writes."""
    store = open_store(path)
    with store._database.writing() as connection:  # type: ignore[attr-defined]
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


WRITE_FOR_EVER = """
import sys
from moopt.store import open_store
from tests.contracts.stores import a_step, a_trial, ended
writer = open_store(sys.argv[1]).write("churn")
for number in range(10**6):
    writer.start(a_trial(number))
    writer.step(number, 0, a_step())
    print("step", number, flush=True)
    writer.finish(ended(a_trial(number)), {1: a_step()})
    print("end", number, flush=True)
"""


def _writing_process(path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITE_FOR_EVER, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    )


def test_what_was_committed_before_a_kill_is_there_and_the_lease_is_free(path: Path) -> None:
    process = _writing_process(path)
    assert process.stdout is not None
    said = [process.stdout.readline().split() for _ in range(31)]
    with pytest.raises(
        StudyBusy, match=rf"written by process {process.pid} on {socket.gethostname()} .last sign of life"
    ):
        open_store(path).write("churn")
    process.send_signal(signal.SIGKILL)
    said += [line.split() for line in process.stdout]
    process.wait()
    process.stdout.close()
    store = open_store(path)
    for what, number in said:
        trial = store.trial("churn", int(number))
        assert len(trial.steps) >= (2 if what == "end" else 1)
        assert trial.state == ("complete" if len(trial.steps) == 2 else "running")
    assert not store.is_running("churn")
    store.write("churn").close()


def test_a_lease_on_another_machine_is_lost_after_a_minute_without_sign_of_life(path: Path) -> None:
    writer = open_store(path).write("churn")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE studies SET lease_host = 'elsewhere'")
    connection.close()
    store = open_store(path)
    with pytest.raises(StudyBusy, match=r"on elsewhere"):
        store.write("churn")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE studies SET lease_beat_at = ?", [time.time() - 61])
    connection.close()
    with store.write("churn"), pytest.raises(StudyBusy, match=r"taken over by another process"):
        writer.start(a_trial())
    assert store.trials("churn") == []


def test_a_reused_process_number_does_not_hold_a_lease(path: Path) -> None:
    open_store(path).write("churn")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE studies SET lease_process_started = ?", [psutil.boot_time() - 10])
    connection.close()
    assert not open_store(path).is_running("churn")


def test_a_running_study_can_be_read(path: Path) -> None:
    reader = open_store(path, read_only=True)
    with open_store(path).write("churn") as writer:
        for number in range(5):
            writer.start(a_trial(number))
            assert len(reader.trials("churn")) == number + 1
            writer.finish(ended(a_trial(number)), {0: a_step()})
        assert reader.is_running("churn")
    assert not reader.is_running("churn")


def test_a_reader_may_write_a_note_and_nothing_else(path: Path) -> None:
    with open_store(path).write("churn") as writer:
        writer.start(a_trial())
        reader = open_store(path, read_only=True)
        reader.add_note("churn", 0, "from a reader")
    assert open_store(path).trial("churn", 0).notes == ("from a reader",)


def test_a_store_travels_by_its_path(path: Path) -> None:
    copy = pickle.loads(pickle.dumps(open_store(path)))
    assert copy.study() == a_record()


def _read_in_child(store: Store) -> None:
    os._exit(0 if store.study() == a_record() else 1)


def test_a_forked_process_opens_connections_of_its_own(path: Path) -> None:
    store = open_store(path)
    store.studies()
    child = multiprocessing.get_context("fork").Process(target=_read_in_child, args=(store,))
    child.start()
    child.join(20)
    assert child.exitcode == 0


@pytest.mark.parametrize("read_only", [True, False])
def test_a_missing_store_is_not_made_by_reading(tmp_path: Path, read_only: bool) -> None:
    with pytest.raises(StoreError, match=r"there is no store at .*s.db; check the path"):
        open_store(tmp_path / "s.db", read_only=read_only, create=False)
    assert not (tmp_path / "s.db").exists()


def test_a_missing_folder_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"there is no folder .*nowhere for the store s.db"):
        open_store(tmp_path / "nowhere" / "s.db")
    with pytest.raises(StoreError, match=r"is a folder; a store is one file"):
        open_store(tmp_path)


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("these are my notes, not a database")
    with pytest.raises(StoreError, match=r"is not a store of moopt .no SQLite database"):
        open_store(file)
    assert file.read_text().startswith("these are my notes")


def test_another_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.db") as connection:
        connection.execute("CREATE TABLE meta (key, value)")
    connection.close()
    before = (tmp_path / "other.db").read_bytes()
    with pytest.raises(StoreError, match=r"is a database, but not a store of moopt"):
        open_store(tmp_path / "other.db")
    with sqlite3.connect(tmp_path / "other.db") as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("meta",)]
    connection.close()
    assert len(before) == (tmp_path / "other.db").stat().st_size


def test_a_damaged_store_is_refused(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[100:] = bytes(len(content) - 100)
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"s.db"):
        open_store(path).studies()


def test_an_empty_file_becomes_a_store_but_is_none_to_read(tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    with pytest.raises(StoreError, match=r"is not a store of moopt"):
        open_store(tmp_path / "empty.db", read_only=True)
    open_store(tmp_path / "empty.db").create_study(a_record())


def test_a_store_of_a_newer_moopt_is_refused(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE key = 'version'")
    connection.close()
    with pytest.raises(StoreError, match=r"made by a newer moopt .its tables have version 99.* upgrade moopt"):
        open_store(path)


def test_an_address_is_refused_in_words() -> None:
    with pytest.raises(StoreError, match=r"this version keeps a store in one file"):
        open_store("postgresql://localhost/moopt")


def test_a_store_that_vanishes_is_missed_in_words(path: Path) -> None:
    store = open_store(path, read_only=True)
    assert store.study() == a_record()
    path.unlink()
    with pytest.raises(StoreError, match=r"s.db is gone; was it moved or deleted"):
        store.studies()


def test_a_full_disk_loses_nothing_that_was_stored(path: Path) -> None:
    store = open_store(path)
    writer = store.write("churn")
    writer.start(a_trial())
    engine = store._database._engine("rw")  # type: ignore[attr-defined]
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 1}")
        connection.rollback()

    def fill() -> None:
        for number in range(1, 1000):
            writer.start(a_trial(number))

    with pytest.raises(StoreError, match=r"the disk is full: .* what was stored is safe"):
        fill()
    stored = len(open_store(path).trials("churn"))
    assert 1 <= stored < 1000
    assert len(store.events("churn")) == stored


OPEN_AS_NOBODY = """
import os, sys
from moopt.errors import StoreError
from moopt.store import open_store
folder = sys.argv[1]
open_store(os.path.join(folder, "warm.db")).close()  # what is imported when needed is imported now
os.chmod(folder, 0o555)
if os.getuid() == 0:  # root may write anywhere
    os.setuid(65534)
try:
    open_store(os.path.join(folder, "s.db"))
except StoreError as error:
    print(error)
"""


def test_a_folder_without_permission_to_write_is_named() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        said = subprocess.run(
            [sys.executable, "-c", OPEN_AS_NOBODY, folder],
            capture_output=True,
            text=True,
            cwd=Path(__file__).parents[1],
        )
        Path(folder).chmod(0o755)
    assert "no permission to write" in said.stdout, said.stderr


def test_a_store_locked_by_another_program_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moopt.store.engine._BUSY_S", 0.1)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match=r"locked by another program"):
        open_store(path).create_study(a_record("b"))
    other.rollback()
    other.close()
