"""Every benchmark that the data allows, and the reason where it does not."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from helpers.small_screens import plate, write_csv
from wellgram import (
    InputError,
    PCACenterScale,
    Wells,
    average_precision,
    consistency,
    drug_targets,
    magnitude,
    mean_average_precision,
    open_wells,
    read_targets,
    read_wells,
    score,
)
from wellgram.cli import app
from wellgram.errors import ColumnMissing, DeviceMemoryError, NotApplicable
from wellgram.simulate import rxrx3_core
from wellgram.suite import BENCHMARKS, Benchmark, Findings, Part, Skipped
from wellgram.suite.benchmarks.intervals import share_interval


@pytest.fixture(scope="module")
def screen():
    return rxrx3_core(scale=0.05, seed=2, features=24)


@pytest.fixture(scope="module")
def everything(screen):
    genes = sorted({*screen.relationships["entity1"]})
    return score(
        screen.wells(),
        PCACenterScale(),
        sources={"planted": screen.relationships},
        targets=screen.compound_targets,
        gene_sets={"some": genes[:12], "few": genes[:3]},
        seed=5,
    )


def test_everything_is_run_and_in_the_summary(everything, tmp_path):
    assert set(everything.parts) == set(BENCHMARKS)
    everything.save(tmp_path)
    summary = json.loads((tmp_path / "summary.json").read_text())
    for name in BENCHMARKS:
        assert isinstance(summary[name], list)
        assert summary[name]
    report = (tmp_path / "report.html").read_text()
    for title in ("Drug targets", "Separation of gene sets", "Replicate consistency", "Magnitude"):
        assert f"<h2>{title}</h2>" in report
    assert "Left out" not in report
    assert report.count("<figure") == len(list(tmp_path.glob("*.png"))) == 12
    assert len(pd.read_csv(tmp_path / "gene_set_separation.csv")) == 1


def test_figures_are_those_of_the_functions(screen, everything):
    wells = screen.wells()
    aligned = Wells(PCACenterScale().fit_transform(wells), wells.metadata, wells.origin)
    table = consistency(aligned, nested=True, seed=5).table
    pd.testing.assert_frame_equal(everything.parts["consistency"].result.table, table)
    pd.testing.assert_frame_equal(
        everything.parts["magnitude"].result.table, magnitude(aligned, nested=True, seed=5).table
    )
    ap = average_precision(
        aligned,
        pos_sameby=["perturbation_type", "perturbation", "dose"],
        neg_sameby="batch",
        neg_diffby="is_control",
        scored=(wells.metadata["in_map"] & ~wells.metadata["is_control"]).to_numpy(),
    )
    pd.testing.assert_frame_equal(
        everything.parts["average-precision"].result.table, mean_average_precision(ap, seed=5).table
    )
    targets = drug_targets(everything.map_, screen.compound_targets, seed=5)
    pd.testing.assert_frame_equal(everything.parts["drug-targets"].result.table, targets.table)
    whole, *kinds = everything.summary["consistency"]
    assert whole["n_tested"] == table["q_value"].notna().sum()
    assert whole["mean_cosine"] == pytest.approx(
        table["mean_cosine"][table["q_value"].notna()].mean()
    )
    assert whole["n_significant"] == (table["q_value"] <= 0.05).sum()
    assert whole["significant_share_ci_low"] <= whole["significant_share"]
    assert [kind["perturbations"] for kind in kinds] == ["COMPOUND", "CRISPR"]
    assert sum(kind["n_tested"] for kind in kinds) == whole["n_tested"]


@pytest.mark.parametrize(("hits", "size"), [(0, 40), (40, 40), (7, 20)])
def test_intervals_of_shares_are_wilsons(hits, size):
    """A share of 0 or 1 has an interval too; a bootstrap of a constant has none."""
    z, p = 1.959963984540054, hits / size
    middle = (p + z**2 / (2 * size)) / (1 + z**2 / size)
    half = z / (1 + z**2 / size) * np.sqrt(p * (1 - p) / size + z**2 / (4 * size**2))
    found = share_interval("significant", np.arange(size) < hits)
    assert (found["n_significant"], found["significant_share"]) == (hits, p)
    np.testing.assert_allclose(found["significant_share_ci_low"], middle - half, atol=1e-12)
    np.testing.assert_allclose(found["significant_share_ci_high"], middle + half, atol=1e-12)
    assert np.isnan(share_interval("significant", np.empty(0, bool))["significant_share"])


def test_a_share_names_of_how_many_and_why_the_others_were_not_tested(rng):
    names = [*"aaabbbcd", *["DMSO"] * 8]
    wells = Wells.from_arrays(rng.normal(size=(16, 5)), names, control="DMSO")
    part = score(wells, metrics=["consistency"]).parts["consistency"]
    assert part.findings.records.iloc[0]["n_perturbations"] == 4
    shown = part.presentation
    assert "Not tested: 2 of 4 perturbations (2 one well)." in shown.text
    assert shown.rows[0][1] == "2 of 4"
    assert shown.rows[0][5].startswith("0 of 2")


def test_a_stream_scores_as_wells_do(tmp_path):
    path = write_csv(tmp_path / "plate.csv", pd.concat([plate("P1", 0), plate("P2", 1)]).assign(
        Metadata_Well=[f"W{i}" for i in range(32)]))  # fmt: skip
    options = {"layout": "cell-painting", "perturbation": "Metadata_broad_sample"}
    held, streamed = (
        score(read(path, **options), PCACenterScale()) for read in (read_wells, open_wells)
    )
    assert (
        set(held.parts)
        == set(streamed.parts)
        == {"consistency", "average-precision", "projection", "batch-effects"}
    )
    for name, part in held.parts.items():
        pd.testing.assert_frame_equal(part.findings.records, streamed.parts[name].findings.records)


def test_a_number_is_scored_beside_the_embedding(rng, tmp_path):
    """A number that follows the perturbation scores as an embedding does; noise does not."""
    labels = np.repeat([*"abcdefghij", "DMSO", "DMSO"], 8)
    x = rng.normal(size=(96, 6))
    frame = pd.DataFrame(
        {
            "Metadata_Plate": "P1",
            "Metadata_Well": [f"W{i}" for i in range(96)],
            "Metadata_broad_sample": labels,
            "Metadata_count": 100 + 20 * rng.normal(size=12).repeat(8) + rng.normal(size=96),
            "Metadata_noise": rng.normal(size=96),
            **{f"Cells_{j}": column for j, column in enumerate(x.T)},
        }
    )
    path = write_csv(tmp_path / "plate.csv", frame)
    out = tmp_path / "out"
    done = CliRunner().invoke(
        app,
        ["score", str(path), "--layout", "cell-painting", "--perturbation", "Metadata_broad_sample",
         "--covariate", "Metadata_count", "--covariate", "Metadata_noise", "--out", str(out)],
        catch_exceptions=False,
    )  # fmt: skip
    assert "Magnitude, by Metadata_count alone" in done.stdout
    summary = json.loads((out / "summary.json").read_text())
    found = {
        name: of["consistency"][0]["n_significant"] for name, of in summary["covariates"].items()
    }
    assert found["Metadata_count"] >= 7
    assert found["Metadata_noise"] <= 1
    assert summary["consistency"][0]["n_significant"] <= 1
    assert summary["covariates"]["Metadata_count"]["recall"] == {"skipped": "no known pairs given"}
    assert "magnitude, Metadata_count alone" in summary["seconds"]
    assert "By Metadata_noise alone:" in (out / "report.html").read_text()
    with pytest.raises(InputError, match="no column 'nuclei'"):
        score(Wells.from_arrays(x, labels, control="DMSO"), covariates=["nuclei"])


def reasons(result):
    assert set(result.parts) | set(result.skipped) == set(result.outcomes) == set(BENCHMARKS)
    return result.skipped


def test_reasons_for_what_was_not_run(rng, screen, monkeypatch):
    x = rng.normal(size=(9, 4))
    single = Wells.from_arrays(x, [*"abcdefg", "DMSO", "DMSO"], control="DMSO")
    assert reasons(score(single)) == {
        "recall": "no known pairs given",
        "drug-targets": "no table of compounds and their targets given",
        "gene-set-separation": "no gene sets given",
        "consistency": "no perturbation has two wells",
        "magnitude": "no perturbation has five wells",
        "average-precision": "no perturbation has two wells",
        "gene-set-similarity": "no gene sets or known pairs given",
        "batch-effects": "the screen has one batch",
    }
    uncontrolled = Wells.from_arrays(x, [*"aaaaaaabb"], control=None)
    found = reasons(score(uncontrolled))
    assert found["magnitude"] == found["average-precision"] == "there are no control wells"
    assert "consistency" not in found
    chosen = score(uncontrolled, metrics=["recall"])
    assert reasons(chosen)["consistency"] == "not asked for"
    assert repr(chosen).endswith("batch-effects: not asked for")
    monkeypatch.setattr("wellgram.suite.contract.HELD_BYTES", 100)
    assert "consistency" not in reasons(score(uncontrolled))


def test_what_only_the_map_shows_loses_nothing(screen):
    """Targets and clusters of other names: the rest is run, and the reason is said."""
    truth = screen.compound_targets.assign(gene_symbol="none of them")
    result = score(
        screen.wells(),
        targets=truth,
        gene_sets={"strange": ["X", "Y"]},
        metrics=["drug-targets", "gene-set-separation", "consistency"],
    )
    assert set(result.parts) == {"consistency"}
    assert (
        "none of the 1 gene sets has 10 genes in the map" in result.skipped["gene-set-separation"]
    )
    assert result.outcomes["drug-targets"].asked_for
    assert isinstance(result.outcomes["drug-targets"], Skipped)
    assert not result.outcomes["recall"].asked_for


def of_a_toy(monkeypatch, *, check=lambda task: None, run):
    """The outcomes of a benchmark from outside, and of one after it."""
    monkeypatch.setitem(BENCHMARKS, "toy", Benchmark("toy", "Toy", check, run))
    monkeypatch.setitem(BENCHMARKS, "after", BENCHMARKS["projection"])
    x = np.random.default_rng(0).normal(size=(12, 4))
    return score(
        Wells.from_arrays(x, [*"abcdefghijkl"], control=None), metrics=["toy", "after"]
    ).outcomes


def test_a_benchmark_from_outside_is_run_and_shown_without_a_presentation(monkeypatch):
    table = pd.DataFrame({"n_rows": [12], "mean_length": [1.23456]})
    part = of_a_toy(monkeypatch, run=lambda *_: Findings(None, table))["toy"]
    assert part.presentation.head == ["n rows", "mean length"]
    assert part.presentation.rows == [["12", "1.235"]]


@pytest.mark.parametrize("error", [NotApplicable, DeviceMemoryError])
def test_a_benchmark_that_cannot_be_run_does_not_end_the_others(monkeypatch, error):
    def run(*_):
        raise error("too small")

    outcomes = of_a_toy(monkeypatch, run=run)
    assert outcomes["toy"] == Skipped("too small")
    assert isinstance(outcomes["after"], Part)


@pytest.mark.parametrize("when", ["check", "run"])
def test_a_mistake_in_the_input_is_no_skipped_benchmark(monkeypatch, when):
    def wrong(*_):
        raise ColumnMissing("no column 'x'")

    functions = {"run": lambda *_: Findings(None, pd.DataFrame()), when: wrong}
    with pytest.raises(ColumnMissing):
        of_a_toy(monkeypatch, **functions)


def test_bad_input_is_refused_before_any_work(screen, tmp_path):
    wells = screen.wells()
    with pytest.raises(InputError, match="unknown metric 'recal'; choose recall, drug-targets"):
        score(wells, metrics=["recal"])
    with pytest.raises(InputError, match="the table of targets has no column 'nM_value'"):
        score(wells, targets=screen.compound_targets.drop(columns="nM_value"))
    screen.compound_targets.to_csv(tmp_path / "truth.csv", index=False)
    read = read_targets(tmp_path / "truth.csv")
    np.testing.assert_allclose(read["nM_value"], screen.compound_targets["nM_value"])
    (tmp_path / "other.csv").write_text("compound,gene\n1,2\n")
    with pytest.raises(InputError, match=r"other.csv has no column 'treatment' \(targets are"):
        read_targets(tmp_path / "other.csv")
