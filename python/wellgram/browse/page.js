// The page asks, shows, and keeps what is shown in its address; what is near is found elsewhere.
"use strict";

const element = (id) => document.getElementById(id);
const [text, options, count] = ["text", "options", "count"].map(element);
let chosen = -1;
let asking = new AbortController();
let showing = new AbortController();

function make(tag, content, parts = {}) {
  const made = Object.assign(document.createElement(tag), parts);
  made.append(...[content].flat());
  return made;
}

async function ask(path, signal) {
  const answer = await fetch(path, { signal });
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.error);
  return found;
}

function report(problem) {
  if (problem.name === "AbortError") return; // something newer was asked
  element("problem").textContent = problem.message;
  element("problem").hidden = false;
  element("found").hidden = true;
}

// Suggestions

function close() {
  options.hidden = true;
  chosen = -1;
  text.setAttribute("aria-expanded", "false");
  text.removeAttribute("aria-activedescendant");
}

function mark(place) {
  const all = [...options.children];
  chosen = (place + all.length) % all.length;
  all.forEach((option, k) => option.setAttribute("aria-selected", k === chosen));
  all[chosen].scrollIntoView({ block: "nearest" });
  text.setAttribute("aria-activedescendant", all[chosen].id);
}

async function suggest() {
  asking.abort();
  asking = new AbortController();
  if (!text.value.trim()) return close();
  try {
    const found = await ask(`/suggest?text=${encodeURIComponent(text.value)}`, asking.signal);
    const made = found.map(({ row, name }, k) =>
      make("li", name, { id: `option-${k}`, role: "option", onmousedown: (event) => {
        event.preventDefault(); // the field keeps the focus
        go(row);
      } }));
    made.forEach((option, k) => { option.dataset.row = found[k].row; });
    options.replaceChildren(...(made.length ? made : [make("li", "nothing of that name")]));
    options.hidden = false;
    text.setAttribute("aria-expanded", "true");
    chosen = -1;
  } catch (problem) {
    report(problem);
  }
}

text.addEventListener("input", suggest);
text.addEventListener("blur", close);
text.addEventListener("keydown", (event) => {
  const rows = [...options.children].filter((option) => option.dataset.row);
  if (event.key === "Escape") close();
  if (options.hidden || !rows.length) return;
  if (event.key === "ArrowDown") mark(chosen + 1);
  else if (event.key === "ArrowUp") mark(chosen < 0 ? -1 : chosen - 1);
  else if (event.key === "Enter") go(rows[Math.max(chosen, 0)].dataset.row);
  else return;
  event.preventDefault();
});
count.addEventListener("change", () => {
  const { row } = address();
  if (row) go(row);
});

// What is shown

const address = () => Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
const link = (row) => `#row=${row}&k=${count.value}`;

function go(row) {
  asking.abort(); // what is typed matters no more
  close();
  if (location.hash === link(row)) show();
  else location.hash = link(row);
}

function line({ rank, row, name, cosine, percentile }) {
  const bar = make("span", "", { className: cosine < 0 ? "bar below" : "bar" });
  bar.style.setProperty("--share", Math.abs(cosine));
  return make("tr", [
    make("td", String(rank), { className: "number" }),
    make("td", make("a", name, { href: link(row) })),
    make("td", cosine.toFixed(4), { className: "number" }),
    make("td", bar),
    make("td", percentile.toFixed(2), { className: "number" }),
  ]);
}

function fill(table, lines) {
  const head = ["rank", "perturbation", "cosine", "", "percentile"].map((name, k) =>
    make("th", name, { className: k === 1 || k === 3 ? "" : "number" }));
  table.replaceChildren(make("thead", make("tr", head)), make("tbody", lines.map(line)));
}

async function show() {
  showing.abort();
  showing = new AbortController();
  const { row, k } = address();
  if (!row) {
    element("found").hidden = true;
    return;
  }
  if ([...count.options].some((option) => option.value === k)) count.value = k;
  const path = `/neighbors/${encodeURIComponent(row)}`;
  try {
    const found = await ask(`${path}?k=${count.value}`, showing.signal);
    element("name").textContent = found.name;
    element("said").textContent = `Among ${found.partners.toLocaleString("en")} others. ` +
      "Percentile: how many percent of them have no larger cosine with it.";
    for (const side of ["nearest", "farthest"]) {
      fill(element(side), found.neighbors.filter((one) => one.side === side));
    }
    element("download").href = `${path}.csv?k=${count.value}`;
    element("problem").hidden = true;
    element("found").hidden = false;
    text.value = found.name;
    text.select();
    document.title = `${found.name} - wellgram`;
  } catch (problem) {
    report(problem);
  }
}

addEventListener("hashchange", show);
ask("/map").then(({ title, rows }) => {
  element("title").textContent = title;
  element("about").textContent = `A map of ${rows.toLocaleString("en")} perturbations. ` +
    "Look one up to see which are most and least like it, by the cosine of their embeddings.";
  return show();
}).catch(report);
