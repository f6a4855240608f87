"""The program that ships with a model: it reads rows as the study did, and needs nothing of moopt."""

import ast
import inspect
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from moopt.data import Data, DataSpec, read_data
from moopt.errors import ConversionFailed, ExportError
from moopt.export import export_trial, make_export
from moopt.export.sample import input_of, sample_rows
from moopt.measure.size import model_bytes
from moopt.models.presets import FAMILIES, default_configs
from moopt.refit import fit
from moopt.shipped import predict
from moopt.shipped.predict import Input, as_csv, load_model, predictions, read_predictions, read_rows
from moopt.store import open_store
from moopt.verify import Verdict, verify
from tests.exports import a_complete, a_config, a_pipeline_record, ill_study, keep, module_of, write_ill

TWO = Input(["a", "b"], ["b"], ["no", "yes"])


def same(columns: Mapping[str, object], X: pd.DataFrame) -> None:
    assert list(columns) == list(X.columns)
    for name, values in columns.items():
        if isinstance(X[name].iloc[0], str):
            assert values == X[name].tolist(), name
        else:
            np.testing.assert_allclose(np.asarray(values, dtype=float), X[name], rtol=1e-15, err_msg=name)


@pytest.fixture
def odd(tmp_path: Path) -> DataSpec:
    """A file with a semicolon, a decimal comma, Latin letters, dates, flags, gaps and marks of its own."""
    rng = np.random.default_rng(1)
    lines = ["größe;since;flag;kind;y"]
    for row in range(60):
        size = ["", "?", f"{rng.normal():.4f}".replace(".", ",")][min(row % 9, 2)]
        lines.append(
            f"{size};2024-{row % 12 + 1:02d}-03;{row % 3 == 0};{['süß', 'sauer', 'NA', ' '][row % 4]};{row % 2}"
        )
    (tmp_path / "odd.csv").write_text("\n".join(lines), encoding="latin-1")
    return DataSpec(str(tmp_path / "odd.csv"), "y", separator=";", decimal=",", encoding="latin-1", missing=("?",))


def read(spec: DataSpec) -> tuple[Data, Input]:
    """A file as a study reads it, and what input.json says of its rows."""
    record = a_pipeline_record(Path(spec.file), **vars(spec))
    data = read_data(spec)
    return data, input_of(record, fit(record, default_configs(["tree"], data.columns)[0]).model)


def test_a_file_is_read_as_the_study_read_it(odd: DataSpec) -> None:
    data, given = read(odd)
    assert (given.texts, given.classes) == (["kind"], ["0", "1"])
    same(read_rows(Path(odd.file).read_bytes(), given), data.X)


def test_the_sample_is_rows_of_the_test_split_written_like_the_file(odd: DataSpec) -> None:
    data, given = read(odd)
    content = sample_rows(data, given)
    assert content.decode("latin-1").startswith("größe;since;flag;kind\n")
    same(read_rows(content, given), data.X.iloc[data.split().test])


