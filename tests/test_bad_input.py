"""Bad input: one line that names column, value and remedy; nothing written."""

import gzip

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.small_screens import FEATURES, plate, rxrx3_core, write_csv, write_wide
from wellgram.cli import main

PLATE = ["--layout", "cell-painting", "--same", "Metadata_moa"]


@pytest.fixture
def refused(tmp_path, monkeypatch, capsys):
    """Runs `wellgram score` on what must be refused; returns the error after the common checks.

    It may have read the wells (unless not `read`), but neither aligned nor written anything.
    """
    out = tmp_path / "out"

    def run(*arguments, to=out, read=True):
        before = sorted(tmp_path.rglob("*"))
        command = ["wellgram", "score", *map(str, arguments), "--out", str(to)]
        monkeypatch.setattr("sys.argv", command)
        with pytest.raises(SystemExit) as end:
            main()
        assert end.value.code == 1
        assert sorted(tmp_path.rglob("*")) == before
        said = capsys.readouterr()
        *steps, error = said.err.splitlines()
        assert error.startswith("error: ")
        assert [line.split(":")[0] for line in steps] in ([], ["read labels"] * read)
        return error

    return run


def check_says(error, *words):
    missing = [word for word in words if word not in error]
    assert not missing, f"{missing} not in {error!r}"


@pytest.fixture
def cp(tmp_path):
    """Writes a plate, changed as the test wants it."""

    def write(name="plate.csv", rows=slice(None), **columns):
        frame = plate().iloc[rows].astype(object)
        for column, values in columns.items():
            if isinstance(values, dict):
                frame.loc[list(values), column] = list(values.values())
            else:
                frame[column] = values
        return write_csv(tmp_path / name, frame)

    return write


@pytest.fixture
def core(tmp_path):
    """Writes RxRx3-core files, without some rows or columns or with some values changed."""

    def write(keep=slice(None), described=slice(None), drop=(), extra=None, **columns):
        values, metadata = rxrx3_core()
        embeddings = write_wide(tmp_path / "e.parquet", values[keep], metadata["well_id"][keep])
        metadata = metadata.iloc[described].assign(**columns).drop(columns=list(drop))
        if extra is not None:
            metadata = pd.concat([metadata, extra(metadata)])
        return embeddings, "--metadata", write_csv(tmp_path / "m.csv", metadata)

    return write


# Columns and names


@pytest.mark.parametrize("role", ["perturbation", "batch", "dose", "well-id", "same"])
def test_a_column_that_is_named_but_absent(refused, cp, role):
    error = refused(cp(), *PLATE, f"--{role}", "Metadata_typo")
    check_says(error, "plate.csv", "'Metadata_typo'", role.replace("-", "_"), "'Metadata_Plate'")


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("treatment", ["perturbation", "--perturbation"]),
        ("experiment_name", ["batch", "--batch", "--batch none"]),
        ("concentration", ["dose", "--dose", "--dose none"]),
        ("perturbation_type", []),
        ("well_id", []),
    ],
)
def test_a_column_of_the_layout_that_is_absent(refused, core, column, words):
    check_says(refused(*core(drop=[column])), "m.csv", f"'{column}'", *words, "there are: ")


def test_embeddings_without_the_column_that_joins_them(refused, core):
    embeddings, *metadata = core()
    pq.write_table(pq.read_table(embeddings).drop_columns(["well_id"]), embeddings)
    check_says(refused(embeddings, *metadata), "e.parquet", "'well_id'", "'feature_0'")


def test_metadata_of_its_own_that_is_not_named(refused, core):
    check_says(refused(core()[0]), "rxrx3-core", "--metadata")


@pytest.mark.parametrize(
    ("option", "known"),
    [("layout", "cell-painting"), ("align", "pca-center-scale"), ("backend", "reference")],
)
@pytest.mark.parametrize("demo", [True, False])
def test_a_name_that_is_unknown_is_refused_before_anything_is_read(
    refused, cp, option, known, demo
):
    screen = ["--demo"] if demo else [cp(), "--layout", "cell-painting"]
    check_says(refused(*screen, f"--{option}", "quantum", read=False), "'quantum'", known)


def test_a_backend_of_the_environment_that_is_unknown(refused, cp, monkeypatch):
    monkeypatch.setenv("WELLGRAM_BACKEND", "quantum")
    check_says(refused(cp(), *PLATE, read=False), "'quantum'", "cpu", "reference")


def test_two_columns_of_one_name(refused, tmp_path):
    frame = plate()
    frame.columns = [*frame.columns[:-1], "Cells_4"]
    path = write_csv(tmp_path / "plate.csv", frame)
    check_says(refused(path, *PLATE), "plate.csv", "2 columns", "'Cells_4'", "rename")


