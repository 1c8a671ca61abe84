// The curves: one chart for each kind of number, all over the same range of steps.
"use strict";
(function () {
  const specs = page.data.curves;
  const figures = Array.from(document.querySelectorAll("[data-chart]"));
  const charts = [];
  let last = 1;
  for (const spec of specs) {
    for (const series of spec.series) {
      if (series.steps.length) last = Math.max(last, series.steps[series.steps.length - 1]);
    }
  }
  let range = [0, last];
  let spreading = false;

  // ---- one chart

  function build(figure, spec) {
    const plot = figure.querySelector(".plot");
    const chart = { figure, spec, plot, log: spec.log, hidden: new Set(), uplot: null, gaps: gapsOf(spec) };
    charts.push(chart);
    const button = figure.querySelector("[data-log]");
    if (button) {
      button.hidden = false;
      button.addEventListener("click", () => {
        chart.log = !chart.log;
        button.setAttribute("aria-pressed", String(chart.log));
        draw(chart);
      });
    }
    legend(chart);
    draw(chart);
    plot.addEventListener("keydown", (event) => key(chart, event));
    pan(chart);
    return chart;
  }

  // Stretches without a finite value, as [first step, last step, count].
  function gapsOf(spec) {
    const gaps = [];
    for (const series of spec.series) {
      let open = null;
      series.steps.forEach((step, i) => {
        if (Number.isFinite(page.value(series.values[i]))) {
          open = null;
        } else if (open) {
          open[1] = step;
        } else {
          open = [step, step];
          gaps.push(open);
        }
      });
    }
    return gaps;
  }

  function tables(chart) {
    const found = [];
    const lines = [];
    chart.spec.series.forEach((series, i) => {
      const shown = (raw) => {
        const x = page.value(raw);
        return Number.isFinite(x) && (!chart.log || x > 0) ? x : null;
      };
      const smooth = series.smooth && series.smooth.steps.length > 2 ? series.smooth : null;
      found.push([series.steps, series.values.map(shown)]);
      lines.push({ series: i, label: series.label, smooth: false, faint: Boolean(smooth), count: series.steps.length });
      if (smooth) {
        found.push([smooth.steps, smooth.values.map(shown)]);
        lines.push({ series: i, label: "median", smooth: true, faint: false, count: smooth.steps.length });
      }
    });
    // Nulls are gaps and stay; what is missing only because another series has more steps is passed over.
    return { aligned: found.length > 1 ? uPlot.join(found) : found[0], lines };
  }

  function colorOf(line) {
    return page.color(`series-${(line.series % 4) + 1}`);
  }

  function draw(chart) {
    const { aligned, lines } = tables(chart);
    chart.lines = lines;
    if (chart.uplot) chart.uplot.destroy();
    const height = chart.figure === figures[0] ? 290 : 170;
    const muted = () => page.color("muted");
    const grid = { stroke: () => page.color("line"), width: 1 };
    const axis = { stroke: muted, grid, ticks: { ...grid, size: 4 }, font: "11px system-ui, sans-serif" };
    const options = {
      width: Math.max(chart.plot.clientWidth, 120),
      height,
      legend: { show: false },
      padding: [12, 12, 0, 0],
      scales: {
        x: { time: false, range: (u, min, max) => (min === null ? range : [min, max]) },
        y: { distr: chart.log ? 3 : 1, range: chart.log ? undefined : linearRange },
      },
      axes: [
        { ...axis, size: 28, gap: 3, values: (u, ticks) => ticks.map((t) => (Number.isInteger(t) ? page.figure(t) : "")) },
        { ...axis, size: 62, gap: 4, values: (u, ticks) => ticks.map((t) => (t === null ? "" : page.figure(t))) },
      ],
      series: [{}].concat(
        lines.map((line) => ({
          label: line.label,
          show: !chart.hidden.has(line.series),
          stroke: () => (line.faint ? faint(colorOf(line)) : colorOf(line)),
          width: line.smooth ? 2 : line.faint ? 1 : 1.4,
          spanGaps: false,
          points: { show: line.count <= 60 && !line.smooth, size: 4, fill: () => colorOf(line) },
        })),
      ),
      cursor: {
        y: false,
        sync: { key: "steps", setSeries: false, filters: { pub: (type) => type === "mousemove" || type === "mouseleave" } },
        drag: { x: true, y: true, uni: 40, dist: 4 },
        points: { size: 7, fill: (u, i) => colorOf(lines[i - 1]) },
        bind: {
          mousedown: (u, target, handler) => (event) => (event.shiftKey ? null : handler(event)),
          dblclick: () => () => {
            show(0, last);
            return null;
          },
        },
      },
      hooks: {
        setCursor: [() => read(chart)],
        setScale: [
          (u, name) => {
            if (name === "x" && !spreading && u.status) spread(u.scales.x.min, u.scales.x.max);
          },
        ],
        drawClear: [(u) => paintGaps(chart, u)],
        draw: [(u) => paintMarks(chart, u)],
      },
    };
    spreading = true;
    chart.uplot = new uPlot(options, aligned, chart.plot);
    chart.uplot.setScale("x", { min: range[0], max: range[1] });
    spreading = false;
    read(chart);
  }

  function linearRange(u, low, high) {
    if (low === null || high === null) return [0, 1];
    const room = (high - low || Math.abs(high) || 1) * 0.06;
    return [low >= 0 && low - room < 0 ? Math.min(0, low) : low - room, high + room];
  }

  function faint(color) {
    return color.replace(/^rgb\((.*)\)$/, "rgba($1, 0.42)");
  }

  function paintGaps(chart, u) {
    if (!chart.gaps.length) return;
    const { left, top, width, height } = u.bbox;
    u.ctx.save();
    u.ctx.fillStyle = page.color("bad");
    u.ctx.globalAlpha = 0.22;
    for (const [from, to] of chart.gaps) {
      const a = Math.max(u.valToPos(from, "x", true), left);
      const b = Math.min(u.valToPos(to, "x", true), left + width);
      if (b >= left && a <= left + width) u.ctx.fillRect(a - devicePixelRatio, top, Math.max(b - a, 0) + 2 * devicePixelRatio, height);
    }
    u.ctx.restore();
  }

  // Where findings say that something began.
  function paintMarks(chart, u) {
    const { left, top, width, height } = u.bbox;
    const ratio = devicePixelRatio;
    const rows = [];
    u.ctx.save();
    u.ctx.font = `${11 * ratio}px system-ui, sans-serif`;
    for (const mark of chart.spec.marks) {
      const x = u.valToPos(mark.step, "x", true);
      if (x < left || x > left + width) continue;
      const wide = u.ctx.measureText(mark.code).width + 10 * ratio;
      const start = Math.min(x, left + width - wide);
      let row = rows.findIndex((end) => end <= start);
      if (row < 0) row = rows.push(0) - 1;
      rows[row] = start + wide;
      u.ctx.strokeStyle = u.ctx.fillStyle = page.color(mark.tone);
      u.ctx.lineWidth = ratio;
      u.ctx.setLineDash([3 * ratio, 3 * ratio]);
      u.ctx.beginPath();
      u.ctx.moveTo(Math.round(x) + 0.5, top);
      u.ctx.lineTo(Math.round(x) + 0.5, top + height);
      u.ctx.stroke();
      u.ctx.textBaseline = "top";
      u.ctx.textAlign = "left";
      u.ctx.fillText(mark.code, start + 4 * ratio, top + (2 + 14 * row) * ratio);
    }
    u.ctx.restore();
  }

  // ---- reading values

  function read(chart) {
    const output = chart.figure.querySelector(".readout");
    const u = chart.uplot;
    const index = u ? u.cursor.idx : null;
    if (index === null || index === undefined || u.cursor.left < 0) {
      output.textContent = "";
      return;
    }
    const step = u.data[0][index];
    const parts = [`step ${page.figure(step)}`];
    chart.lines.forEach((line, i) => {
      if (chart.hidden.has(line.series)) return;
      const x = nearest(chart, line, u.data[i + 1], index);
      if (x !== undefined) parts.push(`${line.label} ${x}`);
    });
    output.textContent = parts.join(" · ");
  }

  // The value at a point, or the last one before it where this series has none there.
  function nearest(chart, line, values, index) {
    for (let i = index; i >= 0; i--) {
      if (values[i] === undefined) continue;
      if (values[i] !== null) return page.figure(values[i]);
      const series = chart.spec.series[line.series];
      const at = series.steps.indexOf(chart.uplot.data[0][i]);
      return at < 0 ? "nan" : page.figure(page.value(series.values[at]));
    }
    return undefined;
  }

  function legend(chart) {
    const { spec, figure, plot } = chart;
    const smooth = spec.series.find((series) => series.smooth && series.smooth.steps.length > 2);
    if (spec.series.length < 2 && !smooth && !chart.gaps.length) return;
    const box = document.createElement("div");
    box.className = "legend";
    spec.series.forEach((series, i) => {
      const tone = `s${(i % 4) + 1}`;
      const several = spec.series.length > 1;
      const entry = document.createElement(several ? "button" : "span");
      const stroke = document.createElement("i");
      stroke.className = tone + (series.smooth && !several ? " thin" : "");
      entry.append(stroke, several ? series.label : "each step");
      if (several) {
        entry.type = "button";
        entry.setAttribute("aria-pressed", "true");
        entry.addEventListener("click", () => {
          if (chart.hidden.has(i)) chart.hidden.delete(i);
          else chart.hidden.add(i);
          entry.setAttribute("aria-pressed", String(!chart.hidden.has(i)));
          draw(chart);
        });
      }
      box.append(entry);
    });
    if (smooth) {
      const entry = document.createElement("span");
      const stroke = document.createElement("i");
      stroke.className = spec.series.length > 1 ? "" : "s1";
      entry.append(stroke, `median of ${page.figure(smooth.smooth.window_steps)} steps`);
      box.append(entry);
    }
    if (chart.gaps.length) {
      const entry = document.createElement("span");
      const band = document.createElement("i");
      band.className = "band";
      entry.append(band, "not finite");
      box.append(entry);
    }
    figure.insertBefore(box, plot);
  }

  // ---- the range of steps

  function spread(from, to) {
    range = [from, to];
    spreading = true;
    for (const chart of charts) {
      if (chart.uplot) chart.uplot.setScale("x", { min: from, max: to });
    }
    spreading = false;
    tell();
  }

  function show(from, to) {
    const width = Math.min(Math.max(to - from, Math.min(4, last)), last);
    const start = Math.min(Math.max(from, 0), last - width);
    spread(start, start + width);
  }

  function zoom(factor) {
    const middle = (range[0] + range[1]) / 2;
    const half = ((range[1] - range[0]) / 2) * factor;
    show(middle - half, middle + half);
  }

  function move(share) {
    const by = (range[1] - range[0]) * share;
    show(range[0] + by, range[1] + by);
  }

  function tell() {
    const whole = range[0] <= 0 && range[1] >= last;
    document.getElementById("range").textContent = whole
      ? ""
      : `steps ${page.figure(Math.ceil(range[0]))} to ${page.figure(Math.floor(range[1]))}`;
  }

  function pan(chart) {
    let from = null;
    chart.plot.addEventListener("pointerdown", (event) => {
      if (!(event.shiftKey || event.pointerType === "touch") || !event.target.closest(".u-over")) return;
      from = { x: event.clientX, range };
      chart.plot.setPointerCapture(event.pointerId);
    });
    chart.plot.addEventListener("pointermove", (event) => {
      if (!from) return;
      const steps = ((from.x - event.clientX) / chart.uplot.over.clientWidth) * (from.range[1] - from.range[0]);
      show(from.range[0] + steps, from.range[1] + steps);
    });
    for (const end of ["pointerup", "pointercancel"]) chart.plot.addEventListener(end, () => (from = null));
  }

  function key(chart, event) {
    const u = chart.uplot;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "+" || event.key === "=") zoom(0.5);
    else if (event.key === "-") zoom(2);
    else if (event.key === "Escape" || event.key === "0") show(0, last);
    else if (event.shiftKey && event.key === "ArrowLeft") move(-0.25);
    else if (event.shiftKey && event.key === "ArrowRight") move(0.25);
    else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      const steps = u.data[0];
      const low = steps.findIndex((step) => step >= range[0]);
      let high = steps.length - 1;
      while (high > 0 && steps[high] > range[1]) high--;
      const stride = Math.max(1, Math.round((high - low) / 100));
      const current = u.cursor.idx !== null && u.cursor.left >= 0 ? u.cursor.idx : low - stride;
      const next = Math.min(Math.max(current + (event.key === "ArrowLeft" ? -stride : stride), low), high);
      u.setCursor({ left: u.valToPos(steps[next], "x"), top: 10 });
    } else return;
    event.preventDefault();
  }

  // ---- the page around it

  figures.forEach((figure, i) => build(figure, specs[i]));
  if (!charts.length) return;
  const toolbar = document.getElementById("zoom");
  toolbar.hidden = false;
  const actions = { in: () => zoom(0.5), out: () => zoom(2), left: () => move(-0.5), right: () => move(0.5), all: () => show(0, last) };
  for (const button of toolbar.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", actions[button.dataset.zoom]);
  }
  page.onTheme(() => charts.forEach((chart) => chart.uplot.redraw(false)));
  new ResizeObserver(() => {
    for (const chart of charts) {
      const width = Math.max(chart.plot.clientWidth, 120);
      if (width !== chart.uplot.width) {
        spreading = true;
        chart.uplot.setSize({ width, height: chart.uplot.height });
        spreading = false;
      }
    }
  }).observe(document.querySelector(".charts"));
  page.range = () => range.slice();
})();
