// Before anything is painted: the theme that was chosen here last, if any.
"use strict";
(function () {
  try {
    const kept = localStorage.getItem("unstuck-theme");
    if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
  } catch (error) {
    // A page opened as a file may have no storage; the system's theme holds.
  }
})();