@pytest.mark.parametrize("role", ["perturbation", "batch", "dose"])
def test_a_feature_that_is_a_role_too(refused, cp, role):
    error = refused(cp(), *PLATE, f"--{role}", "Cells_1", "--features", "Cells_*")
    check_says(error, "'Cells_1'", "both a feature", role)


def test_features_that_match_nothing(refused, cp):
    check_says(refused(cp(), *PLATE, "--features", "emb_*"), "'emb_*'", "'Cells_0'")


# Controls


def test_no_control_anywhere(refused, cp):
    error = refused(cp(), *PLATE, "--control", "vehicle")
    check_says(error, "'vehicle'", "'Metadata_broad_sample'", "--control", "'DMSO'")


@pytest.mark.parametrize(("left", "found"), [(0, "no control well"), (1, "only one control well")])
def test_too_few_controls_in_a_batch(refused, tmp_path, left, found):
    write_csv(tmp_path / "P1.csv", plate("P1"))
    path = write_csv(tmp_path / "P2.csv", plate("P2").iloc[4 - left :])
    error = refused(tmp_path / "P1.csv", path, *PLATE)
    check_says(error, found, "'P2'", "'Metadata_Plate'", "'DMSO'", "--batch none")


def test_controls_that_were_never_named(refused, cp):
    error = refused(
        cp(), "--layout", "columns", "--perturbation", "Metadata_broad_sample",
        "--features", "Cells_*", read=False,
    )  # fmt: skip
    check_says(error, "'center-scale'", "--control", "--align none")


def test_a_misspelt_control_beside_a_right_one(refused, cp):
    error = refused(cp(), *PLATE, "--control", "DMSO", "--control", "DMS0")
    check_says(error, "'DMS0'", "'Metadata_broad_sample'", "--control")


def test_a_file_given_twice(refused, cp):
    path = cp()
    check_says(refused(path, path, *PLATE), "given twice", str(path))


# Values


@pytest.mark.parametrize("value", ["", "nan", "inf", "-Inf"])
def test_nan_and_inf_in_embeddings(refused, cp, value):
    error = refused(cp(Cells_2={5: value, 9: value}), *PLATE)
    check_says(error, "2 wells", "NaN or an Inf", "'P1/A06'", "drop-wells", "drop-features")


def test_a_well_that_is_all_zero(refused, core):
    embeddings, *metadata = core()
    values, described = rxrx3_core()
    values[7] = 0
    write_wide(embeddings, values, described["well_id"])
    check_says(refused(embeddings, *metadata), "1 wells", "zeros", "'w07'", "drop-wells")


@pytest.mark.parametrize("missing", ["drop-features", "drop-wells"])
def test_nothing_is_left_after_dropping(refused, cp, missing):
    path = cp(**{feature: {5: np.nan} for feature in FEATURES})
    if missing == "drop-wells":
        path = cp(Cells_0=np.nan)
    check_says(refused(path, *PLATE, "--missing", missing), "every", "NaN")


def test_a_feature_that_is_text(refused, cp):
    error = refused(cp(Cells_3={7: "n/d"}), *PLATE)
    check_says(error, "'Cells_3'", "plate.csv", "row 8", "'n/d'", "--features", "Metadata_")


def test_a_dose_that_is_no_number(refused, cp):
    error = refused(cp(Metadata_dose={6: "10 uM", 8: "x"}), *PLATE, "--dose", "Metadata_dose")
    check_says(error, "1 doses", "'P1/A09'", "'x'", "'Metadata_dose'", "--dose none")


def test_a_dose_in_another_unit_than_the_others(refused, cp):
    error = refused(cp(Metadata_dose={6: "10 uM"}), *PLATE, "--dose", "Metadata_dose")
    check_says(error, "1 doses", "without a unit", "'P1/A07'", "'10 uM'", "--dose none")


def test_a_dose_that_is_no_number_on_the_second_plate(refused, cp):
    paths = [cp("P1.csv"), cp("P2.csv", Metadata_Plate="P2", Metadata_dose={6: "10 uM"})]
    check_says(refused(*paths, *PLATE, "--dose", "Metadata_dose"), "P2/A07", "'10 uM'")


def test_an_infinite_dose(refused, cp):
    check_says(refused(cp(Metadata_dose={6: "inf"}), *PLATE, "--dose", "Metadata_dose"), "'inf'")


def test_a_well_without_a_perturbation(refused, cp):
    error = refused(cp(Metadata_broad_sample={6: None, 8: None}), *PLATE)
    check_says(error, "2 wells", "'Metadata_broad_sample'", "'P1/A07'", "label")


def test_a_well_without_a_batch(refused, cp):
    check_says(
        refused(cp(Metadata_Plate={6: None}), *PLATE), "'Metadata_Plate'", "'row 7'", "--batch none"
    )


def test_kept_columns_of_two_types(refused, cp):
    paths = [cp("P1.csv", Metadata_lot=1), cp("P2.csv", Metadata_lot="two")]
    check_says(refused(*paths, *PLATE, "--same", "Metadata_lot"), "Metadata_lot", "int64", "string")


# Embeddings and metadata


def test_a_well_described_in_two_ways(refused, core):
    error = refused(*core(extra=lambda m: m.iloc[[5]].assign(treatment="SRC_guide_1")))
    check_says(
        error, "1 wells", "'w05'", "'PLK1_guide_2'", "'SRC_guide_1'", "'treatment'", "keep one"
    )


def test_a_dose_described_in_two_ways_reads_as_a_number(refused, core):
    error = refused(*core(extra=lambda m: m.iloc[[26]].assign(concentration=2.5)))
    check_says(error, "'w26' has '1.0' and '2.5'", "'concentration'")


@pytest.mark.parametrize(
    ("keep", "described", "words"),
    [
        (slice(None), slice(20), ["12 embeddings", "0 wells", "embedding 'w20'", "20 wells"]),
        (slice(20), slice(None), ["0 embeddings", "12 wells", "metadata 'w20'", "20 wells"]),
        (slice(30), slice(4, None), ["4 embeddings", "2 wells", "embedding 'w00'", "26 wells"]),
    ],
    ids=["without metadata", "without embeddings", "both"],
)
def test_wells_in_one_file_only(refused, core, keep, described, words):
    error = refused(*core(keep, described))
    check_says(error, *words, "'well_id'", "--allow-unmatched")


def test_names_of_wells_that_never_agree(refused, core):
    error = refused(*core(well_id=[f"plate1_{i}" for i in range(32)]))
    check_says(error, "no embedding has metadata", "'w00'", "'plate1_0'", "m.csv")


@pytest.mark.parametrize("extra", [(), ("--allow-unmatched",)])
def test_metadata_without_rows(refused, core, extra):
    check_says(refused(*core(described=slice(0)), *extra), "m.csv", "no rows")


def test_metadata_of_a_well_without_a_name(refused, core):
    error = refused(*core(extra=lambda m: m.iloc[[5]].assign(well_id=None)))
    check_says(error, "1 rows", "m.csv", "'well_id'", "row 33")


def test_an_embedding_without_a_name(refused, core):
    embeddings, *metadata = core()
    values, described = rxrx3_core()
    write_wide(embeddings, values, [*described["well_id"][:-1], None])
    check_says(refused(embeddings, *metadata), "1 rows", "'well_id'", "row 32")


# Files that disagree


def test_features_of_another_number(refused, tmp_path, cp):
    short = write_csv(tmp_path / "short.csv", plate().drop(columns="Cells_5"))
    check_says(
        refused(cp(), short, *PLATE),
        "short.csv has 5",
        "plate.csv has 6",
        "'Cells_5'",
        "--common-features",
    )


def test_features_of_other_names(refused, tmp_path, cp):
    path = write_csv(tmp_path / "other.csv", plate().rename(columns={"Cells_5": "Nuclei_5"}))
    check_says(
        refused(cp(), path, *PLATE), "other.csv", "plate.csv", "'Cells_5'", "--common-features"
    )


def write_lists(path, width, name="emb", rows=slice(None)):
    values, metadata = rxrx3_core(features=width)
    vectors = pa.array(values[rows].tolist(), pa.list_(pa.float32(), width))
    pq.write_table(pa.table({"well_id": metadata["well_id"][rows], name: vectors}), path)
    return path


def test_lists_of_another_length(refused, tmp_path, core):
    parts = {5: slice(16), 4: slice(16, None)}
    paths = [write_lists(tmp_path / f"{n}.parquet", n, rows=rows) for n, rows in parts.items()]
    check_says(refused(*paths, *core()[1:]), "4.parquet, row group 0 has 4", "5.parquet has 5")


def test_lists_of_other_names(refused, tmp_path, core):
    paths = [write_lists(tmp_path / f"{name}.parquet", 5, name) for name in ("a", "b")]
    check_says(refused(*paths, *core()[1:]), "b.parquet", "a.parquet", "'a'")


def test_a_list_beside_other_features(refused, tmp_path, core):
    path = write_lists(tmp_path / "lists.parquet", 5)
    pq.write_table(pq.read_table(path).append_column("feature_0", [np.zeros(32)]), path)
    check_says(refused(path, *core()[1:]), "'emb'", "vectors", "'feature_0'", "--features")


def test_a_plate_that_lacks_a_column_of_the_others(refused, tmp_path, cp):
    path = write_csv(tmp_path / "bare.csv", plate().drop(columns="Metadata_Plate"))
    check_says(refused(cp(), path, *PLATE), "bare.csv", "'Metadata_Plate'")


# Files that cannot be read


