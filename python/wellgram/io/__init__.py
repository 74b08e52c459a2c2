"""Files in and out: screens, maps, known relationships, targets and sets of genes."""

from wellgram.io.anndata_objects import from_anndata, to_anndata
from wellgram.io.block_files import Blocks, open_blocks
from wellgram.io.gene_sets import read_gene_sets
from wellgram.io.layouts import LAYOUTS, Layout
from wellgram.io.map_files import MapFile, open_map, read_map, write_map
from wellgram.io.relationships import read_relationships, relationship_sources
from wellgram.io.screens import open_wells, read_wells, wells_from_frame
from wellgram.io.targets import read_targets

__all__ = [
    "LAYOUTS",
    "Blocks",
    "Layout",
    "MapFile",
    "from_anndata",
    "open_blocks",
    "open_map",
    "open_wells",
    "read_gene_sets",
    "read_map",
    "read_relationships",
    "read_targets",
    "read_wells",
    "relationship_sources",
    "to_anndata",
    "wells_from_frame",
    "write_map",
]
