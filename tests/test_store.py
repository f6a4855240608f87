"""The stores pass the contract; the file of the SQLite store survives what happens to files."""

import gc
import multiprocessing
import os
import pickle
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path

import psutil
import pytest
import sqlalchemy

from moopt.errors import StoreError, StudyBusy
from moopt.store import artefacts, open_store
from moopt.store.base import Store, Writer
from moopt.trial import Artefact
from tests.contracts.stores import StoreContract, a_record, a_step, a_trial, ended

FORKS = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
"""Python 3.12 warns of the threads of numerical libraries, which a forked child here does not touch."""


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
from moopt.store import artefacts, open_store
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
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # dead, and a zombie until its parent asks
    assert not open_store(path).is_running("churn")
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


def test_a_process_that_may_not_be_asked_for_keeps_its_lease(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int) -> None:
        raise psutil.AccessDenied(pid)

    writer = open_store(path).write("churn")
    monkeypatch.setattr("psutil.Process", refuse)
    assert open_store(path).is_running("churn")
    writer.close()


def test_a_second_writer_in_the_same_process_is_told_so(path: Path) -> None:
    with (
        open_store(path).write("churn"),
        pytest.raises(StudyBusy, match="is being written by this process; close that study first"),
    ):
        open_store(path).write("churn")


def _compete(path: Path, barrier: Barrier, said: Connection) -> None:
    store = open_store(path)
    barrier.wait(20)
    try:
        store.write("churn")
        said.send("won")
    except StudyBusy as error:
        said.send(str(error))
    barrier.wait(20)


