"""The summary of a run as plain data: what ``summary.json`` holds."""

from collections.abc import Hashable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pandas as pd

from wellgram.suite.contract import Outcome, Part

if TYPE_CHECKING:
    from wellgram.suite.score_result import ScoreResult


def summary_of(result: "ScoreResult") -> dict[str, Any]:
    """Return a run as dicts, lists, numbers, text and None.

    A benchmark is a list of records, or ``{"skipped": reason}``.
    """
    record = result.record
    summary: dict[str, Any] = {
        "screen": dict(record.screen),
        "notes": list(record.notes),
        "map": {
            "perturbations": len(result.map_),
            "features": result.map_.embeddings.shape[1],
            **dict(result.map_.provenance),
        },
        **_outcomes(result.outcomes),
    }
    if result.covariates:
        summary["covariates"] = {
            column: _outcomes(outcomes) for column, outcomes in result.covariates.items()
        }
    summary |= {
        "seconds": dict(record.seconds),
        "peak_memory_bytes": record.peak_memory_bytes,
        "run": {
            "backend": record.backend_name,
            "device": record.device,
            "seed": record.seed,
            "taken_up": list(record.taken_up),
        },
        "files": result.files,
        "environment": dict(record.environment),
    }
    if record.command is not None:
        summary["command"] = record.command
    if record.inputs:
        unknown = {"bytes": None, "sha256": None}
        summary["inputs"] = {
            path: unknown if checksum is None else asdict(checksum)
            for path, checksum in record.inputs.items()
        }
    return summary


def _outcomes(outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    return {
        name: _records(outcome.findings.records)
        if isinstance(outcome, Part)
        else {"skipped": outcome.reason}
        for name, outcome in outcomes.items()
    }


def _records(table: pd.DataFrame) -> list[dict[Hashable, Any]]:
    """Return the rows of a table; JSON has no NaN, so what is missing becomes None."""
    return table.astype(object).where(table.notna(), None).to_dict("records")
