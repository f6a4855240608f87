"""Reading, checking and splitting data files."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from moopt.data import Data, DataSpec, read_data, sha256_of
from moopt.errors import DataError


def written(folder: Path, text: str, encoding: str = "utf-8", name: str = "table.csv") -> str:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return str(path)


def table(n: int = 60, **more: list[object]) -> pd.DataFrame:
    """Two good columns and a target of two classes, one third of them yes."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "age": rng.normal(40, 10, n).round(1),
            "plan": rng.choice(["basic", "plus"], n),
            **more,
            "left": np.resize(["no", "no", "yes"], n),
        }
    )


def read(folder: Path, frame: pd.DataFrame, target: str = "left", **spec: Any) -> Data:
    return read_data(DataSpec(written(folder, frame.to_csv(index=False)), target, **spec))


# What is read


def test_numbers_are_floats_and_texts_are_objects(tmp_path):
    data = read(tmp_path, table())
    assert data.columns.numeric == ("age",)
    assert data.columns.text == ("plan",)
    assert [dtype.kind for dtype in data.X.dtypes] == ["f", "O"]
    assert data.classes == ("no", "yes")
    assert data.dropped == {}
    assert data.sha256 == sha256_of(data.spec.file)


def test_missing_cells_are_nan_in_numbers_and_empty_in_texts(tmp_path):
    frame = table()
    frame.loc[3, "age"] = np.nan
    frame.loc[4, "plan"] = None
    frame.loc[5, "plan"] = "  "
    data = read(tmp_path, frame)
    assert np.flatnonzero(data.X["age"].isna()).tolist() == [3]
    assert np.flatnonzero(data.X["plan"] == "").tolist() == [4, 5]
    assert data.columns.numeric_gaps
    assert data.columns.text_gaps


def test_missing_marks_add_to_those_of_pandas(tmp_path):
    frame = table().astype({"age": object})
    frame.loc[0, "age"], frame.loc[1, "age"], frame.loc[2, "plan"] = "?", "NA", "?"
    data = read(tmp_path, frame, missing=["?"])
    assert data.columns.numeric == ("age",)
    assert data.X["age"].isna().sum() == 2
    assert (data.X["plan"] == "").sum() == 1


def test_a_mark_among_numbers_is_pointed_out(tmp_path):
    frame = table().astype({"age": object})
    frame.loc[0, "age"] = "?"
    assert any("'age' is text because of '?' among its numbers" in text for text in read(tmp_path, frame).warnings)


def test_flags_are_zero_and_one_also_with_gaps(tmp_path):
    data = read(tmp_path, table(flag=[True, False] * 30, gappy=[True, False, None] * 20))
    assert set(data.X["flag"]) == {0.0, 1.0}
    assert data.columns.numeric == ("age", "flag", "gappy")
    assert data.X["gappy"].isna().sum() == 20


def test_dates_are_days_and_the_user_is_told(tmp_path):
    days = [f"2024-0{month}-{day:02}" for month in (1, 2) for day in (1, 2, 3, 4, 5)] * 6
    data = read(tmp_path, table(since=days))
    assert data.X["since"].iloc[1] - data.X["since"].iloc[0] == 1.0
    assert data.X["since"].iloc[0] == (pd.Timestamp("2024-01-01") - pd.Timestamp(0)).days
    assert any("'since' holds dates" in text for text in data.warnings)


def test_infinite_values_count_as_missing_and_the_user_is_told(tmp_path):
    frame = table()
    frame.loc[2, "age"] = np.inf
    data = read(tmp_path, frame)
    assert np.isnan(data.X["age"].iloc[2])
    assert any("1 infinite values" in text for text in data.warnings)


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path):
    file = written(tmp_path, table().to_csv(index=False), encoding="utf-8-sig")
    assert read_data(DataSpec(file, "left")).columns.numeric == ("age",)


def test_quoted_line_breaks_are_no_rows(tmp_path):
    text = "note,age,left\n" + '"a\nb, ""c""",1,yes\nplain,2,no\n' * 15
    data = read_data(DataSpec(written(tmp_path, text), "left"))
    assert len(data.X) == 30
    assert set(data.X["note"]) == {'a\nb, "c"', "plain"}


