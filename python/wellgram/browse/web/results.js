// The tables and figures of what was comparison.
import { counted, element, fill, make } from "./elements.js";
import { histogram } from "./histogram.js";

function bar(cosine) {
  const made = make("span", "", { className: cosine < 0 ? "bar below" : "bar" });
  made.style.setProperty("--share", Math.abs(cosine));
  return made;
}

export function showNeighbors(near, hasSources, { link, compared }) {
  element("name").textContent = near.name;
  element("reading").textContent = `Among ${near.partners.toLocaleString("en")} others. ` +
    "Percentile: how many percent of them have no larger cosine with it.";
  element("same").hidden = !near.same.length;
  element("same").replaceChildren("Also of this name: ", ...near.same.flatMap((row, k) =>
    [k ? "; " : "", make("a", row.name, { href: link(row) })]));
  const columns = [["rank", "number"], ["perturbation", "name"], ["cosine", "number"],
    ["size of the cosine", "bars", true], ...(hasSources ? [["known by"]] : []),
    ["compare", "pairing", true], ["percentile", "number"]];
  for (const side of ["nearest", "farthest"]) {
    const rows = near.neighbors.filter((row) => row.side === side);
    fill(element(side), columns, rows.map((row) => [
      String(row.rank),
      make("a", row.name, { href: link(row) }),
      row.cosine.toFixed(4),
      bar(row.cosine),
      ...(hasSources ? [row.known.join(", ")] : []),
      make("a", "⇄", { href: compared(row), title: "compare",
        ariaLabel: `Compare ${near.name} with ${row.name}` }),
      row.percentile.toFixed(2),
    ]));
  }
}

export function showComparison(comparison, hasSources, link) {
  const [one, two] = comparison.perturbations;
  element("pair").textContent = `${one.name} and ${two.name}`;
  const known = comparison.known.length ? ` A known pair of ${comparison.known.join(", ")}.` : "";
  element("likeness").textContent =
    `Cosine ${comparison.cosine.toFixed(4)}: of the others, ${comparison.percentiles[0].toFixed(2)}% have no ` +
    `larger one with ${one.name}, ${comparison.percentiles[1].toFixed(2)}% with ${two.name}.${known}`;
  histogram(element("histogram"), comparison);
  element("sharing").textContent =
    `${counted(comparison.shared.length, "perturbation")} among the nearest of both; ` +
    `by chance ${comparison.expected.toFixed(1)}.`;
  element("shared-box").hidden = !comparison.shared.length;
  const columns = [["perturbation"], ...[one, two].flatMap(({ name }) => [
    [`rank with ${name}`, "number"], [`cosine with ${name}`, "number"],
    ...(hasSources ? [[`known with ${name}`]] : []),
  ])];
  fill(element("shared"), columns, comparison.shared.map((row) => [
    make("a", row.name, { href: link(row) }),
    ...[0, 1].flatMap((k) => [
      String(row.ranks[k]), row.cosines[k].toFixed(4),
      ...(hasSources ? [row.known[k].join(", ")] : []),
    ]),
  ]));
}

const figure = (value, digits) => (value === null ? "∞" : value.toFixed(digits));
const chance = (value) => (value >= 0.001 ? value.toFixed(4) : value.toExponential(1));

export function showFeatures(fitted) {
  element("fitted").textContent =
    `${counted(fitted.wells, "well")} against ${counted(fitted.controls, "control")} on ` +
    `${counted(fitted.plates, "plate")}: ${fitted.significant.toLocaleString("en")} of ` +
    `${counted(fitted.features, "feature")} have q of at most 0.05 (Benjamini-Hochberg); ` +
    `${fitted.differences.length} are shown.`;
  fill(element("differences"),
    [["feature"], ["difference", "number"], ["t", "number"], ["Cohen's d", "number"],
      ["p", "number"], ["q", "number"]],
    fitted.differences.map((row) => [
      row.feature, row.difference.toPrecision(3), figure(row.t, 2), figure(row.cohens_d, 2),
      chance(row.p_value), chance(row.q_value),
    ]));
}
