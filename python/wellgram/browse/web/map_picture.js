// The map as points to look at, to point at and to go through by keys.
import { ask, element, make } from "./elements.js";

const COLORS = ["--grey", "--blue", "--orange", "--green", "--pink", "--amber"];
const [REACH, MARGIN, CLOSEST] = [12, 14, 200];
const DIRECTIONS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };

export class MapPicture {
  #canvas = element("map");
  #words = element("pointed");
  #points = new Uint16Array();
  #view = { scale: 1, x: 0.5, y: 0.5 }; // the middle of what is seen, in shares of the map
  #marks = { row: -1, other: -1, near: [], type: 0 };
  #pointed = -1;
  #drag = null;
  #waiting;

  constructor(types, go) {
    this.types = types;
    this.go = go;
    const canvas = this.#canvas;
    new ResizeObserver(() => this.#draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#draw());
    canvas.addEventListener("pointerdown", (event) => this.#hold(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", (event) => this.#release(event));
    canvas.addEventListener("pointercancel", () => { this.#drag = null; });
    canvas.addEventListener("pointerleave", () => this.#point(-1));
    canvas.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    canvas.addEventListener("keydown", (event) => this.#key(event));
    element("closer").addEventListener("click", () => this.#zoom(2));
    element("wider").addEventListener("click", () => this.#zoom(0.5));
    element("whole").addEventListener("click", () => this.#whole());
    this.#legend();
  }

  async load() {
    const answer = await fetch("/points");
    if (!answer.ok) throw new Error((await answer.json()).error);
    this.#points = new Uint16Array(await answer.arrayBuffer());
    this.#draw();
    this.#canvas.dataset.points = String(this.#points.length / 3);
  }

  mark(marks) {
    this.#marks = { row: -1, other: -1, near: [], type: 0, ...marks };
    this.#draw();
  }

  #legend() {
    const keys = this.types.flatMap((type, k) => {
      const key = make("span", "", { className: "key" });
      key.style.setProperty("--color", `var(${this.#name(k + 1)})`);
      return [key, ` ${type} `];
    });
    element("legend").replaceChildren(...keys,
      "The two directions of most variance. Click a point to look it up; turn the wheel to zoom, " +
      "drag to move.");
  }

  #name(code) {
    return COLORS[code < COLORS.length ? code : 0];
  }

  // Where a point is in the canvas, in pixels of the page.
  #place(row) {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const side = (Math.min(width, height) - 2 * MARGIN) * this.#view.scale;
    return [
      width / 2 + (this.#points[3 * row] / 65535 - this.#view.x) * side,
      height / 2 + (this.#view.y - this.#points[3 * row + 1] / 65535) * side,
    ];
  }

  #draw() {
    const canvas = this.#canvas, ratio = devicePixelRatio;
    canvas.width = canvas.clientWidth * ratio;
    canvas.height = canvas.clientHeight * ratio;
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const color = (name) => {
      canvas.style.color = `var(${name})`; // so that it is the color of the light or the dark page
      return getComputedStyle(canvas).color;
    };
    const count = this.#points.length / 3;
    const size = count > 20000 ? 1.5 : count > 2000 ? 2.5 : 4;
    const { row, other, near, type } = this.#marks;
    for (let code = 0; code <= this.types.length; code++) {
      pen.fillStyle = color(this.#name(code));
      pen.globalAlpha = type && code !== type ? 0.08 : 0.55;
      for (let k = 0; k < count; k++) {
        if (this.#points[3 * k + 2] !== code) continue;
        const [x, y] = this.#place(k);
        pen.fillRect(x - size / 2, y - size / 2, size, size);
      }
    }
    pen.globalAlpha = 1;
    const ring = (place, radius, filled) => {
      const [x, y] = this.#place(place);
      pen.beginPath();
      pen.arc(x, y, radius, 0, 2 * Math.PI);
      if (filled) pen.fill(); else pen.stroke();
    };
    pen.strokeStyle = pen.fillStyle = color("--ink");
    pen.lineWidth = 1.5;
    if (!count) return;
    near.forEach((place) => ring(place, 4, false));
    for (const place of [row, other]) if (place >= 0) ring(place, 6, true);
    if (this.#pointed >= 0) ring(this.#pointed, 9, false);
  }

  #nearestTo(x, y, cost = (dx, dy) => dx * dx + dy * dy) {
    let [best, least] = [-1, Infinity];
    for (let k = 0; k < this.#points.length / 3; k++) {
      const [a, b] = this.#place(k);
      const apart = cost(a - x, b - y);
      if (apart < least) [best, least] = [k, apart];
    }
    return [best, least];
  }

  #at(event) {
    const box = this.#canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  #point(row) {
    if (row === this.#pointed) return;
    this.#pointed = row;
    this.#canvas.style.cursor = row < 0 ? "grab" : "pointer";
    this.#draw();
    clearTimeout(this.#waiting);
    if (row < 0) { this.#words.textContent = "\u00a0"; return; }
    this.#waiting = setTimeout(async () => {
      const { name } = await ask(`/row/${row}`);
      if (row === this.#pointed) this.#words.textContent = name;
    }, 60);
  }

  #hold(event) {
    const [x, y] = this.#at(event);
    this.#drag = { x, y, view: { ...this.#view }, moved: false };
    this.#canvas.setPointerCapture(event.pointerId);
  }

  #move(event) {
    const [x, y] = this.#at(event);
    if (this.#drag) {
      const { clientWidth: width, clientHeight: height } = this.#canvas;
      const side = (Math.min(width, height) - 2 * MARGIN) * this.#view.scale;
      const [dx, dy] = [x - this.#drag.x, y - this.#drag.y];
      this.#drag.moved ||= Math.hypot(dx, dy) > 4;
      if (!this.#drag.moved) return;
      this.#view.x = this.#drag.view.x - dx / side;
      this.#view.y = this.#drag.view.y + dy / side;
      this.#draw();
      return;
    }
    const [row, apart] = this.#nearestTo(x, y);
    this.#point(apart <= REACH * REACH ? row : -1);
  }

  #release(event) {
    const moved = this.#drag?.moved;
    this.#drag = null;
    if (moved) return;
    const [row, apart] = this.#nearestTo(...this.#at(event));
    if (apart <= REACH * REACH) this.go(row);
  }

  #wheel(event) {
    event.preventDefault();
    this.#zoom(event.deltaY < 0 ? 1.25 : 0.8, ...this.#at(event));
  }

  // What lies at x, y stays there.
  #zoom(factor, x, y) {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const before = this.#view.scale;
    const after = Math.min(CLOSEST, Math.max(1, before * factor));
    const side = Math.min(width, height) - 2 * MARGIN;
    const change = (1 / before - 1 / after) / side;
    const focus = this.#pointed >= 0 ? this.#pointed : this.#marks.row;
    if (x === undefined) [x, y] = focus >= 0 ? this.#place(focus) : [width / 2, height / 2];
    this.#view = {
      scale: after,
      x: this.#view.x + (x - width / 2) * change,
      y: this.#view.y - (y - height / 2) * change,
    };
    if (after === 1) return this.#whole();
    this.#draw();
  }

  #whole() {
    this.#view = { scale: 1, x: 0.5, y: 0.5 };
    this.#draw();
  }

  #key(event) {
    const from = this.#pointed >= 0 ? this.#pointed : this.#marks.row;
    const direction = DIRECTIONS[event.key];
    if (direction) this.#step(from, direction);
    else if (event.key === "Enter" && this.#pointed >= 0) this.go(this.#pointed);
    else if (event.key === "+" || event.key === "=") this.#zoom(2);
    else if (event.key === "-") this.#zoom(0.5);
    else if (event.key === "Home") this.#whole();
    else return;
    event.preventDefault();
  }

  #step(from, [right, down]) {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const [x, y] = from >= 0 ? this.#place(from) : [width / 2, height / 2];
    const [row] = from < 0 ? this.#nearestTo(x, y) : this.#nearestTo(x, y, (dx, dy) => {
      const ahead = right * dx + down * dy, aside = Math.abs(down * dx) + Math.abs(right * dy);
      return ahead > 0 && ahead >= aside ? ahead * ahead + 4 * aside * aside : Infinity;
    });
    if (row >= 0) this.#point(row);
  }
}
