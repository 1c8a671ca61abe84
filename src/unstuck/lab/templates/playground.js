// A surface to walk on: the start is dragged, step size and momentum are moved, the rule is chosen; measured paths race.
"use strict";
const { exp, log, sqrt, sin, cos, tanh, abs, max, min } = Math;
const grounds = [];
/*grounds*/

const FAR = 1e12;

// The same arithmetic as unstuck.lab.walks.
function walk(ground, rule, start, rate, kept, steps) {
  const place = [...start], size = place.length;
  const moved = Array(size).fill(0), squares = Array(size).fill(0), means = Array(size).fill(0);
  const points = [[...place]];
  for (let step = 0; step < steps; step++) {
    const ahead = rule === "nesterov" ? place.map((x, i) => x + kept * moved[i]) : place;
    const slope = ground.slope(...ahead);
    for (let i = 0; i < size; i++) {
      const g = slope[i];
      if (rule === "gradient") moved[i] = -rate * g;
      else if (rule === "momentum" || rule === "nesterov") moved[i] = kept * moved[i] - rate * g;
      else if (rule === "adagrad" || rule === "adagrad-mean") {
        squares[i] += g * g;
        const root = sqrt(squares[i] / (rule === "adagrad-mean" ? step + 1 : 1));
        moved[i] = root ? -rate * g / root : 0;
      } else if (rule === "rmsprop") {
        squares[i] = step === 0 ? g * g : 0.9 * squares[i] + 0.1 * g * g;
        const root = sqrt(squares[i]);
        moved[i] = root ? -rate * g / root : 0;
      } else {
        means[i] = kept * means[i] + (1 - kept) * g;
        squares[i] = 0.999 * squares[i] + 0.001 * g * g;
        const root = sqrt(squares[i] / (1 - 0.999 ** (step + 1))) + 1e-8;
        moved[i] = -rate * means[i] / (1 - kept ** (step + 1)) / root;
      }
      place[i] += moved[i];
    }
    if (!place.every((x) => Number.isFinite(x) && abs(x) < FAR)) return { points, diverged: step + 1 };
    points.push([...place]);
  }
  return { points, diverged: 0 };
}

function shown(value) {
  if (value !== 0 && (abs(value) < 1e-3 || abs(value) >= 1e5)) return value.toExponential(2);
  return String(Number(value.toPrecision(4)));
}

function make(tag, parent, set = {}) {
  const element = Object.assign(document.createElement(tag), set);
  parent.append(element);
  return element;
}

class Ground {
  constructor(spec, box) {
    this.spec = spec;
    this.start = [...spec.start];
    this.canvas = make("canvas", box, { tabIndex: 0 });
    this.canvas.setAttribute("role", "img");
    const keys = make("div", box, { className: "keys" });
    const controls = make("div", box, { className: "controls" });
    if (spec.rules.length) {
      if (spec.rules.length > 1) {
        const label = make("label", controls, { className: "control", textContent: spec.words.rule + " " });
        this.rule = make("select", label);
        for (const [value, name] of spec.rules) make("option", this.rule, { value, textContent: name });
        this.rule.value = spec.rules.some(([name]) => name === "momentum") ? "momentum" : spec.rules[0][0];
        this.rule.addEventListener("input", () => this.changed());
      }
      this.rate = this.slider(controls, spec.words.step_size, spec.stepSize);
      this.kept = this.slider(controls, spec.words.momentum, spec.momentum);
      make("button", controls, { type: "button", textContent: spec.words.reset })
        .addEventListener("click", () => { this.start = [...spec.start]; this.rate.reset(); this.kept.reset(); this.changed(); });
    }
    if (spec.racers.length) {
      this.longest = max(...spec.racers.map((racer) => racer.points.length - 1));
      const label = make("label", controls, { className: "control", textContent: spec.words.time + " " });
      this.time = make("input", label, { type: "range", min: 0, max: this.longest, value: this.longest });
      this.timeShown = make("output", label, { textContent: this.longest });
      this.time.addEventListener("input", () => { this.halt(); this.draw(); });
      this.player = make("button", controls, { type: "button", textContent: spec.words.play });
      this.player.addEventListener("click", () => this.play());
    }
    this.line = make("div", box, { className: "reading-line" });
    this.line.setAttribute("role", "status");
    this.keys = keys;
    this.listen();
    new ResizeObserver(() => this.sized()).observe(this.canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.sized());
    document.addEventListener("theme", () => this.sized());
    this.sized();
  }

