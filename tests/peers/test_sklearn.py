"""PCA with centring and scaling per batch, against scikit-learn's PCA and StandardScaler."""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from wellgram import PCACenterScale, Wells
from wellgram.simulate import rxrx3_core


def test_pca_center_scale_has_the_cosines_and_norms_of_scikit_learn():
    screen = rxrx3_core(scale=0.02, seed=2, features=96)
    wells = screen.wells()
    x = screen.embeddings.astype(np.float64)
    controls = wells.metadata["is_control"].to_numpy()
    theirs = PCA(svd_solver="full").fit(x[controls]).transform(x)
    for name in wells.metadata["batch"].unique():
        rows = (wells.metadata["batch"] == name).to_numpy()
        scaler = StandardScaler().fit(theirs[rows & controls])
        theirs[rows] = scaler.transform(theirs[rows])
    ours = PCACenterScale().fit_transform(Wells(x, wells.metadata))
    # Axes have no sign, so coordinates are compared without theirs.
    np.testing.assert_allclose(np.abs(ours), np.abs(theirs), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(ours @ ours[:500].T, theirs @ theirs[:500].T, rtol=1e-6, atol=1e-6)
