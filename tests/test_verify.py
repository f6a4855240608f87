"""An export that moved still is what it claims, and one that was changed anywhere does not pass."""

import json
import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sklearn.base import BaseEstimator
from typer.testing import CliRunner

from moopt.cli import app
from moopt.errors import ExportError, MissingExtra, UsageError
from moopt.export import export_trial
from moopt.measure.size import model_bytes
from moopt.shipped.manifest import read_manifest, sealed
from moopt.store import open_store
from moopt.verify import Report, Verdict, verify
from tests.exports import OBJECTIVES, a_complete, a_record, ill_study, keep, write_ill


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The export of a forest with its sample; not to be written to."""
    folder = tmp_path_factory.mktemp("exported")
    export_trial(ill_study(write_ill(folder / "ill.csv")), "ill", 0, folder / "best")
    (folder / "ill.csv").unlink()
    # However busy the machine is that runs the tests, it keeps a claim of a second a call.
    reseal(folder / "best", claims__json=claims_of(folder / "best", latency_ms={"latency_ms": 1000.0}))
    return folder / "best"


@pytest.fixture
def best(exported: Path, tmp_path: Path) -> Path:
    """A copy of it in another place."""
    return Path(shutil.copytree(exported, tmp_path / "moved"))


def failing(report: Report) -> list[str]:
    assert report.holds == all(line.verdict is not Verdict.FAILS for line in report.lines)
    return [line.what for line in report.lines if line.verdict is Verdict.FAILS]


def line(report: Report, what: str) -> tuple[str, str, Verdict]:
    (found,) = (one for one in report.lines if one.what == what)
    return found.claim, found.found, found.verdict


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def reseal(folder: Path, **changed: bytes) -> None:
    """Write files of an export and a manifest that fits them, as a forger would."""
    for name, content in changed.items():
        (folder / name.replace("__", ".")).write_bytes(content)
    about = json.loads((folder / "manifest.json").read_text())
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "manifest.json"}
    kept = {key: value for key, value in about.items() if key not in ("files", "digest")}
    (folder / "manifest.json").write_bytes(sealed(kept, files))


def claims_of(best: Path, **changes: Any) -> bytes:
    return json.dumps({**json.loads((best / "claims.json").read_text()), **changes}).encode()


def zipped(folder: Path, place: Path, prefix: str = "") -> Path:
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in folder.iterdir():
            archive.write(path, f"{prefix}{path.name}")
    return place


# What holds


def test_an_export_that_moved_holds_line_by_line(best: Path) -> None:
    report = verify(best)
    assert failing(report) == []
    assert line(report, "files") == ("13, by SHA-256", "13, unchanged", Verdict.HOLDS)
    assert line(report, "predictions") == ("40 labels", "40 of 40 are the same", Verdict.HOLDS)
    assert line(report, "probabilities")[1:] == ("differ by 0 at most", Verdict.HOLDS)
    assert line(report, "size_kb")[2] is Verdict.HOLDS
    assert "this machine takes" in line(report, "latency_ms")[0]
    assert (report.about["study"], report.about["number"]) == ("ill", 0)


@pytest.mark.parametrize("prefix", ["", "best/"], ids=["of the files", "of the folder"])
def test_a_zip_holds_as_its_folder_does(best: Path, tmp_path: Path, prefix: str) -> None:
    assert failing(verify(zipped(best, tmp_path / "best.zip", prefix))) == []


def test_an_export_without_a_model_is_checked_as_far_as_it_goes(tmp_path: Path) -> None:
    store = open_store(None)
    store.create_study(a_record())
    values = {one.name: 1.0 for one in OBJECTIVES}
    keep(store, "plain", a_complete(0, {"depth": 1}, values))
    export_trial(store, "plain", 0, tmp_path / "best")
    report = verify(tmp_path / "best")
    assert report.holds
    assert "Python function" in line(report, "the model")[1]


def test_without_a_sample_predictions_and_latency_are_not_checked(tmp_path: Path) -> None:
    export = export_trial(ill_study(write_ill(tmp_path / "ill.csv")), "ill", 1, tmp_path / "best", with_sample=False)
    assert not {"sample.csv", "sample_predictions.csv"} & set(export.files)
    assert "sample.csv" not in export.files["MODEL_CARD.md"].decode()
    report = verify(tmp_path / "best")
    assert report.holds
    assert line(report, "predictions")[2] is line(report, "latency_ms")[2] is Verdict.UNCHECKED


# What was changed on the way


def test_one_flipped_byte_in_any_file_is_found_and_the_file_named(best: Path) -> None:
    for path in sorted(best.iterdir()):
        content = path.read_bytes()
        for place in (0, len(content) // 2, len(content) - 1):
            path.write_bytes(flipped(content, place))
            assert failing(verify(best)) == [path.name], (path.name, place)
        path.write_bytes(content)
    assert verify(best).holds


def test_no_byte_of_the_manifest_can_be_flipped_unseen(best: Path) -> None:
    content = (best / "manifest.json").read_bytes()
    assert read_manifest(content)["study"] == "ill"
    for place in range(len(content)):
        with pytest.raises(ValueError, match=r"it is|digest"):
            read_manifest(flipped(content, place))


def test_a_manifest_in_another_form_is_not_the_manifest(best: Path) -> None:
    path = best / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()), indent=1))
    assert line(verify(best), "manifest.json")[1] == "it is not in canonical form"


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b'{"files": 1}', b"[" * 100_000])
def test_what_is_no_manifest_is_told(best: Path, content: bytes) -> None:
    (best / "manifest.json").write_bytes(content)
    assert failing(verify(best)) == ["manifest.json"]


def test_a_file_that_was_added_is_named(best: Path) -> None:
    (best / "notes.txt").write_text("mine")
    assert line(verify(best), "notes.txt") == ("no such file", "4 bytes, SHA-256 3fd30542fe3f", Verdict.FAILS)


def test_a_folder_that_was_added_is_named(best: Path) -> None:
    (best / "__pycache__").mkdir()
    assert line(verify(best), "__pycache__")[1:] == ("a folder", Verdict.FAILS)


def test_a_file_that_is_missing_is_named(best: Path) -> None:
    for path in sorted(best.iterdir()):
        content = path.read_bytes()
        path.unlink()
        assert failing(verify(best)) == [path.name]
        path.write_bytes(content)


def test_a_half_copied_folder_names_what_is_cut_and_what_is_missing(best: Path) -> None:
    model = best / "model.skops"
    model.write_bytes(model.read_bytes()[:100])
    (best / "sample.csv").unlink()
    report = verify(best)
    assert failing(report) == ["model.skops", "sample.csv"]
    assert line(report, "the model")[1:] == ("files differ", Verdict.UNCHECKED)


def test_a_folder_without_a_manifest_lists_what_nobody_vouches_for(tmp_path: Path) -> None:
    (tmp_path / "model.skops").write_bytes(b"")
    report = verify(tmp_path)
    assert failing(report) == ["manifest.json"]
    assert line(report, "model.skops")[1] == "no manifest names it"


def test_a_truncated_zip_is_told(best: Path, tmp_path: Path) -> None:
    whole = zipped(best, tmp_path / "best.zip").read_bytes()
    for share in (0.0, 0.3, 0.6, 0.99):
        (tmp_path / "cut.zip").write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(ExportError, match=r"cut\.zip is no whole zip file"):
            verify(tmp_path / "cut.zip")


def test_no_flipped_byte_of_a_zip_changes_a_file_unseen(best: Path, tmp_path: Path) -> None:
    whole = zipped(best, tmp_path / "best.zip").read_bytes()
    place = tmp_path / "flipped.zip"
    found = 0
    for position in range(0, len(whole), 211):
        place.write_bytes(flipped(whole, position))
        try:
            report = verify(place)
        except ExportError:
            found += 1
            continue
        found += not report.holds
        if report.holds:  # the flip is in what a zip says of dates and rights, and no file is another
            with zipfile.ZipFile(place) as archive:
                assert all(archive.read(path.name) == path.read_bytes() for path in best.iterdir())
    assert found > 30


def test_a_zip_with_a_file_twice_does_not_hold(best: Path, tmp_path: Path) -> None:
    place = zipped(best, tmp_path / "best.zip")
    with zipfile.ZipFile(place, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.write(best / "WHY.md", "WHY.md")
    assert line(verify(place), "WHY.md")[1:] == ("is in the zip twice", Verdict.FAILS)


# Claims that are false, in an export whose files fit its manifest


def test_a_latency_that_is_not_reached_does_not_hold(best: Path) -> None:
    reseal(best, claims__json=claims_of(best, latency_ms={"latency_ms": 0.001}))
    assert failing(verify(best)) == ["latency_ms"]


def test_a_latency_is_scaled_by_the_calibration_of_both_machines(best: Path) -> None:
    """A microsecond is what a machine that is a million times as quick may claim."""
    calibration = json.loads((best / "claims.json").read_text())["calibration_ms"]
    quicker = claims_of(best, latency_ms={"latency_ms": 0.001}, calibration_ms=calibration / 1e6)
    reseal(best, claims__json=quicker)
    assert failing(verify(best)) == []


def test_a_size_that_is_another_does_not_hold(best: Path) -> None:
    reseal(best, claims__json=claims_of(best, size_kb=1.0))
    assert failing(verify(best)) == ["size_kb"]


def test_predictions_that_are_others_do_not_hold(best: Path) -> None:
    header, first, *rest = (best / "sample_predictions.csv").read_text().splitlines()
    label, *probabilities = first.split(",")
    other = ",".join([{"no": "yes", "yes": "no"}[label], *probabilities])
    reseal(best, sample_predictions__csv="\n".join([header, other, *rest]).encode())
    report = verify(best)
    assert failing(report) == ["predictions"]
    assert line(report, "predictions")[1] == "39 of 40 are the same"


def test_probabilities_that_are_others_do_not_hold(best: Path) -> None:
    header, first, *rest = (best / "sample_predictions.csv").read_text().splitlines()
    other = ",".join([first.split(",")[0], "0.123", "0.877"])
    reseal(best, sample_predictions__csv="\n".join([header, other, *rest]).encode())
    assert failing(verify(best)) == ["probabilities"]


def test_other_versions_are_told_and_break_no_claim(best: Path) -> None:
    versions = {**json.loads((best / "claims.json").read_text())["versions"], "numpy": "1.0"}
    reseal(best, claims__json=claims_of(best, versions=versions))
    report = verify(best)
    assert report.holds
    assert (line(report, "numpy")[0], line(report, "numpy")[2]) == ("1.0", Verdict.DIFFERS)


class Foreign(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """On nobody's list."""


