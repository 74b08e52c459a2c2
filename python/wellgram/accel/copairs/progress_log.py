"""What copairs tells its logger of each step, which its notebooks show."""

import logging

PAIRS = ("Indexing metadata...", "Finding positive pairs...", "Finding negative pairs...")
SIMILARITIES = ("Computing positive similarities...", "Computing negative similarities...")
RANKS = ("Building rank lists...", "Computing average precision...", "Creating result DataFrame...")
NORMALIZED = ("Computing normalized average precision...",)
LABELS = ("Computing AP per label...", "Creating result DataFrame...")
MEANS = ("Computing null_dist...", "Computing p-values...")


def tell(*steps: str) -> None:
    """Tell the logger of copairs of steps: at their end, when the original is not to run again."""
    logger = logging.getLogger("copairs")
    for step in steps:
        logger.info(step)