def test_another_separator_decimal_mark_and_encoding(tmp_path):
    text = "größe;art;weg\n" + "1,5;süß;1\n2,25;sauer;0\n" * 20
    spec = DataSpec(written(tmp_path, text, "latin-1"), "weg", separator=";", decimal=",", encoding="latin-1")
    data = read_data(spec)
    assert set(data.X["größe"]) == {1.5, 2.25}
    assert set(data.X["art"]) == {"süß", "sauer"}


def test_parquet_gives_what_csv_gives(tmp_path):
    frame = table(flag=[True, False] * 30)
    frame["plan"] = frame["plan"].astype("category")
    frame["since"] = pd.to_datetime("2024-01-01") + pd.to_timedelta(np.arange(60) % 7, unit="D")
    frame.to_parquet(tmp_path / "table.parquet")
    parquet = read_data(DataSpec(str(tmp_path / "table.parquet"), "left"))
    csv = read(tmp_path, frame)
    pd.testing.assert_frame_equal(parquet.X, csv.X)
    assert parquet.columns == csv.columns
    assert parquet.y.tolist() == csv.y.tolist()


def test_lists_in_parquet_are_texts(tmp_path):
    table(tags=[["a", "b"], ["c"], None] * 20).to_parquet(tmp_path / "table.parquet")
    data = read_data(DataSpec(str(tmp_path / "table.parquet"), "left"))
    assert data.X["tags"].nunique() == 3


def test_missing_marks_count_in_parquet_too(tmp_path):
    frame = table(job=["?", "cook", "driver"] * 20)
    frame.to_parquet(tmp_path / "table.parquet")
    data = read_data(DataSpec(str(tmp_path / "table.parquet"), "left", missing=("?",)))
    assert (data.X["job"] == "").sum() == 20


def test_columns_survive_json(tmp_path):
    columns = read(tmp_path, table()).columns
    assert type(columns).from_json(columns.as_json()) == columns


def test_a_spec_survives_json():
    spec = DataSpec("a.csv", "left", drop=("x",), missing=("?",), seed=3)
    assert DataSpec(**spec.as_json()) == spec


# Target, classes and the positive label


@pytest.mark.parametrize(
    ("labels", "kind", "classes"),
    [([0, 1, 1], "i", (0, 1)), ([0.0, 1.0, 1.0], "i", (0, 1)), ([True, False, False], "b", (False, True))],
)
def test_labels_keep_their_type(tmp_path, labels, kind, classes):
    data = read(tmp_path, table().assign(left=np.resize(labels, 60)))
    assert data.y.dtype.kind == kind
    assert data.classes == classes


def test_the_rarer_class_is_positive_where_none_is_named(tmp_path):
    data = read(tmp_path, table())
    assert data.positive == "yes"
    assert any("about 'yes', the rarer class" in text for text in data.warnings)


@pytest.mark.parametrize("given", [1, "1"])
def test_a_positive_label_matches_by_its_text(tmp_path, given):
    frame = table().assign(left=np.resize([1, 1, 0], 60))
    assert read(tmp_path, frame, positive=given).positive == 1


def test_an_unknown_positive_label_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(DataError, match=r"positive label 'yess' is no value of 'left'; did you mean 'yes'\?"):
        read(tmp_path, table(), positive="yess")


def test_a_positive_label_of_several_classes_is_not_used_and_the_user_is_told(tmp_path):
    data = read(tmp_path, table().assign(left=np.resize(["a", "b", "c"], 60)), positive="a")
    assert data.positive is None
    assert any("'a' is not used: 'left' has 3 classes" in text for text in data.warnings)


def test_rows_without_a_target_are_left_out_and_the_user_is_told(tmp_path):
    frame = table()
    frame.loc[[1, 7], "left"] = None
    data = read(tmp_path, frame)
    assert len(data.X) == len(data.y) == 58
    assert data.X.index.tolist() == list(range(58))
    assert "2 rows are left out: the target 'left' is missing" in data.warnings


def test_whole_numbers_stay_whole_where_targets_are_missing(tmp_path):
    frame = table().assign(left=np.resize([0, 1, None], 60))
    assert read(tmp_path, frame).classes == (0, 1)


def test_a_target_that_is_always_missing_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"'left' of .* is missing in every row"):
        read(tmp_path, table().assign(left=None))


def test_a_target_of_one_class_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"'left' of .*table.csv is 'yes' in every row; give a target with two"):
        read(tmp_path, table().assign(left="yes"))


