"""Which columns of a Cell Painting table measure cells, by name, and which number or place them.

CellProfiler writes measurements of objects (``Cells_AreaShape_Area``) beside numbers of images and
objects, coordinates, and what is known of the image. A table saved with its index, or joined with
metadata whose names lack the prefix ``Metadata_``, has more such columns. Taken for features they
tell wells apart by where they lie.
"""

import re

_NUMBERS = re.compile(
    r"(^|_)(ImageNumber|ObjectNumber|TableNumber|Number_Object_Number|Parent_\w+)$"
)
_COORDINATES = re.compile(
    r"(^|_)Location_\w+$|(^|_)(AreaShape_)?(Center|BoundingBoxM(ax|in)imum)_[XYZ]$"
)
_OF_IMAGES = re.compile(
    r"^Image_(Channel|ExecutionTime|FileName|Frame|Group|Height|MD5Digest|ModuleError|PathName"
    r"|ProcessingStatus|Scaling|Series|URL|Width)_?|(^|_)Metadata_"
)
_WORDS = frozenset(
    {
        "index", "level0", "id", "row", "col", "column", "x", "y", "z", "position",
        "well", "wellid", "wellrow", "wellcol", "wellcolumn", "wellposition",
        "plate", "plateid", "platename", "platebarcode", "barcode", "batch", "batchid",
        "experiment", "experimentid", "run", "source", "replicate", "replicateid", "rep",
        "site", "siteid", "field", "fieldid", "fov", "image", "imageid", "cellid",
        "concentration", "concentrationum", "conc", "concum", "dose", "doseum", "doselevel",
        "time", "timepoint", "hours", "passage", "treatmentid", "compoundid", "perturbationid",
        "geneid",
    }
)  # fmt: skip
"""Names without the prefix, in small letters and digits alone"""


def is_measurement(column: str) -> bool:
    """Whether a column measures cells, as far as its name says.

    Examples
    --------
    >>> is_measurement("Cells_AreaShape_Area"), is_measurement("Nuclei_Location_Center_X")
    (True, False)
    >>> is_measurement("emb_0"), is_measurement("ImageNumber"), is_measurement("Concentration_uM")
    (True, False, False)
    """
    plain = re.sub(r"[^a-z0-9]", "", column.casefold().replace("\N{MICRO SIGN}", "u"))
    return plain not in _WORDS and not any(
        kind.search(column) for kind in (_NUMBERS, _COORDINATES, _OF_IMAGES)
    )
