"""What efaar_benchmarking has had since its release, in a checkout of it: both run and agree.

No release has these functions. Give the folder of a checkout as ``EFAAR_CHECKOUT``.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import peers

CHECKOUT = os.environ.get("EFAAR_CHECKOUT", "")

pytestmark = pytest.mark.skipif(
    not CHECKOUT, reason="no checkout of efaar_benchmarking (give its folder as EFAAR_CHECKOUT)"
)

SCRIPT = """
import numpy as np
import pandas as pd
from efaar_benchmarking import benchmarking
from efaar_benchmarking.benchmarking import BenchmarkConfig, compound_gene_benchmark
from efaar_benchmarking.constants import COMPOUND_CONCENTRATIONS
from efaar_benchmarking.efaar import pca_centerscale_on_controls
from sklearn.utils import Bunch

rng = np.random.default_rng(0)
genes, compounds = [f"G{k}" for k in range(60)], [f"cpd{k}" for k in range(20)]
doses = pd.MultiIndex.from_product([compounds, COMPOUND_CONCENTRATIONS]).to_frame(False)
metadata = pd.concat([
    doses.set_axis(["perturbation", "concentration"], axis=1),
    pd.DataFrame({"perturbation": genes, "concentration": np.nan}),
], ignore_index=True).iloc[3:]
truth = pd.DataFrame({
    "gene_symbol": [*genes, *rng.choice(genes, 240)],
    "nM_value": rng.uniform(1, 4e4, 300),
    "treatment": rng.choice(compounds, 300),
})
for kind in (np.float64, np.float32):
    rows = rng.normal(size=(len(metadata), 12)).astype(kind)
    map_ = Bunch(metadata=metadata, features=pd.DataFrame(rows, index=metadata.index))
    for seed in range(3):
        options = BenchmarkConfig(random_seed=seed, quantiles=[0.5, 0.75, 0.95])
        compound_gene_benchmark(map_, truth_data=truth, config=options)
    compound_gene_benchmark(map_, truth_data=truth, check_random=True)

wells = pd.DataFrame({
    "perturbation": rng.choice(["EMPTY_control", *genes[:5]], 600),
    "experiment_name": rng.choice(["first", "second"], 600),
})
for kind in (np.float64, np.float32):
    pca_centerscale_on_controls(
        rng.normal(size=(600, 9)).astype(kind), wells, pert_col="perturbation",
        batch_col="experiment_name", control_key="EMPTY_control",
    )
"""


@pytest.mark.parametrize("hash_seed", ["0", "1"])  # the order of a set of texts depends on it
def test_what_the_trunk_has_agrees_where_every_call_is_verified(tmp_path, hash_seed):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    peers.write_stand_ins(tmp_path / "stand_ins")
    paths = [CHECKOUT, tmp_path / "stand_ins", os.environ.get("PYTHONPATH", "")]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "wellgram.accel", "--profile", script],
        env=os.environ
        | {
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            "PYTHONHASHSEED": hash_seed,
            "WELLGRAM_ACCEL_VERIFY": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    table = done.stderr[done.stderr.rindex("ran  ") :]
    assert "original" not in table
    for function in ("compound_gene_benchmark", "pca_centerscale_on_controls"):
        assert function in table
    assert Path(CHECKOUT, "efaar_benchmarking").is_dir()
