// Two histograms in one picture: the cosines of two perturbations with all others.
import { make } from "./elements.js";

const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP] = [640, 220, 8, 28, 30];

function svg(tag, parts, content = []) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(parts)) made.setAttribute(name, value);
  made.append(...[content].flat());
  return made;
}

function outline(counts, x, y) {
  const steps = counts.flatMap((count, k) => [[x(k), y(count)], [x(k + 1), y(count)]]);
  return `M${x(0)},${y(0)}${steps.map(([a, b]) => `L${a.toFixed(1)},${b.toFixed(1)}`).join("")}` +
    `L${x(counts.length)},${y(0)}`;
}

export function histogram(figure, { edges, counts, cosine, known_cosines: known, perturbations }) {
  const [low, high] = [Math.min(edges[0], cosine), Math.max(edges[1], cosine)];
  const across = (value) => LEFT + (value - low) / (high - low) * (WIDTH - 2 * LEFT);
  const bin = (k) => across(edges[0] + k * (edges[1] - edges[0]) / counts[0].length);
  const most = Math.max(...counts.flat(), 1);
  const up = (count) => HEIGHT - BOTTOM - count / most * (HEIGHT - BOTTOM - TOP);
  const base = HEIGHT - BOTTOM;
  const names = perturbations.map(({ name }) => name);
  const ticks = [low, low + (high - low) / 2, high];
  const parts = [
    ...["one", "two"].map((side, k) => svg("path", { d: outline(counts[k], bin, up), class: side })),
    ...known.flatMap((cosines, k) => cosines.map((value) => svg("path", {
      d: `M${across(value)},${base}v${k ? 8 : -8}`, class: `known ${k ? "two" : "one"}`,
    }))),
    svg("path", { d: `M${LEFT},${base}H${WIDTH - LEFT}`, class: "axis" }),
    svg("path", { d: `M${across(cosine)},${base}V${TOP - 6}`, class: "between" }),
    svg("text", { x: across(cosine), y: TOP - 12,
      "text-anchor": across(cosine) > WIDTH / 2 ? "end" : "start" },
    `with each other: ${cosine.toFixed(3)}`),
    ...ticks.map((value, k) => svg("text", { x: across(value), y: HEIGHT - 6,
      "text-anchor": ["start", "middle", "end"][k] }, value.toFixed(2))),
  ];
  const title = `Cosines of ${names[0]} and of ${names[1]} with all others`;
  const marked = known.flat().length ? "; short lines are known partners" : "";
  figure.replaceChildren(
    svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": title }, parts),
    make("figcaption", [
      make("span", "", { className: "key one" }), ` ${names[0]} `,
      make("span", "", { className: "key two" }), ` ${names[1]}: cosines with all others${marked}.`,
    ], { className: "note" }),
  );
}
