// The rest of the page: the theme, copying, the filter of the checks, printing.
"use strict";
(function () {
  const root = document.documentElement;
  document.getElementById("theme").addEventListener("click", () => {
    const dark = getComputedStyle(root).colorScheme === "dark" ||
      (getComputedStyle(root).colorScheme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
    root.dataset.theme = dark ? "light" : "dark";
    try {
      localStorage.setItem("unstuck-theme", root.dataset.theme);
    } catch (error) {
      // Without storage the choice holds until the page is closed.
    }
    page.themeChanged();
  });

  for (const button of document.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", async () => {
      const copied = await copy(button.dataset.copy);
      button.textContent = copied ? "Copied" : "Not allowed";
      setTimeout(() => (button.textContent = "Copy"), 1500);
    });
  }

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch (error) {
      // A page opened as a file has no clipboard in some browsers; the old way has no permission to ask for.
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      return done;
    }
  }

  const filters = document.querySelector(".filters");
  if (filters) {
    filters.hidden = false;
    const buttons = Array.from(filters.querySelectorAll("[data-filter]"));
    const search = document.getElementById("search");
    const rows = Array.from(document.querySelectorAll(".checks tbody tr"));
    let status = "";
    const apply = () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      let any = false;
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = Boolean(status && row.dataset.status !== status) || !words.every((word) => text.includes(word));
        any = any || !row.hidden;
      }
      document.getElementById("no-checks").hidden = any;
    };
    for (const button of buttons) {
      button.addEventListener("click", () => {
        status = button.dataset.filter;
        buttons.forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
        apply();
      });
    }
    search.addEventListener("input", apply);
  }

  // On paper nothing can be unfolded.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = Array.from(document.querySelectorAll("details:not([open])"));
    folded.forEach((details) => (details.open = true));
    page.themeChanged();
  });
  addEventListener("afterprint", () => {
    folded.forEach((details) => (details.open = false));
    page.themeChanged();
  });
})();
