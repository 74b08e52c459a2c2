// The page asks, shows, and keeps what is shown in its address.
import { current, linkTo, main, second } from "./address.js";
import { Combobox } from "./combobox.js";
import { showComparison, showFeatures, showNeighbors } from "./results.js";
import { ask, counted, element, make } from "./elements.js";
import { MapPicture } from "./map_picture.js";

const [count, type] = [element("count"), element("type")];
let showing = new AbortController();
let picture = null;
let choices = { types: [], sources: [], wells: false };

function report(problem) {
  if (problem.name === "AbortError") return; // something newer was asked
  element("problem").textContent = problem.message;
  element("problem").hidden = false;
  element("found").hidden = true;
  element("choice").hidden = true;
}

const settings = () => ({ k: count.value, type: type.value });
const link = (row) => linkTo({ ...main(row), ...settings() });

function go(address) {
  if (location.hash === address) show();
  else location.hash = address;
}

const text = new Combobox("text", "options", "shown", {
  type: () => type.value,
  choose: (typed, match) => go(match ? link(match) : linkTo({ of: typed, ...settings() })),
  report,
});
const other = new Combobox("other", "other-options", "other-shown", {
  type: () => type.value,
  choose: (typed, match) => {
    const { of, row } = current();
    go(linkTo({ of, row, ...(match ? second(match) : { with: typed }), ...settings() }));
  },
  report,
});
for (const select of [count, type]) {
  select.addEventListener("change", () => go(linkTo({ ...current(), ...settings() })));
}

// The row that a text or a number names; else what may be meant.
async function resolved(typed, row, signal) {
  if (row !== undefined) return { rows: [{ row, address: null }], named: 1 };
  const query = new URLSearchParams({ text: typed, type: type.value });
  return ask(`/find?${query}`, signal);
}

function question(typed, { rows, named, total, matches, alike }) {
  if (named) return [`${counted(named, "row")} of ${typed}`, rows];
  if (matches.length) {
    const some = total > matches.length ? `, of which ${matches.length} are shown` : "";
    return [`Nothing is called ${typed}; ${total.toLocaleString("en")} perturbations hold it${some}`,
      matches];
  }
  return alike.length ? [`Nothing is called ${typed}. Did you mean:`, alike]
    : [`Nothing is called ${typed}, or spelled like it.`, []];
}

const answers = (rows, address) => rows.map((match) => make("li", [
  make("a", match.name, { href: address(match) }),
  ...(match.rows > 1 ? [make("span", ` ${match.rows} rows`, { className: "rows" })] : []),
]));

function choose(typed, meaning) {
  const [title, rows] = question(typed, meaning);
  element("question").textContent = title;
  element("answers").replaceChildren(...answers(rows, link));
  element("choice").hidden = false;
  element("found").hidden = true;
  element("status").textContent = title;
  document.title = `${typed} - wellgram`;
  picture?.mark({ type: type.selectedIndex });
}

async function show() {
  showing.abort();
  showing = new AbortController();
  const { signal } = showing;
  const asked = current();
  if ([...count.options].some((option) => option.value === asked.k)) count.value = asked.k;
  type.value = [...type.options].some((option) => option.value === asked.type) ? asked.type : "";
  element("problem").hidden = true;
  if (asked.of === undefined && asked.row === undefined) {
    element("found").hidden = element("choice").hidden = true;
    element("examples").hidden = false;
    document.title = "wellgram";
    picture?.mark({ type: type.selectedIndex });
    return;
  }
  const edits = [text.edits, other.edits];
  try {
    const meaning = await resolved(asked.of, asked.row, signal);
    if (meaning.named !== 1) {
      text.show(asked.of, edits[0]);
      return choose(asked.of, meaning);
    }
    const query = `?${new URLSearchParams({ k: count.value, type: type.value })}`;
    const path = `/neighbors/${encodeURIComponent(meaning.rows[0].row)}`;
    const near = await ask(path + query, signal);
    element("examples").hidden = element("choice").hidden = true;
    const here = main(near);
    const compared = (row) => linkTo({ ...here, ...second(row), ...settings() });
    showNeighbors(near, choices.sources.length > 0, { link, compared });
    element("download").href = `${path}.csv${query}`;
    element("found").hidden = false;
    element("status").textContent = `Neighbors of ${near.name}`;
    text.show(near.name, edits[0]);
    document.title = `${near.name} - wellgram`;
    const nearest = near.neighbors.filter(({ side }) => side === "nearest").slice(0, 25);
    const marks = { row: near.row, near: nearest.map(({ row }) => row), type: type.selectedIndex };
    picture?.mark(marks);
    await Promise.all([
      compare(near, asked, query, edits[1], marks, signal), features(near, signal),
    ]);
  } catch (problem) {
    report(problem);
  }
}

async function compare(near, asked, query, edits, marks, signal) {
  const box = element("comparison");
  if (asked.with === undefined && asked.withRow === undefined) {
    box.hidden = true;
    other.show("", edits);
    return rename({ ...main(near) });
  }
  const meaning = await resolved(asked.with, asked.withRow, signal);
  const several = element("other-answers");
  several.hidden = meaning.named === 1;
  for (const id of ["histogram", "shared-title", "shared-box", "sharing", "download-shared"]) {
    element(id).hidden = meaning.named !== 1;
  }
  box.hidden = false;
  if (meaning.named !== 1) {
    other.show(asked.with, edits);
    const [title, rows] = question(asked.with, meaning);
    element("pair").textContent = title;
    element("likeness").textContent = "";
    several.replaceChildren(...answers(rows, (match) =>
      linkTo({ ...main(near), ...second(match), ...settings() })));
    return undefined;
  }
  const path = `/compare/${near.row}/${encodeURIComponent(meaning.rows[0].row)}`;
  const comparison = await ask(path + query, signal);
  const mate = comparison.perturbations[1];
  showComparison(comparison, choices.sources.length > 0, link);
  element("download-shared").href = `${path}.csv${query}`;
  other.show(mate.name, edits);
  picture?.mark({ ...marks, other: mate.row });
  return rename({ ...main(near), ...second(mate) });
}

// What was typed becomes the name that it means, so that the address can be given to others.
const rename = (rows) => history.replaceState(null, "", linkTo({ ...rows, ...settings() }));

async function features(near, signal) {
  const box = element("features");
  box.hidden = !choices.wells;
  if (!choices.wells) return;
  const path = `/features/${near.row}`;
  element("download-features").href = `${path}.csv`;
  try {
    showFeatures(await ask(path, signal));
  } catch (problem) {
    if (problem.name === "AbortError") return;
    element("fitted").textContent = problem.message;
    element("differences").replaceChildren();
  }
}

addEventListener("hashchange", show);
try {
  const [about, offered] = await Promise.all([ask("/map"), ask("/choices")]);
  choices = offered;
  element("title").textContent = about.title;
  element("about").textContent =
    `A map of ${about.rows.toLocaleString("en")} perturbations. Look one up to see which are ` +
    "most and least like it, by the cosine of their embeddings.";
  type.append(...choices.types.map((name) => make("option", name, { value: name })));
  element("of-type").hidden = choices.types.length < 2;
  choices.examples.forEach((row, k) =>
    element("examples").append(k ? ", " : "", make("a", row.name, { href: link(row) })));
  picture = new MapPicture(choices.types, (row) => go(linkTo({ row, ...settings() })));
  await Promise.all([show(), picture.load()]);
} catch (problem) {
  report(problem);
}
