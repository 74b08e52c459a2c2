// Elements of the page, and questions to the server.

export const element = (id) => document.getElementById(id);

export function make(tag, content = [], parts = {}) {
  const made = Object.assign(document.createElement(tag), parts);
  made.append(...[content].flat());
  return made;
}

export async function ask(path, signal) {
  const answer = await fetch(path, { signal });
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.error);
  return content;
}

export const counted = (count, noun) =>
  `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;

// A table: `columns` are [title, class, whether the title is for screen readers alone].
export function fill(table, columns, rows) {
  const head = columns.map(([title, className = "", unseen = false]) =>
    make("th", unseen ? make("span", title, { className: "unseen" }) : title,
      { className, scope: "col" }));
  const lines = rows.map((cells) => make("tr", cells.map((cell, k) =>
    make("td", cell, { className: columns[k][1] ?? "" }))));
  table.replaceChildren(make("thead", make("tr", head)), make("tbody", lines));
}
