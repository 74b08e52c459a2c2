// A field with suggestions. Enter takes what is typed, or the suggestion that arrow keys marked.
import { ask, counted, element, make } from "./elements.js";

export class Combobox {
  #field;
  #list;
  #note;
  #asking = new AbortController();
  #marked = -1;
  #shown = [];

  // `type()` is the type of perturbations to suggest; `choose(text, match)` is told what was taken,
  // a match where one was picked from the list.
  constructor(id, optionsId, noteId, { type, choose, report }) {
    this.#field = element(id);
    this.#list = element(optionsId);
    this.#note = element(noteId);
    this.type = type;
    this.choose = choose;
    this.report = report;
    this.edits = 0; // how often somebody changed the text
    this.#field.addEventListener("input", () => this.#edited());
    this.#field.addEventListener("blur", () => this.#close());
    this.#field.addEventListener("keydown", (event) => this.#key(event));
  }

  // Show a name, unless somebody typed since `edits` was read.
  show(name, edits) {
    if (this.edits !== edits) return;
    this.#field.value = name;
    if (document.activeElement === this.#field) this.#field.select();
  }

  async #edited() {
    this.edits += 1;
    this.#mark(-1); // it was marked for another text
    this.#asking.abort();
    this.#asking = new AbortController();
    const text = this.#field.value;
    if (!text.trim()) return this.#close();
    const query = new URLSearchParams({ text, type: this.type() });
    try {
      const { total, matches } = await ask(`/suggest?${query}`, this.#asking.signal);
      this.#open(matches, total);
    } catch (problem) {
      this.report(problem);
    }
  }

  #open(matches, total) {
    this.#shown = matches;
    this.#marked = -1;
    const options = matches.map((match, k) => {
      const option = make("li", match.name,
        { id: `${this.#list.id}-${k}`, role: "option", ariaSelected: "false" });
      if (match.rows > 1) option.append(make("span", ` ${match.rows} rows`, { className: "rows" }));
      option.addEventListener("mousedown", (event) => {
        event.preventDefault(); // the field keeps the focus
        this.#take(match.name, match);
      });
      return option;
    });
    this.#list.replaceChildren(...options);
    this.#list.hidden = !options.length;
    this.#field.setAttribute("aria-expanded", String(Boolean(options.length)));
    this.#note.textContent = !total ? "nothing of that name"
      : total > matches.length ? `${matches.length} of ${counted(total, "match").replace(/s$/, "es")}`
      : "";
  }

  #close() {
    this.#asking.abort();
    this.#list.hidden = true;
    this.#shown = [];
    this.#note.textContent = "";
    this.#field.setAttribute("aria-expanded", "false");
    this.#mark(-1);
  }

  #mark(place) {
    const options = [...this.#list.children];
    this.#marked = place;
    options.forEach((option, k) => option.setAttribute("aria-selected", String(k === place)));
    if (place < 0) return this.#field.removeAttribute("aria-activedescendant");
    options[place].scrollIntoView({ block: "nearest" });
    this.#field.setAttribute("aria-activedescendant", options[place].id);
  }

  #take(text, match) {
    this.#close(); // what is typed is asked about no more
    this.choose(text, match);
  }

  #key(event) {
    if (event.isComposing) return; // Enter ends a letter that is being put together
    const count = this.#list.hidden ? 0 : this.#shown.length;
    if (event.key === "Escape") this.#close();
    else if (event.key === "Enter") {
      const text = this.#field.value;
      if (this.#marked >= 0) this.#take(text, this.#shown[this.#marked]);
      else if (text.trim()) this.#take(text, null);
    } else if (event.key === "ArrowDown" && count) this.#mark((this.#marked + 1) % count);
    else if (event.key === "ArrowUp" && count) {
      this.#mark(((this.#marked < 0 ? 0 : this.#marked) - 1 + count) % count);
    } else return;
    event.preventDefault();
  }
}