@pytest.mark.parametrize(
    ("values", "kind"), [(np.arange(60) / 7, "60 different decimal"), (range(60), "60 different whole")]
)
def test_a_target_to_regress_on_is_refused(tmp_path, values, kind):
    with pytest.raises(DataError, match=f"holds {kind} numbers; moopt learns classes"):
        read(tmp_path, table().assign(left=values))


# Columns that cannot help


def test_useless_columns_are_left_out_with_the_reason(tmp_path):
    data = read(
        tmp_path,
        table(notes=[None] * 60, country=["DE"] * 60, one=[1] * 60, key=[f"C{i}" for i in range(60)], row=[*range(60)]),
    )
    assert list(data.X) == ["age", "plan"]
    assert list(data.dropped) == ["notes", "country", "one", "key", "row"]
    text = "\n".join(data.warnings)
    assert "column 'notes' is left out: every value is missing" in text
    assert "column 'country' is left out: constant ('DE' in every row)" in text
    assert "column 'one' is left out: constant (1 in every row)" in text
    assert "column 'key' is left out: every value is different, so it identifies rows" in text
    assert "column 'row' is left out: it counts the rows, so it identifies them" in text


def test_a_text_that_is_there_or_not_says_something(tmp_path):
    assert "coupon" in read(tmp_path, table(coupon=["X", None] * 30)).X


def test_whole_numbers_that_differ_but_do_not_count_are_kept(tmp_path):
    assert "income" in read(tmp_path, table(income=[1000 + 37 * i for i in range(60)])).X


def test_text_of_many_levels_is_kept_and_the_user_is_told(tmp_path):
    data = read(tmp_path, table(120, city=[f"city {i % 55}" for i in range(120)]))
    assert "city" in data.columns.text
    assert any("'city' is text with 55 different values" in text for text in data.warnings)


def test_the_commonest_levels_are_those_of_the_search_rows(tmp_path):
    cities = [f"city {i % 40:02}" if i < 80 else ["", "Rome"][i % 2] for i in range(120)]
    data = read(tmp_path, table(120, city=cities), test_share=0)
    plan, city = data.columns.levels
    assert plan == ("basic", "plus")
    assert len(city) == 32
    assert {"missing", "Rome", "city 00"} < set(city)
    assert "city 39" not in city
    kept_back = read(tmp_path, table(120, city=cities), test_share=0.2)
    seen = set(kept_back.X["city"].iloc[kept_back.split().search].replace("", "missing"))
    assert set(kept_back.columns.levels[1]) < seen


def test_a_file_with_nothing_to_learn_from_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"no column is left to learn from\ncolumn 'a' is left out: constant"):
        read(tmp_path, table()[["left"]].assign(a=1))


# Splits


def test_the_test_share_is_stratified_and_fixed_by_the_seed(tmp_path):
    data = read(tmp_path, table(600), seed=4)
    search, test = data.split()
    assert sorted([*search, *test]) == list(range(600))
    assert len(test) == 120
    assert np.mean(data.y[test] == "yes") == pytest.approx(1 / 3)
    assert np.array_equal(test, read(tmp_path, table(600), seed=4).split().test)
    assert not np.array_equal(test, read(tmp_path, table(600), seed=5).split().test)


def test_every_class_has_a_test_row_unless_none_is_kept_back(tmp_path):
    frame = table().assign(left=["rare"] * 2 + ["a"] * 58)
    data = read(tmp_path, frame)
    assert sum(data.y[data.split().test] == "rare") == 1
    assert len(read(tmp_path, frame, test_share=0).split().test) == 0


def test_a_worker_reads_the_search_rows_only(tmp_path):
    data = read(tmp_path, table(600))
    rows = data.reference(5).load()
    search = data.split().search
    pd.testing.assert_frame_equal(rows.X, data.X.iloc[search].reset_index(drop=True))
    assert rows.y.tolist() == data.y[search].tolist()
    assert len(rows.folds) == 5
    assert sorted(np.concatenate([valid for _, valid in rows.folds])) == list(range(480))
    for train, valid in rows.folds:
        assert not set(train) & set(valid)
        assert np.mean(rows.y[valid] == "yes") == pytest.approx(1 / 3, abs=0.02)


def test_folds_are_those_of_the_seed(tmp_path):
    first, again, other = (read(tmp_path, table(), seed=seed).reference(3).load().folds for seed in (1, 1, 2))
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a[1], b[1]) for a, b in zip(first, other, strict=True))


