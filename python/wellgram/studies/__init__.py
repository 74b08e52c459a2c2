"""Studies: the blocks of a network compared, corrections compared, a large job planned."""

from wellgram.studies.block_scores import BlockSearchResult
from wellgram.studies.block_search import search_blocks
from wellgram.studies.corrections import BatchStudyResult, batch_study
from wellgram.studies.planning import Plan, Rates, plan

__all__ = [
    "BatchStudyResult",
    "BlockSearchResult",
    "Plan",
    "Rates",
    "batch_study",
    "plan",
    "search_blocks",
]
