/* Pages for everybody work without this; it only shows the button that prints. */
for (const one of document.querySelectorAll("[data-print], [data-print-dot]")) {
  one.hidden = false;
}
document.querySelector("[data-print]")?.addEventListener("click", () => window.print());