def cut(data):
    return data[: len(data) // 2]


@pytest.mark.parametrize("name", ["plate.parquet", "plate.csv.gz", "plate.tsv.gz"])
@pytest.mark.parametrize("left", [cut, lambda data: data[:-3], lambda _: b""])
def test_a_file_cut_short(refused, tmp_path, name, left):
    path = tmp_path / name
    if path.suffix == ".parquet":
        plate().to_parquet(path)
    else:
        path.write_bytes(gzip.compress(plate().to_csv(index=False).encode()))
    path.write_bytes(left(path.read_bytes()))
    check_says(refused(path, *PLATE), "cannot read", name, "truncated")


@pytest.mark.parametrize("name", ["plate.csv", "plate.csv.gz", "plate.parquet"])
def test_a_file_that_is_not_what_its_name_says(refused, tmp_path, name):
    path = tmp_path / name
    path.write_bytes(bytes(range(256)) * 40)
    error = refused(path, *PLATE)
    check_says(error, "cannot read", name, "another format")
    assert error.isprintable()


@pytest.mark.parametrize(
    "text", ["Metadata_Plate,Metadata_broad_sample,Metadata_moa,Cells_0\n", ""]
)
def test_a_table_without_rows(refused, tmp_path, text):
    path = tmp_path / "plate.csv"
    path.write_text(text)
    check_says(refused(path, *PLATE), "plate.csv", "no rows" if text else "Empty")


def test_a_line_with_too_many_values(refused, cp):
    path = cp()
    path.write_text(path.read_text() + ",".join("1" * 40) + "\n")
    check_says(refused(path, *PLATE), "plate.csv", "columns")


def test_a_file_that_is_absent_or_of_an_unknown_kind(refused, tmp_path):
    check_says(refused(tmp_path / "absent.csv", *PLATE), "no file", "absent.csv")
    (tmp_path / "plate.xlsx").write_bytes(b"")
    check_says(
        refused(tmp_path / "plate.xlsx", *PLATE), "plate.xlsx", "unknown kind", ".parquet", ".csv"
    )


def test_a_folder_without_tables(refused, tmp_path):
    (tmp_path / "plates").mkdir()
    (tmp_path / "plates" / "readme.md").write_text("nothing")
    check_says(refused(tmp_path / "plates", *PLATE), "plates", "no table")


def test_neither_files_nor_the_demo(refused, cp):
    check_says(refused(), "files of embeddings", "--demo")
    check_says(refused(cp(), "--demo"), "files of embeddings", "--demo")


# Known pairs


def test_no_known_pair_in_the_map(refused, cp, tmp_path):
    (tmp_path / "known.csv").write_text("entity1,entity2\nTP53,MDM2\n")
    error = refused(cp(), "--layout", "cell-painting", "--relationships", tmp_path / "known.csv")
    check_says(error, "no known pair", "known", "6", "'A'")


def test_a_relationship_file_without_the_two_columns(refused, cp, tmp_path):
    (tmp_path / "known.csv").write_text("entity1,gene2\nTP53,MDM2\n")
    error = refused(cp(), *PLATE, "--relationships", tmp_path / "known.csv")
    check_says(error, "known.csv", "'entity2'", "'gene2'")


def test_known_pairs_of_perturbations_at_several_doses(refused, cp, tmp_path):
    (tmp_path / "known.csv").write_text("entity1,entity2\nA,B\n")
    error = refused(
        cp(), "--layout", "cell-painting", "--dose", "Metadata_dose",
        "--relationships", tmp_path / "known.csv",
    )  # fmt: skip
    check_says(error, "'A'", "per dose", "aggregate over doses")


def test_a_null_of_genes_without_genes(refused, cp):
    check_says(refused(cp(), *PLATE, "--null", "genes"), "gene", "--null all")


def test_same_of_a_column_that_differs_within_a_perturbation(refused, cp):
    error = refused(cp(), *PLATE, "--same", "Metadata_Well")
    check_says(error, "'Metadata_Well'", "differ", "Metadata_moa")


def test_same_of_a_column_that_is_empty(refused, cp):
    check_says(refused(cp(Metadata_moa=None), *PLATE), "no known pair", "Metadata_moa")


# The output folder


@pytest.mark.parametrize("below", ["file", "file/out"])
def test_an_output_folder_that_cannot_be(refused, cp, tmp_path, below):
    (tmp_path / "file").write_text("mine")
    error = refused(cp(), *PLATE, to=tmp_path / below)
    check_says(error, "cannot write", below, "choose another")
    assert (tmp_path / "file").read_text() == "mine"


def test_results_that_exist_stay_as_they_were(refused, cp, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "summary.json").write_text("{}")
    refused(cp(Cells_2={5: "nan"}), *PLATE)
    assert (tmp_path / "out" / "summary.json").read_text() == "{}"
