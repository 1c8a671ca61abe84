// The layers: rows of layers by columns of sampled steps, one statistic at a time, as colors and as numbers.
"use strict";
(function () {
  const STOPS = [
    [68, 1, 84], [71, 45, 123], [59, 82, 139], [44, 114, 142], [33, 145, 140],
    [40, 174, 128], [94, 201, 98], [173, 220, 48], [253, 231, 37],
  ]; // the viridis map: even steps look even, also to the color-blind

  function ramp(share, scale) {
    if (scale === "share") return blend(rgb(page.color("sunken")), rgb(page.color("bad")), share);
    const place = Math.min(Math.max(share, 0), 1) * (STOPS.length - 1);
    const low = Math.min(Math.floor(place), STOPS.length - 2);
    return blend(STOPS[low], STOPS[low + 1], place - low);
  }

  function blend(a, b, share) {
    return `rgb(${a.map((x, i) => Math.round(x + (b[i] - x) * share)).join(",")})`;
  }

  function rgb(text) {
    return text.match(/[\d.]+/g).slice(0, 3).map(Number);
  }

  function shown(statistic, raw) {
    if (raw === null) return "not measured";
    const x = page.value(raw);
    return statistic.scale === "share" ? page.percent(x) : page.figure(x);
  }

  // The ends of the colors: what most cells lie between, so that one cell does not swallow the rest.
  function ends(statistic) {
    if (statistic.scale === "share") return [0, 1];
    const values = statistic.matrix
      .flat()
      .filter((raw) => raw !== null)
      .map(page.value)
      .filter((x) => Number.isFinite(x) && (statistic.scale !== "log" || x > 0))
      .sort((a, b) => a - b);
    if (!values.length) return [0, 1];
    const low = values[Math.floor(0.005 * (values.length - 1))];
    const high = values[Math.ceil(0.995 * (values.length - 1))];
    return [low, high];
  }

  // Long names without the parts that all of them share, or in a narrow column they would all look alike.
  function shorten(names) {
    const parts = names.map((name) => name.split("."));
    if (names.length < 2 || Math.max(...names.map((name) => name.length)) <= 24) return names;
    const fewest = Math.min(...parts.map((list) => list.length));
    const same = (at) => parts.every((list) => at(list) === at(parts[0]));
    let start = 0;
    while (start < fewest - 1 && same((list) => list[start])) start++;
    let end = 0;
    while (end < fewest - 1 - start && same((list) => list[list.length - 1 - end])) end++;
    return parts.map((list) => list.slice(start, list.length - end).join("."));
  }

  function build(card, table) {
    const tools = card.querySelector(".layers-tools");
    const readout = card.querySelector(".layers-readout");
    const heat = card.querySelector(".heat");
    const numbers = card.querySelector(".numbers");
    const names = document.createElement("div");
    const canvas = document.createElement("canvas");
    const foot = document.createElement("div");
    const state = { index: 0, row: -1, column: table.steps.length - 1, range: [0, 1] };
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "img");
    heat.append(names, canvas);
    foot.className = "layers-foot";
    heat.after(foot);

    if (table.label) tools.append(label(table.label, "h4"));
    let group = "";
    let line = null;
    const buttons = table.statistics.map((statistic, i) => {
      if (statistic.group !== group) {
        group = statistic.group;
        line = document.createElement("div");
        line.setAttribute("role", "group");
        line.setAttribute("aria-label", group);
        line.append(label(group, "span"));
        tools.append(line);
      }
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = statistic.title;
      button.addEventListener("click", () => select(i));
      line.append(button);
      return button;
    });

    function label(text, kind) {
      const box = document.createElement(kind);
      box.className = "group";
      box.textContent = text;
      return box;
    }

    function select(i) {
      state.index = i;
      state.row = -1;
      buttons.forEach((button, j) => button.setAttribute("aria-pressed", String(i === j)));
      const statistic = table.statistics[i];
      state.range = ends(statistic);
      const tall = statistic.rows.length > 30 ? 14 : 20;
      names.className = `names rows-${tall}`;
      const short = shorten(statistic.rows);
      names.replaceChildren(
        ...statistic.rows.map((name, row) => {
          const box = document.createElement("div");
          const text = document.createElement("bdi"); // so that a name too long loses its beginning, and nothing else
          text.dir = "ltr";
          text.textContent = short[row];
          box.append(text);
          box.title = statistic.kinds[row] ? `${name} (${statistic.kinds[row]})` : name;
          return box;
        }),
      );
      canvas.setAttribute(
        "aria-label",
        `${statistic.title} of ${statistic.rows.length} rows at ${table.steps.length} sampled steps; arrow keys read it, the table below has the numbers`,
      );
      footer(statistic);
      paint();
      tell();
      list();
    }

    function share(statistic, x) {
      const [low, high] = state.range;
      if (statistic.scale === "log") return high > low ? (Math.log(x) - Math.log(low)) / (Math.log(high) - Math.log(low)) : 0.5;
      return high > low ? (x - low) / (high - low) : 0.5;
    }

    function paint() {
      const statistic = table.statistics[state.index];
      const tall = statistic.rows.length > 30 ? 14 : 20;
      const ratio = devicePixelRatio || 1;
      const width = canvas.clientWidth || 300;
      const height = tall * statistic.rows.length;
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      canvas.style.height = `${height}px`;
      const context = canvas.getContext("2d");
      const columns = table.steps.length;
      const wide = canvas.width / columns;
      const deep = tall * ratio;
      const gap = ratio;
      const none = page.color("sunken");
      const bad = page.color("bad");
      const zero = page.color("text");
      statistic.matrix.forEach((row, r) => {
        row.forEach((raw, c) => {
          const x0 = Math.round(c * wide);
          const x1 = Math.round((c + 1) * wide);
          const x = raw === null ? null : page.value(raw);
          context.fillStyle =
            x === null ? none
            : !Number.isFinite(x) ? bad
            : statistic.scale === "log" && x <= 0 ? zero
            : ramp(Math.min(Math.max(share(statistic, x), 0), 1), statistic.scale);
          context.fillRect(x0, r * deep, Math.max(x1 - x0 - (wide > 5 * ratio ? gap : 0), 1), deep - gap);
        });
      });
      if (state.row >= 0) {
        context.strokeStyle = zero;
        context.lineWidth = 2 * ratio;
        context.strokeRect(Math.round(state.column * wide), state.row * deep, Math.max(wide - gap, 2 * ratio), deep - gap);
      }
    }

    function footer(statistic) {
      const [low, high] = state.range;
      const text = (x) => (statistic.scale === "share" ? page.percent(x) : page.figure(x));
      const bar = document.createElement("canvas");
      const keys = document.createElement("div");
      const scale = document.createElement("div");
      const cells = statistic.matrix.flat();
      if (statistic.scale === "log" && cells.some((raw) => raw !== null && page.value(raw) <= 0)) keys.append(key("zero", "exactly zero"));
      if (cells.some((raw) => raw !== null && !Number.isFinite(page.value(raw)))) keys.append(key("nonfinite", "not finite"));
      if (cells.includes(null)) keys.append(key("none", "not measured"));
      const steps = document.createElement("span");
      steps.textContent = `steps ${page.figure(table.steps[0])} to ${page.figure(table.steps[table.steps.length - 1])}, ${table.steps.length} of ${page.figure(table.of)} samples, not to scale`;
      keys.append(steps);
      bar.width = 144;
      bar.height = 1;
      const context = bar.getContext("2d");
      for (let i = 0; i < bar.width; i++) {
        context.fillStyle = ramp(i / (bar.width - 1), statistic.scale);
        context.fillRect(i, 0, 1, 1);
      }
      scale.append(text(low), bar, text(high) + (statistic.scale === "log" ? ", logarithmic" : ""));
      foot.style.setProperty("--heat-zero", page.color("text"));
      foot.replaceChildren(keys, scale);
    }

    function key(kind, text) {
      const box = document.createElement("span");
      const patch = document.createElement("i");
      box.className = "key";
      patch.className = kind;
      box.append(patch, text);
      return box;
    }

    function tell() {
      const statistic = table.statistics[state.index];
      Array.from(names.children).forEach((box, row) => box.classList.toggle("here", row === state.row));
      if (state.row < 0) {
        readout.textContent = "Point at a cell to read it; click to list that step below.";
        return;
      }
      const raw = statistic.matrix[state.row][state.column];
      readout.textContent = `${statistic.rows[state.row]} · step ${page.figure(table.steps[state.column])} · ${statistic.title.toLowerCase()} ${shown(statistic, raw)}`;
    }

    // All the statistics of one group at the chosen step.
    function list() {
      const chosen = table.statistics[state.index];
      const columns = table.statistics.filter((statistic) => statistic.part === chosen.part);
      const body = document.createElement("table");
      const head = body.createTHead().insertRow();
      for (const text of [chosen.group, ...columns.map((statistic) => statistic.title)]) {
        const cell = document.createElement("th");
        cell.scope = "col";
        cell.textContent = text;
        head.append(cell);
      }
      const rows = body.createTBody();
      chosen.rows.forEach((name, r) => {
        const row = rows.insertRow();
        const cell = document.createElement("th");
        cell.scope = "row";
        cell.textContent = name;
        row.append(cell);
        for (const statistic of columns) {
          const raw = statistic.matrix[r][state.column];
          row.insertCell().textContent = raw === null ? "–" : shown(statistic, raw);
        }
      });
      numbers.querySelector("summary").textContent = `The numbers at step ${page.figure(table.steps[state.column])}`;
      numbers.querySelector(".table-scroll").replaceChildren(body);
    }

    function at(event) {
      const statistic = table.statistics[state.index];
      const box = canvas.getBoundingClientRect();
      const clamp = (x, count) => Math.min(Math.max(Math.floor(x), 0), count - 1);
      state.column = clamp(((event.clientX - box.left) / box.width) * table.steps.length, table.steps.length);
      state.row = clamp(((event.clientY - box.top) / box.height) * statistic.rows.length, statistic.rows.length);
    }

    canvas.addEventListener("pointermove", (event) => {
      at(event);
      paint();
      tell();
    });
    canvas.addEventListener("click", (event) => {
      at(event);
      paint();
      tell();
      list();
    });
    canvas.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
      if (!by || event.ctrlKey || event.metaKey || event.altKey) return;
      const rows = table.statistics[state.index].rows.length;
      state.row = Math.min(Math.max(Math.max(state.row, 0) + by[0], 0), rows - 1);
      state.column = Math.min(Math.max(state.column + by[1], 0), table.steps.length - 1);
      event.preventDefault();
      names.children[state.row].scrollIntoView({ block: "nearest" });
      paint();
      tell();
      list();
    });
    page.onTheme(() => {
      footer(table.statistics[state.index]);
      paint();
    });
    let width = 0;
    new ResizeObserver(() => {
      if (canvas.clientWidth !== width) {
        width = canvas.clientWidth;
        paint();
      }
    }).observe(heat);
    select(0);
  }

  document.querySelectorAll("[data-layers]").forEach((card) => build(card, page.data.layers[Number(card.dataset.layers)]));
})();
