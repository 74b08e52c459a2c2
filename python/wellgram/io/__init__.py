"""Files in and out: screens, maps, known relationships, targets and sets of genes."""

from wellgram.io.anndata_objects import from_anndata, to_anndata
from wellgram.io.block_files import Blocks, open_blocks
from wellgram.io.formats import FORMATS, register_format
from wellgram.io.gene_sets import read_gene_sets
from wellgram.io.layouts import LAYOUTS, Layout
from wellgram.io.map_files import MapFile, open_map, read_map, write_map
from wellgram.io.map_tables import map_table
from wellgram.io.places import source_of
from wellgram.io.relationships import read_relationships, relationship_sources
from wellgram.io.screens import open_wells, read_wells, wells_from_frame
from wellgram.io.table_format import Format
from wellgram.io.tables import ArrowTable, Part, Table
from wellgram.io.targets import read_targets

__all__ = [
    "FORMATS",
    "LAYOUTS",
    "ArrowTable",
    "Blocks",
    "Format",
    "Layout",
    "MapFile",
    "Part",
    "Table",
    "from_anndata",
    "map_table",
    "open_blocks",
    "open_map",
    "open_wells",
    "read_gene_sets",
    "read_map",
    "read_relationships",
    "read_targets",
    "read_wells",
    "register_format",
    "relationship_sources",
    "source_of",
    "to_anndata",
    "wells_from_frame",
    "write_map",
]