def test_a_class_with_fewer_rows_than_folds_is_named(tmp_path):
    data = read(tmp_path, table().assign(left=["rare"] * 4 + ["a", "b"] * 28))
    match = r"class 'rare' of 'left' has 4 rows: 5 folds beside a test share of 20% need at least 6 rows of each class"
    with pytest.raises(DataError, match=match):
        data.reference(5)
    data.reference(3)


def test_as_many_rows_as_the_message_says_are_enough(tmp_path):
    data = read(tmp_path, table().assign(left=["rare"] * 6 + ["a", "b"] * 27))
    assert all("rare" in data.y[valid] for _, valid in data.reference(5).load().folds if "rare" in set(data.y))


def test_a_file_that_changed_is_refused(tmp_path):
    reference = read(tmp_path, table()).reference(3)
    read(tmp_path, table(63))
    with pytest.raises(DataError, match=r"table.csv has changed since the study began: its SHA-256 is \w{12}, not"):
        reference.load()


@pytest.mark.parametrize("share", [-0.1, 0.95, float("nan")])
def test_a_test_share_that_cannot_be_is_refused(share):
    with pytest.raises(DataError, match=r"give a share from 0 to 0\.9"):
        DataSpec("a.csv", "y", test_share=share)


# Files that cannot be read


def test_an_unknown_target_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(DataError, match=r"has no column 'lef' to predict; did you mean 'left'\?"):
        read(tmp_path, table(), target="lef")


def test_an_unknown_column_to_drop_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(DataError, match=r"has no column 'plant' to drop; did you mean 'plan'\?"):
        read(tmp_path, table(), drop=["plant"])


def test_dropping_the_target_is_refused(tmp_path):
    with pytest.raises(DataError, match="'left' is the target and is to be dropped too"):
        read(tmp_path, table(), drop=["left"])


def test_dropped_columns_are_gone(tmp_path):
    assert list(read(tmp_path, table(), drop="plan").X) == ["age"]


def test_a_missing_file_is_refused_with_its_neighbour(tmp_path):
    written(tmp_path, "a,b\n1,2\n", name="churn.csv")
    with pytest.raises(DataError, match=r"there is no file .*chrun.csv; did you mean .*churn.csv\?"):
        read_data(DataSpec(str(tmp_path / "chrun.csv"), "b"))


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(DataError, match=r"the folder .*nowhere does not exist either"):
        read_data(DataSpec(str(tmp_path / "nowhere" / "a.csv"), "b"))


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match="is a folder; give a CSV or Parquet file in it"):
        read_data(DataSpec(str(tmp_path), "b"))


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_an_empty_file_is_refused(tmp_path, text):
    with pytest.raises(DataError, match="is empty; give a CSV file with a header row"):
        read_data(DataSpec(written(tmp_path, text), "b"))


def test_a_header_without_rows_is_refused(tmp_path):
    with pytest.raises(DataError, match="has a header but no rows"):
        read_data(DataSpec(written(tmp_path, "a,b\n"), "b"))