@pytest.mark.parametrize("content", [b"no model", model_bytes(Foreign())], ids=["garbage", "a foreign type"])
def test_a_model_that_must_not_be_loaded_does_not_hold(best: Path, content: bytes) -> None:
    reseal(best, model__skops=content)
    assert failing(verify(best)) == ["model.skops"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("claims.json", b"{}"),
        ("claims.json", b"["),
        ("claims.json", b"1"),
        ("input.json", b'{"a": 1}'),
        ("sample.csv", b"a,b\n1,2\n"),
    ],
)
def test_files_that_do_not_fit_together_are_an_error(best: Path, name: str, content: bytes) -> None:
    reseal(best, **{name.replace(".", "__"): content})
    with pytest.raises(ExportError, match="do not fit together"):
        verify(best)


@pytest.mark.parametrize("claim", [{"batches": {}}, {"calibration_ms": 0}, {"latency_ms": 3}])
def test_claims_that_cannot_be_are_an_error(best: Path, claim: dict[str, Any]) -> None:
    reseal(best, claims__json=claims_of(best, **claim))
    with pytest.raises(ExportError, match="do not fit together"):
        verify(best)


def test_a_missing_runtime_is_told_with_what_to_install(best: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "skops.io", None)
    with pytest.raises(MissingExtra, match=r"model\.skops does not load here.*\nDo: pip install numpy==.* skops=="):
        verify(best)


