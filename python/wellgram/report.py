"""A report that a person reads: one self-contained HTML file."""

import base64
import io
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wellgram.plots import save_png
from wellgram.suite import BENCHMARKS, Part
from wellgram.wells import PerturbationMap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2733; --paper: #fff; --rule: #d8dee6; --soft: #5b6875 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6ebf1; --paper: #14191f; --rule: #323c48; --soft: #9aa7b4 }
  img { filter: invert(0.9) hue-rotate(180deg) }
}
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
       max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin-top: 2.2rem }
p.soft, figcaption, th { color: var(--soft) }
.scroll { overflow-x: auto }
table { border-collapse: collapse; font-size: 0.9rem }
th, td { text-align: left; padding: 0.25rem 1rem 0.25rem 0; border-bottom: 1px solid var(--rule) }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums }
figure { margin: 1rem 0; max-width: 42rem } img { max-width: 100%; height: auto }
@media print { body { margin: 0; max-width: none } }
"""


def write_report(
    path: Path,
    summary: Mapping[str, Any],
    map_: PerturbationMap,
    parts: Mapping[str, Part],
    baselines: Mapping[str, Mapping[str, Part]],
) -> None:
    """Write the report of a run: headline, benchmarks, what was skipped, map, how it was made."""
    html = [f"<h1>{escape(_headline(map_, parts))}</h1>", _lead(summary)]
    for benchmark in BENCHMARKS:
        part = parts.get(benchmark.name)
        if part is None:
            continue
        html += [f"<h2>{escape(benchmark.title)}</h2>", f"<p>{escape(part.text)}</p>"]
        html.append(_table(part.head, part.rows))
        for column, of_number in baselines.items():
            if benchmark.name in of_number:
                alone = of_number[benchmark.name]
                html += [f"<p>By {escape(column)} alone:</p>", _table(alone.head, alone.rows)]
        html += [_figure(draw(), caption) for draw, caption in part.figures.values()]
    skipped = {
        benchmark.title: summary[benchmark.name].removeprefix("skipped: ")
        for benchmark in BENCHMARKS
        if benchmark.name not in parts
    }
    if skipped:
        html += ["<h2>Skipped</h2>", _pairs(skipped)]
    html += ["<h2>Map</h2>", _pairs(summary["map"]), "<h2>Screen</h2>", _pairs(summary["screen"])]
    made = {
        **summary["run"],
        **{f"seconds: {name}": value for name, value in summary["seconds"].items()},
        "peak memory": f"{summary['peak_memory_bytes'] / 1e9:.2f} GB",
        **{k: v for k, v in summary["environment"].items() if isinstance(v, str)},
        **{k: summary[k] for k in ("command", "inputs") if k in summary},
    }
    html += ["<h2>How it was made</h2>", _pairs(made)]
    path.write_text(
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>wellgram report</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(html)
        + "\n</body></html>\n",
        encoding="utf-8",
    )


def _headline(map_: PerturbationMap, parts: Mapping[str, Part]) -> str:
    text = f"A map of {len(map_):,} perturbations"
    if "recall" not in parts:
        return text
    table = parts["recall"].result.table
    best = table[table["known_pairs"] > 0].iloc[0]
    return (
        f"{text}, {best['recall']:.1%} of known pairs recalled "
        f"({best['source']}, tails {best['low']:g} / {best['high']:g}; chance {best['random']:.0%})"
    )


def _lead(summary: Mapping[str, Any]) -> str:
    screen, made = summary["screen"], summary["map"]
    count = screen["batches"]
    batches = "no batches" if count == 0 else "one batch" if count == 1 else f"{count:,} batches"
    return (
        f'<p class="soft">From {screen["wells"]:,} wells of {screen["features"]} features in '
        f"{batches}; alignment {escape(made['align'])}, aggregated by {escape(made['aggregate'])}."
        "</p>"
    )


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    def cells(values: Iterable[str], tag: str) -> str:
        classes = ["", *[' class="number"'] * 9]
        return "".join(
            f"<{tag}{kind}>{escape(str(value))}</{tag}>"
            for value, kind in zip(values, classes, strict=False)
        )

    body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    return (
        f'<div class="scroll"><table><thead><tr>{cells(head, "th")}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _pairs(values: Mapping[str, Any]) -> str:
    body = "".join(
        f"<tr><th>{escape(str(name))}</th><td>{escape(_text(value))}</td></tr>"
        for name, value in values.items()
    )
    return f'<div class="scroll"><table><tbody>{body}</tbody></table></div>'


def _text(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value)


def _figure(axes: "Axes", caption: str) -> str:
    image = io.BytesIO()
    save_png(axes, image)
    data = base64.b64encode(image.getvalue()).decode()
    return (
        f'<figure><img alt="{escape(caption)}" src="data:image/png;base64,{data}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )
