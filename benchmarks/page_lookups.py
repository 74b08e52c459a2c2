"""How long the page of a map takes to answer, on maps of 17,063 and 116,000 perturbations.

    python benchmarks/page_lookups.py [--features 128]

Two thirds of the rows are genes, the rest doses of compounds. Each question is asked eight times,
as a browser asks it but without its network; the median of the last seven is printed, in
milliseconds.
"""

import argparse
import time
from itertools import count
from statistics import median

import numpy as np
import pandas as pd
from starlette.testclient import TestClient

from wellgram import MapLookup, PerturbationMap, browse

ROWS = (17_063, 116_000)
ASKED = {
    "suggest GENE": "/suggest?text=GENE",
    "suggest 00077 10": "/suggest?text=00077+10",
    "find GENE00042": "/find?text=GENE00042",
    "find nothing alike": "/find?text=GNEE0O042",
    "neighbors, 25": "/neighbors/{row}?k=25",
    "neighbors, 25 of a type": "/neighbors/{row}?k=25&type=COMPOUND",
    "neighbors, 1,000": "/neighbors/{row}?k=1000",
    "compare with another": "/compare/5/{row}?k=25",
    "a name": "/row/{row}",
}


def made(rows, features):
    rng = np.random.default_rng(0)
    genes = 2 * rows // 3
    names = [f"GENE{k:05d}" for k in range(genes)]
    names += [f"Compound-{k // 8:05d}" for k in range(rows - genes)]
    dose = np.r_[np.full(genes, np.nan), 10.0 ** (np.arange(rows - genes) % 8 - 5)]
    kind = np.where(np.arange(rows) < genes, "CRISPR", "COMPOUND")
    labels = pd.DataFrame({"perturbation_type": kind, "perturbation": names, "dose": dose})
    embeddings = rng.standard_normal((rows, features), np.float32)
    pairs = rng.integers(0, genes, (2, 100_000))
    known = pd.DataFrame(np.array(names, object)[pairs].T, columns=["entity1", "entity2"])
    return PerturbationMap(embeddings, labels), known


def milliseconds(page, path):
    began = time.perf_counter()
    assert page.get(path).status_code == 200
    return 1e3 * (time.perf_counter() - began)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--features", type=int, default=128)
    features = parser.parse_args().features
    for rows in ROWS:
        map_, known = made(rows, features)
        began = time.perf_counter()
        application = browse.application(MapLookup(map_), "map", sources={"known": known})
        page = TestClient(application, base_url="http://127.0.0.1")
        print(f"{rows:,} x {features}: begun in {time.perf_counter() - began:.2f} s")
        print(f"  {'the map in the plane':<26} {milliseconds(page, '/points'):8.1f}, once")
        row = count(10)  # each is looked up for the first time
        for what, path in ASKED.items():
            times = [milliseconds(page, path.format(row=next(row))) for _ in range(8)][1:]
            print(f"  {what:<26} {median(times):8.1f}")


if __name__ == "__main__":
    main()
