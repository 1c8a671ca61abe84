// The theme, and the sliders of figures that come in frames.
"use strict";
document.getElementById("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  try {
    localStorage.setItem("unstuck-theme", root.dataset.theme);
  } catch (error) {
    // Without storage the choice holds for this page.
  }
  document.dispatchEvent(new Event("theme"));
});
for (const box of document.querySelectorAll(".frames")) {
  const frames = [...box.querySelectorAll(".frame")];
  const slider = box.querySelector("input");
  slider.addEventListener("input", () => {
    frames.forEach((frame, index) => { frame.hidden = index !== Number(slider.value); });
    box.querySelector("output").textContent = frames[slider.value].dataset.label;
  });
}