  slider(parent, words, range) {
    const label = make("label", parent, { className: "control", textContent: words + " " });
    const input = make("input", label, { type: "range", min: 0, max: 1000, step: 1 });
    const output = make("output", label);
    const there = (x) => range.log ? range.low * (range.high / range.low) ** x : range.low + (range.high - range.low) * x;
    const back = (v) => range.log ? log(v / range.low) / log(range.high / range.low) : (v - range.low) / (range.high - range.low);
    let exact = range.value;
    const show = () => { output.textContent = shown(exact); };
    input.value = 1000 * back(range.value);
    input.addEventListener("input", () => { exact = there(input.value / 1000); show(); this.changed(); });
    show();
    return {
      get value() { return exact; },
      reset: () => { exact = range.value; input.value = 1000 * back(exact); show(); },
    };
  }

  get palette() {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    return dark ? this.spec.dark : this.spec.light;
  }

  listen() {
    const { spec, canvas } = this;
    if (!spec.rules.length) return;
    let held = false;
    const move = (event) => {
      const box = canvas.getBoundingClientRect();
      const place = this.back([(event.clientX - box.left), (event.clientY - box.top)]);
      this.start = place.slice(0, spec.dimensions).map((v, i) => min(max(v, spec.window[i][0]), spec.window[i][1]));
      this.changed();
    };
    canvas.addEventListener("pointerdown", (event) => { held = true; canvas.setPointerCapture(event.pointerId); move(event); });
    canvas.addEventListener("pointermove", (event) => { if (held) move(event); });
    canvas.addEventListener("pointerup", () => { held = false; });
    canvas.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      if (!way) return;
      event.preventDefault();
      this.start = this.start.map((v, i) => {
        const [low, high] = spec.window[i];
        return min(max(v + way[i] * (high - low) / 100, low), high);
      });
      this.changed();
    });
  }

  sized() {
    const ratio = devicePixelRatio || 1;
    const width = this.canvas.clientWidth || 640;
    const height = Math.round(width * (this.spec.dimensions === 1 ? 0.5 : 0.62));
    this.canvas.style.height = height + "px";
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.width = width; this.height = height; this.ratio = ratio;
    this.edge = { left: 52, right: 12, top: 10, bottom: 40 };
    this.ground = null;
    this.draw();
  }

  at([x, y]) {
    const { window: [[x0, x1], [y0, y1]] } = this.spec, e = this.edge;
    return [
      e.left + (x - x0) / (x1 - x0) * (this.width - e.left - e.right),
      this.height - e.bottom - (y - y0) / (y1 - y0) * (this.height - e.top - e.bottom),
    ];
  }

  back([a, b]) {
    const { window: [[x0, x1], [y0, y1]] } = this.spec, e = this.edge;
    return [
      x0 + (a - e.left) / (this.width - e.left - e.right) * (x1 - x0),
      y0 + (this.height - e.bottom - b) / (this.height - e.top - e.bottom) * (y1 - y0),
    ];
  }

  on(place) {
    return this.spec.dimensions === 1 ? this.at([place[0], this.spec.value(place[0])]) : this.at(place);
  }

  paintGround() {
    const { spec, width, height, edge } = this;
    const paper = document.createElement("canvas");
    paper.width = this.canvas.width; paper.height = this.canvas.height;
    const pen = paper.getContext("2d");
    const inner = [width - edge.left - edge.right, height - edge.top - edge.bottom];
    if (spec.dimensions === 2) {
      const columns = 220, rows = Math.round(columns * inner[1] / inner[0]);
      const values = new Float64Array(columns * rows);
      for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) {
        const [x, y] = this.back([edge.left + (c + 0.5) / columns * inner[0], edge.top + (r + 0.5) / rows * inner[1]]);
        values[r * columns + c] = spec.value(x, y);
      }
      let low = Infinity, high = -Infinity;
      for (const v of values) if (Number.isFinite(v)) { low = min(low, v); high = max(high, v); }
      const lift = low - 1e-4 * (high - low), span = log((high - lift) / (low - lift));
      const tones = spec.heat.map((hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)));
      const small = document.createElement("canvas");
      small.width = columns; small.height = rows;
      const image = small.getContext("2d").createImageData(columns, rows);
      values.forEach((v, i) => {
        const share = spec.log ? log((v - lift) / (low - lift)) / span : (v - low) / (high - low);
        const band = Math.round(min(max(share, 0), 1) * 24) / 24 * (tones.length - 1);
        const lower = min(Math.floor(band), tones.length - 2), part = band - lower;
        for (let k = 0; k < 3; k++) image.data[4 * i + k] = tones[lower][k] + part * (tones[lower + 1][k] - tones[lower][k]);
        image.data[4 * i + 3] = 255;
      });
      small.getContext("2d").putImageData(image, 0, 0);
      pen.scale(this.ratio, this.ratio);
      pen.drawImage(small, edge.left, edge.top, inner[0], inner[1]);
    } else {
      pen.scale(this.ratio, this.ratio);
      pen.strokeStyle = this.palette.series[0];
      pen.lineWidth = 2;
      pen.save();
      pen.beginPath(); pen.rect(edge.left, edge.top, inner[0], inner[1]); pen.clip();
      pen.beginPath();
      const [x0, x1] = spec.window[0];
      for (let i = 0; i <= 400; i++) {
        const x = x0 + (x1 - x0) * i / 400;
        pen.lineTo(...this.at([x, spec.value(x)]));
      }
      pen.stroke();
      pen.restore();
    }
    this.paintAxes(pen, inner);
    return paper;
  }

  paintAxes(pen, inner) {
    const { spec, edge, height } = this;
    pen.fillStyle = this.palette.muted; pen.strokeStyle = this.palette.muted;
    pen.font = "12px system-ui, sans-serif"; pen.lineWidth = 1;
    pen.strokeRect(edge.left + 0.5, edge.top + 0.5, inner[0] - 1, inner[1] - 1);
    for (let i = 0; i <= 4; i++) {
      const share = i / 4;
      const [[x0, x1], [y0, y1]] = spec.window;
      const x = x0 + share * (x1 - x0), y = y0 + share * (y1 - y0);
      pen.textAlign = "center"; pen.textBaseline = "top";
      pen.fillText(shown(x), this.at([x, y0])[0], height - edge.bottom + 5);
      pen.textAlign = "right"; pen.textBaseline = "middle";
      pen.fillText(shown(y), edge.left - 6, this.at([x0, y])[1]);
    }
    pen.fillStyle = this.palette.text;
    pen.textAlign = "center"; pen.textBaseline = "bottom";
    pen.fillText(spec.labels[0], edge.left + inner[0] / 2, height - 2);
    pen.save();
    pen.translate(12, edge.top + inner[1] / 2); pen.rotate(-Math.PI / 2);
    pen.textBaseline = "middle";
    pen.fillText(spec.labels[1], 0, 0);
    pen.restore();
  }

  path(pen, points, color, until) {
    const last = min(until, points.length - 1);
    for (const [style, width] of [[this.palette.panel, 4], [color, 2]]) {
      pen.strokeStyle = style; pen.lineWidth = width; pen.lineJoin = "round";
      pen.globalAlpha = style === color ? 1 : 0.6;
      pen.beginPath();
      for (let i = 0; i <= last; i++) pen.lineTo(...this.on(points[i]));
      pen.stroke();
    }
    pen.globalAlpha = 1;
    if (last < 150) for (let i = 0; i <= last; i++) this.dot(pen, points[i], color, 2.2);
    this.dot(pen, points[last], color, 5);
  }

  dot(pen, place, color, radius) {
    pen.fillStyle = color; pen.strokeStyle = this.palette.panel; pen.lineWidth = 1;
    pen.beginPath(); pen.arc(...this.on(place), radius, 0, 7); pen.fill();
    if (radius > 3) pen.stroke();
  }

  draw() {
    const { spec, edge } = this;
    this.ground = this.ground || this.paintGround();
    const pen = this.canvas.getContext("2d");
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    pen.drawImage(this.ground, 0, 0);
    pen.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    pen.save();
    pen.beginPath();
    pen.rect(edge.left, edge.top, this.width - edge.left - edge.right, this.height - edge.top - edge.bottom);
    pen.clip();
    const colors = this.palette.series, until = this.time ? Number(this.time.value) : 0;
    for (const racer of spec.racers) this.path(pen, racer.points, colors[racer.color], until);
    const words = [];
    if (spec.rules.length) {
      const rule = this.rule ? this.rule.value : spec.rules[0][0];
      const found = walk(spec, rule, this.start, this.rate.value, this.kept.value, spec.steps);
      this.path(pen, found.points, spec.racers.length ? this.palette.text : colors[2], Infinity);
      pen.strokeStyle = this.palette.text; pen.lineWidth = 2;
      pen.beginPath(); pen.arc(...this.on(this.start), 7, 0, 7); pen.stroke();
      const end = found.points[found.points.length - 1], w = spec.words;
      words.push(`${w.start} (${this.start.map(shown).join(", ")}) ${w.loss} ${shown(spec.value(...this.start))}`);
      words.push(found.diverged ? `${w.diverged} ${found.diverged}`
        : `${w.end} (${end.map(shown).join(", ")}) ${w.loss} ${shown(spec.value(...end))} · ${w.steps} ${spec.steps}`);
    }
    pen.font = "12.5px system-ui, sans-serif"; pen.textAlign = "left"; pen.textBaseline = "bottom";
    for (const [place, label] of spec.marked) {
      const [a, b] = this.on(place);
      this.dot(pen, place, this.palette.text, 3.5);
      pen.fillStyle = this.palette.panel; pen.globalAlpha = 0.75;
      pen.fillRect(a + 6, b - 21, pen.measureText(label).width + 8, 18);
      pen.globalAlpha = 1; pen.fillStyle = this.palette.text;
      pen.fillText(label, a + 10, b - 5);
    }
    pen.restore();
    this.line.textContent = words.join(" → ") + (spec.rules.length ? "" : "");
    if (this.timeShown) this.timeShown.textContent = until;
    this.canvas.setAttribute("aria-label", words.join(" → ") || spec.words.measured_paths);
    this.keys.replaceChildren();
    for (const racer of spec.racers) {
      const key = make("span", this.keys);
      make("i", key).style.borderColor = colors[racer.color];
      key.append(racer.label);
    }
    if (spec.rules.length) make("span", this.keys, { textContent: spec.words.drag });
  }

  changed() { this.halt(); this.draw(); }

  halt() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    if (this.player) this.player.textContent = this.spec.words.play;
  }

  play() {
    if (this.frame) { this.halt(); return; }
    this.player.textContent = this.spec.words.stop;
    const began = performance.now(), seconds = 6;
    const from = Number(this.time.value) >= this.longest ? 0 : Number(this.time.value);
    const next = (now) => {
      const share = (now - began) / 1000 / seconds;
      this.time.value = min(this.longest, from + Math.round(share * this.longest));
      this.draw();
      if (Number(this.time.value) < this.longest) this.frame = requestAnimationFrame(next);
      else this.halt();
    };
    this.frame = requestAnimationFrame(next);
  }
}

document.addEventListener("DOMContentLoaded", () => {
  for (const spec of grounds) {
    const box = document.querySelector(`#${spec.id} .ground`);
    box.ground = new Ground(spec, box);
  }
});