# The command


@pytest.fixture
def moopt_() -> Callable[..., Any]:
    return lambda *given: CliRunner().invoke(app, ["verify", *map(str, given)], prog_name="moopt")


def test_the_command_prints_claim_beside_finding(moopt_: Callable[..., Any], best: Path) -> None:
    ended = moopt_(best)
    assert ended.exit_code == 0, ended.stdout
    assert "40 of 40 are the same" in ended.stdout
    assert ended.stdout.rstrip().endswith("moved (trial 0 of ill) holds.")


def test_the_command_as_json_ends_with_1_where_a_claim_does_not_hold(moopt_: Callable[..., Any], best: Path) -> None:
    (best / "WHY.md").write_text("because")
    ended = moopt_(best, "--json")
    assert ended.exit_code == 1
    told = json.loads(ended.stdout)
    assert (told["holds"], told["number"]) == (False, 0)
    assert told["lines"][0]["what"] == "WHY.md"


def test_where_there_is_no_export_the_command_ends_with_2(moopt_: Callable[..., Any], tmp_path: Path) -> None:
    ended = moopt_(tmp_path / "nowhere")
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "there is no export" in ended.stderr
    with pytest.raises(UsageError, match="give the folder or the zip of one"):
        verify(tmp_path / "nowhere")
