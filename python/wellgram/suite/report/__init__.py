"""A report that a person reads: one HTML file that needs no other."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wellgram.suite.benchmarks import BENCHMARKS
from wellgram.suite.contract import Part
from wellgram.suite.report.figures import inline

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_HERE = Path(__file__).parent
_SPELLED = {
    "without_direction": "left out, since they aggregate to zero",
    "n_wells": "wells aggregated",
    "align": "alignment",
    "aggregate": "aggregated by",
}


def write_report(
    path: Path,
    summary: Mapping[str, Any],
    parts: Mapping[str, Part],
    covariates: Mapping[str, Mapping[str, Part]],
    drawn: "Mapping[str, Axes]",
) -> None:
    """Write the report of a run: headlines, benchmarks, what was skipped, how it was made.

    Parameters
    ----------
    path
        Where.
    summary
        As `wellgram.suite.scoring.ScoreResult` has it.
    parts, covariates
        What benchmarks found of the embedding, and of single numbers.
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
    text = page.render(
        style=(_HERE / "style.css").read_text(encoding="utf-8"),
        title=_title(summary, parts),
        screen=summary["screen"],
        map=summary["map"],
        headlines=[part.headline for part in parts.values() if part.headline is not None],
        sections=[
            {
                "name": benchmark.name,
                "title": benchmark.title,
                "part": parts[benchmark.name],
                "alone": {
                    column: found[benchmark.name]
                    for column, found in covariates.items()
                    if benchmark.name in found
                },
                "figures": [
                    (figure, inline(drawn[name], name, figure.caption))
                    for name, figure in parts[benchmark.name].figures.items()
                ],
            }
            for benchmark in BENCHMARKS
            if benchmark.name in parts
        ],
        skipped={
            benchmark.title: summary[benchmark.name].removeprefix("skipped: ")
            for benchmark in BENCHMARKS
            if benchmark.name not in parts
        },
        facts=_facts(summary),
        inputs=summary.get("inputs", {}),
        seconds={name: f"{value:.2f}" for name, value in summary["seconds"].items()},
    )
    path.write_text(text, encoding="utf-8")


def _title(summary: Mapping[str, Any], parts: Mapping[str, Part]) -> str:
    text = f"A map of {summary['map']['perturbations']:,} perturbations"
    recall = parts["recall"].headline if "recall" in parts else None
    if recall is None:
        return text
    return f"{text} that recalls {recall.value} of known pairs"


def _facts(summary: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return what is known of the screen, the map and the run, in words."""
    run = dict(summary["run"])
    if "command" in summary:
        run["command"] = summary["command"]
    environment = {k: v for k, v in summary["environment"].items() if isinstance(v, str)}
    made = {**run, "peak memory": f"{summary['peak_memory_bytes'] / 1e9:.2f} GB"}
    named = {"Screen": summary["screen"], "Map": summary["map"], "Run": made}
    return {
        title: {_SPELLED.get(name, name): _words(value) for name, value in facts.items()}
        for title, facts in {**named, "Versions": environment}.items()
    }


def _words(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value)
