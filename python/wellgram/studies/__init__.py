"""Studies: the blocks of a network compared, corrections compared, a large job planned."""

from wellgram.studies.block_scores import BlockSearchResult
from wellgram.studies.block_search import search_blocks
from wellgram.studies.corrections import BatchStudyResult, batch_study
from wellgram.studies.machine_rates import Rates, measured_rates
from wellgram.studies.planning import Plan, plan

__all__ = [
    "BatchStudyResult",
    "BlockSearchResult",
    "Plan",
    "Rates",
    "batch_study",
    "measured_rates",
    "plan",
    "search_blocks",
]
