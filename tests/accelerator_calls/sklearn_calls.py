"""Calls of scikit-learn as notebooks make them: run by ``.ci/accelerator_versions.py``."""

import numpy as np
import pandas as pd
import sklearn
from recording import call
from scipy import sparse
from sklearn.metrics import silhouette_samples, silhouette_score
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.neighbors import NearestNeighbors

rng = np.random.default_rng(0)
x, y = rng.normal(size=(90, 30)), rng.normal(size=(70, 30))
zero, missing, tiny, huge = x.copy(), x.copy(), x.copy(), x.copy()
zero[3], missing[3, 3], tiny[3], huge[3] = 0, np.nan, x[3] * 1e-200, x[3] * 1e200
narrow = x.astype("f4")
tiny_narrow, huge_narrow = narrow.copy(), narrow.copy()
tiny_narrow[3] *= np.float32(1e-25)
short, short_narrow = x.copy(), narrow.copy()  # taken for rows of zeros
short[3] *= 1e-17
short_narrow[3] *= np.float32(1e-8)
huge_narrow[3] *= np.float32(1e20)
for name, args in {
    "one": (x,), "two": (x, y), "float32": (narrow,), "float32 of two": (narrow, y.astype("f4")),
    "mixed": (narrow, y), "few": (x[:9],), "few of many": (x[:9], y),
    "columns": (np.asfortranarray(x),), "every second": (x[::2], y[::2]),
    "table": (pd.DataFrame(x),),
    "lists": (x.tolist(),),
    "sparse": (sparse.csr_matrix(x),), "integers": ((x * 9).astype(int),), "zeros": (zero,),
    "NaN": (missing,), "tiny": (tiny,), "huge": (huge,), "tiny float32": (tiny_narrow,),
    "short": (short,), "short float32": (short_narrow,),
    "huge float32": (huge_narrow,), "no rows": (x[:0],), "other features": (x, y[:, :9]),
    "a row": (x[0],), "half": (x.astype("f2"),), "masked": (np.ma.masked_array(x),),
    "matrix": (np.asmatrix(x),), "booleans": (x > 0,),
    "read only": (np.broadcast_to(x[0], x.shape),),
}.items():  # fmt: skip
    call(name, cosine_similarity, *args)
for dense in ("yes", None, 1, False):
    call(f"dense_output={dense!r}", cosine_similarity, x, dense_output=dense)
call("keywords", cosine_similarity, X=x, Y=y)
call("by place", cosine_similarity, x, None, True)
call("no arguments", cosine_similarity)
with sklearn.config_context(assume_finite=True):
    call("NaN, assumed finite", cosine_similarity, missing)
with sklearn.config_context(array_api_dispatch=False):
    call("no dispatch", cosine_similarity, x)

# what is replaced where scikit-learn is asked for
classes = np.arange(90) % 4
apart = x + 2 * rng.normal(size=(4, 30))[classes]
for metric in ("euclidean", "cosine", "manhattan"):
    for name, rows in {"float64": apart, "float32": apart.astype("f4"), "zeros": zero}.items():
        call(f"silhouettes, {metric}, {name}", silhouette_samples, rows, classes, metric=metric)
        call(f"silhouette, {metric}, {name}", silhouette_score, rows, classes, metric=metric,
             sample_size=60, random_state=0)  # fmt: skip
call("silhouette of texts", silhouette_score, apart, np.array(list("abcd"))[classes])
call("silhouette of a class", silhouette_score, apart, np.zeros(90))
call("silhouette of too few labels", silhouette_score, apart, classes[:-1])
many = rng.normal(size=(300, 30))
for name, rows in {
    "float64": many, "float32": many.astype("f4"), "ties": many.round(), "table": pd.DataFrame(many)
}.items():  # fmt: skip
    for metric in ("cosine", "euclidean"):
        model = NearestNeighbors(n_neighbors=4, metric=metric, algorithm="brute").fit(rows)
        call(f"neighbors, {metric}, {name}", model.kneighbors)
        call(f"neighbors of others, {metric}, {name}", model.kneighbors, rows[:9] + 1)
        call(f"neighbors alone, {metric}, {name}", model.kneighbors, rows[:9], 3, False)
call("no such neighbors", model.kneighbors, many, 301)