def test_a_sample_has_at_most_50_rows_evenly_spread(tmp_path: Path) -> None:
    data, given = read(DataSpec(str(write_ill(tmp_path / "ill.csv")), "ill", test_share=0))
    rows = read_rows(sample_rows(data, given), given)
    assert len(rows["size"]) == 50
    assert rows["weight"][0] == data.X["weight"].iloc[0]
    assert rows["weight"][-1] == data.X["weight"].iloc[-1]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_of_every_family_predicts_its_sample_as_it_does_in_memory(family: str, tmp_path: Path) -> None:
    record = a_pipeline_record(write_ill(tmp_path / "ill.csv"))
    fitted = fit(record, a_config(family))
    given = input_of(record, fitted.model)
    rows = read_rows(sample_rows(fitted.data, given), given)
    found = predictions(load_model("model.skops", model_bytes(fitted.model)), rows)
    X = fitted.data.X.iloc[fitted.data.split().test]
    assert found.labels == fitted.model.predict(X).tolist()
    if hasattr(fitted.model, "predict_proba"):
        np.testing.assert_array_equal(found.probabilities, fitted.model.predict_proba(X))
    assert read_predictions(as_csv(found, given.classes)) == found


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "the rows have no column a, b"),
        ("a,c\n1,2\n", "the rows have no column b; their header names a, c"),
        ("a,b\n", "there are no rows below the header"),
        ("a,b\n1,x\n1\n", "line 3 has 1 cells, the header 2"),
        ("a,b\n1,x\none,y\n", "column a is a number, but row 2 below the header has 'one'"),
    ],
)
def test_rows_that_cannot_be_are_told(content: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        read_rows(content.encode(), TWO)


def test_cells_mean_what_they_mean_in_a_study() -> None:
    rows = read_rows("b,other,a\nx,9,1\n NA ,9,inf\nNA,9,1970-01-02 12:00\n,9,True\n".encode("utf-8-sig"), TWO)
    assert rows["b"] == ["x", " NA ", "", ""]
    np.testing.assert_array_equal(np.array(rows["a"], dtype=float), [1, np.nan, 1.5, 1])


def test_input_that_says_something_else_is_told() -> None:
    with pytest.raises(ValueError, match="does not say what the rows look like"):
        Input.from_json(b'{"columns": []}')


def test_a_model_without_probabilities_writes_labels_alone() -> None:
    written = as_csv(predict.Predictions(["a", "b,c"], None), ["a", "b,c"])
    assert written == b'prediction\na\n"b,c"\n'
    assert read_predictions(written) == predict.Predictions(["a", "b,c"], None)


def test_the_program_imports_the_standard_library_and_its_runtimes_only() -> None:
    tree = ast.parse(inspect.getsource(predict))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    others = {name.split(".")[0] for name in names} - sys.stdlib_module_names
    assert others == {"numpy", "pandas", "skops", "onnxruntime"}


def test_the_exported_program_runs_alone_and_repeats_the_stored_predictions(tmp_path: Path) -> None:
    export_trial(ill_study(write_ill(tmp_path / "ill.csv")), "ill", 0, tmp_path / "best")
    folder = tmp_path / "best"
    ended = subprocess.run(
        [sys.executable, "-I", folder / "predict.py", folder / "sample.csv"], capture_output=True, check=True
    )
    assert ended.stdout == (folder / "sample_predictions.csv").read_bytes()
    program = module_of(folder / "predict.py")
    assert "no column size" in str(program.main([str(folder / "front.csv")]))
    assert "No such file" in str(program.main(["gone.csv"]))
    assert (program.main([]), program.main(["--help"])) == (2, 0)


# ONNX


@pytest.fixture(scope="module")
def onnx(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The export of a forest whose backend is ONNX Runtime."""
    pytest.importorskip("skl2onnx", reason="wants the extra onnx")
    folder = tmp_path_factory.mktemp("onnx")
    store = ill_study(write_ill(folder / "ill.csv"))
    values = {"accuracy": 0.9, "recall": 0.8, "latency_ms": 0.01, "size_kb": 30.0}
    keep(store, "ill", a_complete(2, {**a_config("forest"), "backend": "onnxruntime"}, values))
    export_trial(store, "ill", 2, folder / "fast")
    export_trial(store, "ill", 0, folder / "plain")
    return folder


def test_a_trial_on_onnx_runtime_ships_as_onnx(onnx: Path) -> None:
    names = {path.name for path in (onnx / "fast").iterdir()}
    assert names ^ {path.name for path in (onnx / "plain").iterdir()} == {"model.onnx", "model.skops"}
    needed = [line.split("==")[0] for line in (onnx / "fast" / "requirements.txt").read_text().splitlines()]
    assert needed == ["numpy", "onnxruntime"]
    assert "`model.onnx` is the pipeline of `pipeline.py`" in (onnx / "fast" / "MODEL_CARD.md").read_text()


def test_the_onnx_export_predicts_like_that_of_scikit_learn(onnx: Path) -> None:
    fast, plain = (
        read_predictions((onnx / which / "sample_predictions.csv").read_bytes()) for which in ("fast", "plain")
    )
    assert fast.labels == plain.labels
    assert fast.probabilities is not None
    np.testing.assert_allclose(fast.probabilities, plain.probabilities, atol=1e-5)


def test_a_model_that_cannot_be_converted_is_an_export_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: object) -> bytes:
        raise ConversionFailed("no counterpart")

    monkeypatch.setattr("moopt.export.build.convert_once", refuses)
    store = ill_study(write_ill(tmp_path / "ill.csv"))
    values = {"accuracy": 0.9, "recall": 0.8, "latency_ms": 0.01, "size_kb": 30.0}
    keep(store, "ill", a_complete(2, {**a_config("tree"), "backend": "onnxruntime"}, values))
    with pytest.raises(ExportError, match="cannot be exported for onnxruntime: no counterpart"):
        make_export(store, "ill", 2)


def test_the_onnx_export_holds(onnx: Path) -> None:
    report = verify(onnx / "fast")
    assert [one.what for one in report.lines if one.verdict is Verdict.FAILS] in ([], ["latency_ms"])


def test_the_onnx_export_predicts_where_there_is_no_scikit_learn(onnx: Path) -> None:
    program = onnx / "fast" / "predict.py"
    without = (
        "import runpy, sys; sys.modules.update(dict.fromkeys(['sklearn', 'skops', 'pandas', 'scipy', 'moopt'])); "
        f"sys.argv = [{str(program)!r}, {str(program.with_name('sample.csv'))!r}]; "
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    ended = subprocess.run([sys.executable, "-I", "-c", without], capture_output=True, check=True)
    assert ended.stdout == program.with_name("sample_predictions.csv").read_bytes()


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_ships_as_onnx_and_predicts_its_sample(family: str, tmp_path: Path) -> None:
    pytest.importorskip("skl2onnx", reason="wants the extra onnx")
    store = open_store(None)
    store.create_study(a_pipeline_record(write_ill(tmp_path / "ill.csv")))
    values = {"accuracy": 0.9, "recall": 0.8, "latency_ms": 0.01, "size_kb": 30.0}
    keep(store, "ill", a_complete(0, {**a_config(family), "backend": "onnxruntime"}, values))
    found = read_predictions(make_export(store, "ill", 0).files["sample_predictions.csv"])
    fitted = fit(store.study("ill"), a_config(family))
    X = fitted.data.X.iloc[fitted.data.split().test]
    assert found.labels == fitted.model.predict(X).tolist()
    assert (found.probabilities is not None) == hasattr(fitted.model, "predict_proba")
