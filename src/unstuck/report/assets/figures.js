// What every part of the page needs: the data, numbers in words, the theme's colors.
"use strict";
const page = (function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const listeners = [];
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);

  // A number of the report: JSON lacks nan and infinity, so they are texts there.
  function value(raw) {
    return typeof raw === "number" ? raw : raw === "inf" ? Infinity : raw === "-inf" ? -Infinity : NaN;
  }

  function grouped(text) {
    const [whole, rest] = text.split(".");
    return whole.replace(/\B(?=(\d{3})+$)/g, "\u202f") + (rest ? "." + rest : "");
  }

  function figure(x) {
    if (!Number.isFinite(x)) return x === Infinity ? "inf" : x === -Infinity ? "−inf" : "nan";
    if (x === 0) return "0";
    const size = Math.abs(x);
    if (Number.isInteger(x) && size < 1e9) return grouped(String(x));
    if (size >= 1e-4 && size < 1e5) return grouped(String(Number(x.toPrecision(4))));
    return x.toPrecision(3).includes("e") ? x.toPrecision(3) : x.toExponential(2);
  }

  function percent(x) {
    return Number.isFinite(x) ? `${Number((100 * x).toPrecision(3))} %` : figure(x);
  }

  // The color that a custom property has under the theme in force.
  function color(name) {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  }

  function themeChanged() {
    for (const listener of listeners) listener();
  }

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", themeChanged);

  return { data, value, figure, percent, color, themeChanged, onTheme: (listener) => listeners.push(listener) };
})();
