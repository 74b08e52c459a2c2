"""A report that a person reads: one HTML file that needs no other."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wellgram.suite.contract import Benchmark, Part, Skipped
from wellgram.suite.report.figures import inline

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from wellgram.suite.score_result import RunRecord, ScoreResult

_HERE = Path(__file__).parent
_LISTED = 12
"""Of a list, so many are shown"""
_SPELLED = {
    "without_direction": "left out, since they aggregate to zero",
    "aligned_by_pooled_map": "batches aligned by the pooled map, for few controls",
    "n_wells": "wells aggregated",
    "align": "alignment",
    "aggregate": "aggregated by",
}


def write_report(
    path: Path,
    result: "ScoreResult",
    benchmarks: Mapping[str, Benchmark],
    drawn: "Mapping[str, Axes]",
) -> None:
    """Write the report of a run: headlines, benchmarks, what was skipped, how it was made.

    Parameters
    ----------
    path
        Where.
    result
        The run.
    benchmarks
        The registry, in whose order they are shown.
    drawn
        The axes of each figure, by its name.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    page = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template("page.html")
    map_facts = {
        "perturbations": len(result.map_),
        "features": result.map_.embeddings.shape[1],
        **result.map_.provenance,
    }
    headlines = [part.presentation.headline for part in result.parts.values()]
    text = page.render(
        style=(_HERE / "style.css").read_text(encoding="utf-8"),
        title=_title(result),
        screen=result.record.screen,
        notes=result.record.notes,
        map=map_facts,
        headlines=[headline for headline in headlines if headline is not None],
        sections=[
            _section(result, name, benchmark.title, drawn)
            for name, benchmark in benchmarks.items()
            if name in result.parts
        ],
        skipped={
            benchmarks[name].title: outcome.reason
            for name, outcome in result.outcomes.items()
            if isinstance(outcome, Skipped)
        },
        facts=_facts(result.record, map_facts),
        inputs=result.record.inputs,
        seconds={name: f"{value:.2f}" for name, value in result.record.seconds.items()},
    )
    path.write_text(text, encoding="utf-8")


def _section(
    result: "ScoreResult", name: str, title: str, drawn: "Mapping[str, Axes]"
) -> dict[str, Any]:
    """Return what the page shows of a benchmark that was run."""
    shown = result.parts[name].presentation
    of_covariates = {column: outcomes[name] for column, outcomes in result.covariates.items()}
    alone = {
        column: outcome.presentation
        for column, outcome in of_covariates.items()
        if isinstance(outcome, Part)
    }
    figures = [
        (figure, inline(drawn[figure_name], figure_name, figure.caption))
        for figure_name, figure in shown.figures.items()
    ]
    return {"name": name, "title": title, "shown": shown, "alone": alone, "figures": figures}


def _title(result: "ScoreResult") -> str:
    text = f"A map of {len(result.map_):,} perturbations"
    recall = result.parts.get("recall")
    if recall is None or recall.presentation.headline is None:
        return text
    headline = recall.presentation.headline
    return f"{text} that recalls {headline.value} of known pairs ({headline.beside})"


def _facts(record: "RunRecord", map_facts: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return what is known of the screen, the map and the run, in words."""
    run: dict[str, Any] = {
        "backend": record.backend_name, "device": record.device, "seed": record.seed,
    }  # fmt: skip
    if record.command is not None:
        run["command"] = record.command
    run["peak memory"] = f"{record.peak_memory_bytes / 1e9:.2f} GB"
    versions = {name: value for name, value in record.environment.items() if isinstance(value, str)}
    groups = {"Screen": record.screen, "Map": map_facts, "Run": run, "Versions": versions}
    return {
        title: {_SPELLED.get(name, name): _words(value) for name, value in facts.items()}
        for title, facts in groups.items()
    }


def _words(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, list):
        more = f" and {len(value) - _LISTED} more" if len(value) > _LISTED else ""
        return (", ".join(map(str, value[:_LISTED])) or "none") + more
    return str(value)