def test_a_picture_is_refused(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR")
    with pytest.raises(DataError, match="is not a CSV file: byte 8 is NUL, so it is no text"):
        read_data(DataSpec(str(tmp_path / "a.csv"), "b"))


def test_a_broken_parquet_file_is_refused(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1 but nothing else")
    with pytest.raises(DataError, match="begins like a Parquet file but cannot be read"):
        read_data(DataSpec(str(tmp_path / "a.parquet"), "b"))


def test_another_encoding_is_refused_with_its_place(tmp_path):
    file = written(tmp_path, "Größe,b\n1,2\n", "latin-1")
    with pytest.raises(DataError, match=r"table.csv: byte 2 \(0xf6\) is not UTF-8\nGive the file's encoding"):
        read_data(DataSpec(file, "b"))


def test_utf_16_is_recognised(tmp_path):
    frame = table()
    file = written(tmp_path, frame.to_csv(index=False), "utf-16")
    with pytest.raises(DataError, match="begins like UTF-16 text; give encoding = 'utf-16'"):
        read_data(DataSpec(file, "left"))
    assert len(read_data(DataSpec(file, "left", encoding="utf-16")).X) == 60


def test_an_unknown_encoding_is_refused(tmp_path):
    with pytest.raises(DataError, match="unknown encoding 'utf-9'"):
        read_data(DataSpec(written(tmp_path, "a,b\n1,2\n"), "b", encoding="utf-9"))


@pytest.mark.parametrize("cell", ["1;2;x", "1,5;2,5;x"])
def test_another_separator_is_told_from_a_missing_target(tmp_path, cell):
    file = written(tmp_path, f"a;b;left\n{cell}\n{cell}\n")
    match = (
        r"has no column 'left': with the separator ',' it seems to have one column only, 'a;b;left'\nGive the file's"
    )
    with pytest.raises(DataError, match=match):
        read_data(DataSpec(file, "left"))


def test_a_decimal_comma_is_pointed_out(tmp_path):
    text = "a;b;left\n" + "".join(f"{i},5;u{i % 2};{i % 2}\n" for i in range(30))
    data = read_data(DataSpec(written(tmp_path, text), "left", separator=";"))
    assert any("'a' is text that reads as numbers with a decimal comma; give decimal = ','" in w for w in data.warnings)


def test_rows_longer_than_the_header_are_refused(tmp_path):
    with pytest.raises(DataError, match="its header names 2 columns, but its rows have more cells"):
        read_data(DataSpec(written(tmp_path, "a,b\n1,2,3\n1,2,3\n"), "b"))


def test_one_row_longer_than_the_others_is_named(tmp_path):
    with pytest.raises(DataError, match=r"is not a CSV file with the separator ',': .*line 3, saw 3"):
        read_data(DataSpec(written(tmp_path, "a,b\n1,2\n1,2,3\n"), "b"))


def test_a_column_named_twice_is_refused(tmp_path):
    with pytest.raises(DataError, match="names the column 'a' twice"):
        read_data(DataSpec(written(tmp_path, "a,a ,b\n1,2,3\n"), "b"))


def test_equal_separator_and_decimal_mark_are_refused(tmp_path):
    with pytest.raises(DataError, match="separator and decimal are both ','"):
        read_data(DataSpec(written(tmp_path, "a,b\n1,2\n"), "b", decimal=","))


# The shared files


@pytest.mark.parametrize(
    ("name", "target", "match"),
    [
        ("empty", "x", "empty.csv is empty"),
        ("binary", "x", "binary.csv is not a CSV file"),
        ("one_class", "bought", "is 'yes' in every row"),
        ("latin1", "Verkäuflich", r"byte 2 \(0xf6\) is not UTF-8"),
        ("semicolon", "Ausschuss", "seems to have one column only"),
    ],
)
def test_a_nasty_file_is_refused(shared, name, target, match):
    with pytest.raises(DataError, match=match):
        read_data(DataSpec(str(shared / "data" / "datasets" / "nasty" / f"{name}.csv"), target))


def test_the_nasty_rare_class_is_named(shared):
    data = read_data(DataSpec(str(shared / "data/datasets/nasty/rare_class.csv"), "kind"))
    with pytest.raises(DataError, match="class 'rare' of 'kind' has 2 rows: 5 folds"):
        data.reference(5)


def test_the_nasty_useless_columns_are_left_out(shared):
    data = read_data(DataSpec(str(shared / "data/datasets/nasty/useless_columns.csv"), "left"))
    assert list(data.X) == ["age", "balance", "plan"]
    assert set(data.dropped) == {"customer_id", "country", "notes"}


def test_the_nasty_encoding_and_separator_can_be_given(shared):
    folder = shared / "data/datasets/nasty"
    latin = read_data(DataSpec(str(folder / "latin1.csv"), "Verkäuflich", encoding="latin-1"))
    assert (len(latin.X), latin.classes) == (120, ("ja", "nein"))
    semicolon = DataSpec(str(folder / "semicolon.csv"), "Ausschuss", separator=";", decimal=",")
    assert read_data(semicolon).columns.numeric == ("Temperatur", "Druck", "Dauer")
    assert any("decimal comma" in text for text in read_data(replace(semicolon, decimal=None)).warnings)


@pytest.mark.parametrize(
    ("name", "target", "positive", "dropped"),
    [
        ("telco_churn", "Churn", "Yes", {"customerID"}),
        ("titanic", "Survived", 1, {"PassengerId", "Name"}),
        ("german_credit", "class", 2, set()),
    ],
)
def test_real_files_are_read_as_they_are(shared, name, target, positive, dropped):
    data = read_data(DataSpec(str(shared / "data" / "datasets" / f"{name}.csv"), target))
    assert data.positive == positive
    assert set(data.dropped) == dropped