@FORKS
def test_of_several_processes_that_compete_for_a_lease_one_wins(path: Path) -> None:
    forks = multiprocessing.get_context("fork")
    ours, theirs = forks.Pipe(duplex=False)
    barrier = forks.Barrier(4)
    processes = [forks.Process(target=_compete, args=(path, barrier, theirs)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(20)
    said = [ours.recv() for _ in processes]
    assert said.count("won") == 1
    assert sum("study 'churn' is being written by process" in one for one in said) == 3


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


@FORKS
def test_a_forked_process_opens_connections_of_its_own(path: Path) -> None:
    store = open_store(path)
    store.studies()
    child = multiprocessing.get_context("fork").Process(target=_read_in_child, args=(store,))
    child.start()
    child.join(20)
    assert child.exitcode == 0


def _write_in_child(writer: Writer) -> None:
    try:
        writer.start(a_trial(1))
    except StudyBusy as error:
        said = str(error)
    writer.close()
    os._exit(0 if "of which this is a copy" in said else 1)


@FORKS
def test_a_forked_copy_of_a_writer_neither_writes_nor_gives_the_lease_back(path: Path) -> None:
    store = open_store(path)
    with store.write("churn") as writer:
        writer.start(a_trial())
        child = multiprocessing.get_context("fork").Process(target=_write_in_child, args=(writer,))
        child.start()
        child.join(20)
        assert child.exitcode == 0
        assert store.is_running("churn")
        writer.finish(ended(a_trial()))
    assert len(store.trials("churn")) == 1


def test_a_writer_does_not_travel(path: Path) -> None:
    with (
        open_store(path).write("churn") as writer,
        pytest.raises(StoreError, match="cannot be sent to another process; leave the study out of the function"),
    ):
        pickle.dumps(writer)


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
    for read_only in (True, False):
        with pytest.raises(StoreError, match=r"is a database, but not a store of moopt"):
            open_store(tmp_path / "other.db", read_only=read_only)
    assert (tmp_path / "other.db").read_bytes() == before


def test_a_device_is_refused() -> None:
    with pytest.raises(StoreError, match=r"is no file; a store is one file"):
        open_store("/dev/null")


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


def _version_two(connection: sqlalchemy.Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE notes ADD COLUMN author TEXT")


@pytest.fixture
def newer_version(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del path  # made before: by an older moopt
    monkeypatch.setattr("moopt.store.schema.VERSION", 2)
    monkeypatch.setattr("moopt.store.schema.MIGRATIONS", [_version_two])


@pytest.mark.usefixtures("newer_version")
def test_a_store_of_an_older_moopt_is_brought_up_to_date_when_it_is_opened_to_write(path: Path) -> None:
    with pytest.raises(
        StoreError, match=r"made by an older moopt .its tables have version 1, .* open it once to write"
    ):
        open_store(path, read_only=True)
    assert open_store(path, create=False).study() == a_record()
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT value FROM meta WHERE key = 'version'").fetchone() == ("2",)
        assert "author" in [row[1] for row in connection.execute("PRAGMA table_info(notes)")]
    connection.close()
    assert open_store(path, read_only=True).study() == a_record()


def test_a_store_is_not_changed_under_the_older_moopt_that_writes_it(
    path: Path, request: pytest.FixtureRequest
) -> None:
    writer = open_store(path).write("churn")
    request.getfixturevalue("newer_version")
    with pytest.raises(StudyBusy, match="study 'churn' is being written"):
        open_store(path)
    writer.start(a_trial())
    writer.close()


def test_a_migration_that_fails_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def half(connection: sqlalchemy.Connection) -> None:
        _version_two(connection)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("moopt.store.schema.VERSION", 2)
        patch.setattr("moopt.store.schema.MIGRATIONS", [half])
        with pytest.raises(KeyboardInterrupt):
            open_store(path)
    assert open_store(path).study() == a_record()


def test_an_artefact_is_kept_once_and_used_only_while_its_bytes_are_right(path: Path) -> None:
    store = open_store(path)
    with store.write("churn") as writer:
        writer.start(a_trial())
    assert artefacts.find(store, "churn", 0, "skops") is None
    kept = artefacts.keep(store, "churn", 0, "skops", b"a model")
    artefacts.keep(store, "churn", 0, "skops", b"a model")
    assert store.artefacts("churn") == [kept]
    assert artefacts.find(store, "churn", 0, "skops") == b"a model"
    assert artefacts.find(store, "churn", 0, "onnx") is None
    (path.with_name("s.artefacts") / kept.path).write_bytes(b"another")
    assert artefacts.find(store, "churn", 0, "skops") is None
    artefacts.keep(store, "churn", 0, "skops", b"a model")
    assert artefacts.find(open_store(path, read_only=True), "churn", 0, "skops") == b"a model"


def test_a_deleted_study_takes_its_artefacts_with_it_and_no_others(path: Path) -> None:
    store = open_store(path)
    store.create_study(a_record("other"))
    for name, contents in {"churn": [b"own", b"shared"], "other": [b"shared"]}.items():
        with store.write(name) as writer:
            writer.start(a_trial())
        for content in contents:
            artefacts.keep(store, name, 0, "skops", content)
    outside = path.with_name("outside.txt")
    outside.touch()
    store.add_artefact("churn", Artefact(0, "skops", "../outside.txt", "0" * 64, 0))
    store.delete_study("churn")
    assert artefacts.find(store, "other", 0, "skops") == b"shared"
    assert len(list(path.with_name("s.artefacts").iterdir())) == 1
    store.delete_study("other")
    assert not path.with_name("s.artefacts").exists()
    assert outside.exists()


def test_an_artefact_that_cannot_be_written_is_said_in_words(path: Path) -> None:
    store = open_store(path)
    with store.write("churn") as writer:
        writer.start(a_trial())
    path.with_name("s.artefacts").touch()
    with pytest.raises(StoreError, match=r"trial_0_\w+.skops could not be written"):
        artefacts.keep(store, "churn", 0, "skops", b"a model")
    assert store.artefacts("churn") == []
    with pytest.raises(StoreError, match="in memory keeps no files; give the study a store"):
        artefacts.keep(open_store(None), "churn", 0, "skops", b"a model")


def test_an_address_is_refused_in_words() -> None:
    with pytest.raises(StoreError, match=r"this version keeps a store in one file"):
        open_store("postgresql://localhost/moopt")


def test_a_store_that_vanishes_is_missed_in_words(path: Path) -> None:
    store = open_store(path, read_only=True)
    assert store.study() == a_record()
    path.unlink()
    with pytest.raises(StoreError, match=r"s.db is gone; was it moved or deleted"):
        store.studies()


def test_a_writer_misses_its_file_and_does_not_write_into_the_void(path: Path) -> None:
    writer = open_store(path).write("churn")
    writer.start(a_trial())
    path.unlink()
    with pytest.raises(StoreError, match=r"s.db is gone; was it moved or deleted"):
        writer.finish(ended(a_trial()))


def test_a_reader_sees_the_file_that_took_the_place_of_the_one_it_opened(path: Path) -> None:
    store = open_store(path, read_only=True)
    assert store.study() == a_record()
    writer = open_store(path).write("churn")
    path.unlink()
    open_store(path).create_study(a_record("other"))
    assert [record.name for record in store.studies()] == ["other"]
    with pytest.raises(StudyBusy, match="taken over by another process, or deleted; nothing was written"):
        writer.start(a_trial())


def test_many_threads_read_at_once(path: Path) -> None:
    store = open_store(path)
    with ThreadPoolExecutor(16) as threads, store.write("churn") as writer:
        found = [threads.submit(store.study) for _ in range(200)]
        writer.start(a_trial())
        assert all(one.result() == a_record() for one in found)


def test_a_lease_that_could_not_be_given_back_can_be_given_back_later(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moopt.store.engine._BUSY_S", 0.1)
    store = open_store(path)
    writer = store.write("churn")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked by another program"):
        writer.close()
    assert store.is_running("churn")
    other.rollback()
    other.close()
    writer.close()
    assert not store.is_running("churn")


def test_a_store_that_is_forgotten_closes_its_connections(path: Path) -> None:
    store = open_store(path)
    with store.write("churn") as writer:
        writer.start(a_trial())
    log = path.with_name("s.db-wal")
    assert log.exists()
    del store, writer
    gc.collect()
    assert not log.exists()  # the last connection takes it away


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
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=1000000")
        connection.rollback()
    writer.start(a_trial(stored))
    stored += 1
    assert len(store.events("churn")) == stored


def _as_nobody(folder: Path, said: Connection) -> None:
    if os.getuid() == 0:  # root may read and write anywhere
        os.setuid(65534)
    attempts: list[Callable[[], object]] = [
        lambda: open_store(folder / "new.db"),
        lambda: open_store(folder / "s.db", read_only=True).study().name,
        lambda: open_store(folder / "s.db").delete_study("churn"),
        lambda: open_store(folder / "secret.db"),
    ]
    for attempt in attempts:
        try:
            said.send(attempt())
        except StoreError as error:
            said.send(str(error))


@FORKS
def test_what_permission_is_missing_is_said_and_a_store_that_may_only_be_read_is_read() -> None:
    forks = multiprocessing.get_context("fork")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = open_store(folder / "s.db")
        store.create_study(a_record())
        store.close()
        (folder / "s.db").chmod(0o444)
        shutil.copy(folder / "s.db", folder / "secret.db")
        (folder / "secret.db").chmod(0)
        folder.chmod(0o555)
        ours, theirs = forks.Pipe(duplex=False)
        child = forks.Process(target=_as_nobody, args=(folder, theirs))
        child.start()
        child.join(20)
        folder.chmod(0o755)
    assert child.exitcode == 0
    new, read, written, secret = (ours.recv() for _ in range(4))
    assert new == f"no permission to write {folder / 'new.db'}; change its permissions or give another file"
    assert read == "churn"
    assert written == f"no permission to write {folder / 's.db'}; change its permissions or give another file"
    assert secret == f"no permission to read {folder / 'secret.db'}; change its permissions or give another file"


def test_a_disk_that_keeps_no_log_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands in for a network drive: SQLite answers in its own words that it went on without a log."""

    class Without(sqlite3.Connection):
        def execute(self, text: str, *values: object) -> sqlite3.Cursor:
            return super().execute(text.replace("journal_mode=WAL", "journal_mode"), *values)

    connect = sqlite3.connect
    monkeypatch.setattr("sqlite3.connect", lambda *given, **named: connect(*given, factory=Without, **named))
    with pytest.raises(StoreError, match=r"can keep no write-ahead log .a network drive.*give a file on a local disk"):
        open_store(tmp_path / "s.db")


def test_a_store_locked_by_another_program_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moopt.store.engine._BUSY_S", 0.1)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match=r"locked by another program"):
        open_store(path).create_study(a_record("b"))
    other.rollback()
    other.close()
