/* What the pages do beyond plain HTML. Everything works without it; nothing here decides a standing. */
(function () {
  "use strict";

  const root = document.documentElement;
  root.classList.add("js");

  const MINUTE = 60000;
  const HOUR = 60 * MINUTE;
  const SECONDS_BELOW = 10 * MINUTE;
  const TICKS = 72;

  /* ---- The clock of the server, so that a wrong clock on the machine shows no wrong time left ---- */

  let ahead = null;

  function learnTime(text) {
    const theirs = Date.parse(text);
    if (!Number.isNaN(theirs)) {
      ahead = theirs - Date.now();
    }
  }

  function now() {
    return Date.now() + (ahead === null ? 0 : ahead);
  }

  /* ---- Countdown: once a minute, every second under ten minutes ---- */

  function span(element, at) {
    const facts = element.dataset;
    if (facts.counts === "left") {
      return Date.parse(facts.due) - at;
    }
    return at - Date.parse(facts.counts === "over" ? facts.due : facts.start);
  }

  function amounts(milliseconds) {
    const seconds = Math.max(0, Math.floor(milliseconds / 1000));
    const days = Math.floor(seconds / 86400);
    const hours = Math.floor(seconds / 3600) % 24;
    const minutes = Math.floor(seconds / 60) % 60;
    if (days) {
      return [[days, "d"], [hours, "h"]];
    }
    if (hours) {
      return [[hours, "h"], [minutes, "min"]];
    }
    return seconds * 1000 < SECONDS_BELOW ? [[minutes, "min"], [seconds % 60, "s"]] : [[minutes, "min"]];
  }

  function words(element, parts) {
    return parts.map(([value, unit]) => value + " " + element.dataset[unit]).join(" ");
  }

  const SVG = "http://www.w3.org/2000/svg";

  function tspan(text, dx, kind) {
    const part = document.createElementNS(SVG, "tspan");
    part.textContent = text;
    if (dx) {
      part.setAttribute("dx", dx);
    }
    if (kind) {
      part.setAttribute("class", kind);
    }
    return part;
  }

  function spoke(inner, outer, degrees) {
    const angle = (degrees * Math.PI) / 180;
    const [x, y] = [Math.sin(angle), -Math.cos(angle)];
    const point = (radius) => (120 + radius * x).toFixed(2) + " " + (120 + radius * y).toFixed(2);
    return "M" + point(inner) + "L" + point(outer);
  }

  function turn(dial, at) {
    const hand = dial.querySelector(".dial-hand");
    if (!hand) {
      return;
    }
    const [start, due] = [Date.parse(dial.dataset.start), Date.parse(dial.dataset.due)];
    const elapsed = Math.min(1, Math.max(0, (at - start) / (due - start))) * TICKS;
    const running = Math.floor(elapsed);
    let [left, gone] = ["", ""];
    for (let tick = 0; tick < TICKS; tick += 1) {
      const degrees = tick * 5 + 2.5;
      if (tick <= running) {
        gone += spoke(100, 107, degrees);
      }
      if (tick >= running) {
        left += spoke(92, tick > running ? 112 : 92 + 20 * (running + 1 - elapsed), degrees);
      }
    }
    hand.setAttribute("d", spoke(84, 119, elapsed * 5));
    dial.querySelector(".dial-left")?.setAttribute("d", left);
    dial.querySelector(".dial-gone")?.setAttribute("d", gone);
  }

  function show(element, at) {
    const parts = amounts(span(element, at));
    const text = words(element, parts);
    if (element.dataset.shown === text) {
      return;
    }
    element.dataset.shown = text;
    if (!element.hasAttribute("data-dial")) {
      element.textContent = text;
      return;
    }
    const number = element.querySelector(".dial-number");
    const spans = parts.flatMap(([value, unit], index) => [
      tspan(value, index ? "6" : "", ""),
      tspan(element.dataset[unit], "3", "dial-unit"),
    ]);
    number.replaceChildren(...spans);
    turn(element, at);
    const line = element.querySelector(".dial-line");
    element.setAttribute("aria-label", line ? text + " " + line.textContent : text);
  }

  /* A whole hour is spoken once, politely; the first look at a page is not. */
  function speak(dial, at) {
    const voice = dial.parentElement.querySelector("[data-dial-voice]");
    const hour = Math.floor(span(dial, at) / HOUR);
    if (voice && dial.dataset.hour !== undefined && dial.dataset.hour !== String(hour)) {
      voice.textContent = dial.getAttribute("aria-label");
    }
    dial.dataset.hour = String(hour);
  }

  /* At the deadline the standing changes: the server says to what. Nobody's typing is thrown away for it. */
  function askForStanding(element) {
    if (element.dataset.asked || element.dataset.counts !== "left") {
      return;
    }
    element.dataset.asked = "yes";
    const typing = document.querySelector("form[data-touched]");
    if (!document.dispatchEvent(new CustomEvent("standing", { cancelable: true })) || typing) {
      return;
    }
    window.setTimeout(() => window.location.reload(), 1500);
  }

  function count() {
    const at = now();
    document.querySelectorAll("[data-countdown], [data-dial]").forEach((element) => {
      show(element, at);
      if (element.hasAttribute("data-dial")) {
        speak(element, at);
      }
      if (element.dataset.counts === "left" && span(element, at) <= 0) {
        askForStanding(element);
      }
    });
    document.querySelectorAll("[data-now-clock]").forEach((clock) => {
      const form = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: clock.dataset.zone };
      clock.textContent = new Intl.DateTimeFormat(root.lang, form).format(new Date(at));
    });
  }

  /* ---- Copy ---- */

  async function copy(button) {
    const source = document.getElementById(button.dataset.copy);
    const word = button.querySelector("[data-copy-word]");
    await navigator.clipboard.writeText("value" in source ? source.value : source.innerText.trim());
    const before = word.textContent;
    word.textContent = button.dataset.copied;
    window.setTimeout(() => {
      word.textContent = before;
    }, 2000);
  }

  /* ---- Light or dark: a cookie, so that the next page comes right from the server ---- */

  function themeNow() {
    const dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
    return root.dataset.theme || (dark ? "dark" : "light");
  }

  function nameTheme() {
    const other = themeNow() === "dark" ? "light" : "dark";
    document.querySelectorAll("[data-theme-switch]").forEach((form) => {
      form.elements.theme.value = other;
      const word = form.querySelector("[data-theme-word]");
      word.textContent = word.dataset[other];
    });
  }

  function switchTheme() {
    const chosen = themeNow() === "dark" ? "light" : "dark";
    root.dataset.theme = chosen;
    const safe = window.location.protocol === "https:" ? "; Secure" : "";
    document.cookie = "theme=" + chosen + "; Path=/; Max-Age=31536000; SameSite=Lax" + safe;
    nameTheme();
  }

  /* ---- Keep what was typed: in this tab alone, until it is saved ---- */

  const DRAFT = "draft:";
  const SENT = "sent:";

  function kept(form) {
    return Array.from(form.elements).filter(
      (field) =>
        field.name &&
        field.name !== "csrf_token" &&
        !["password", "file", "hidden", "submit", "button", "reset"].includes(field.type) &&
        !field.closest("[data-never-keep]") &&
        field.autocomplete !== "one-time-code",
    );
  }

  function store(key, value) {
    try {
      if (value === null) {
        window.sessionStorage.removeItem(key);
      } else {
        window.sessionStorage.setItem(key, value);
      }
    } catch {
      /* A full or forbidden store loses the draft, never the page. */
    }
  }

  function stored(key) {
    try {
      return window.sessionStorage.getItem(key);
    } catch {
      return null;
    }
  }

  function keep(form) {
    form.dataset.touched = "yes";
    const draft = kept(form).map((field) =>
      ["checkbox", "radio"].includes(field.type)
        ? [field.name, field.value, field.checked]
        : [field.name, field.value, null],
    );
    store(DRAFT + form.dataset.keep, JSON.stringify(draft));
  }

  function restore(form) {
    const text = stored(DRAFT + form.dataset.keep);
    if (text === null || form.querySelector("[aria-invalid=true]")) {
      return;
    }
    const fields = kept(form);
    JSON.parse(text).forEach(([name, value, checked]) => {
      if (checked === null) {
        const field = fields.find((one) => one.name === name && !["checkbox", "radio"].includes(one.type));
        if (field) {
          field.value = value;
        }
      } else {
        const field = fields.find((one) => one.name === name && one.value === value);
        if (field) {
          field.checked = checked;
        }
      }
    });
    form.dataset.touched = "yes";
  }

  /* After a form was sent, the next page tells what became of it. Without the form it was saved, unless it asks to
     sign in or says "not saved"; with the form it was saved if the page says so. In doubt the draft stays. */
  function settle() {
    const sent = stored(SENT);
    if (sent === null) {
      return;
    }
    store(SENT, null);
    if (document.querySelector("[data-signed-out], [data-not-saved]")) {
      return;
    }
    const form = document.querySelector('form[data-keep="' + CSS.escape(sent) + '"]');
    const said = document.querySelector(".banner-said") && !document.querySelector("[aria-invalid=true]");
    if (!form || said) {
      store(DRAFT + sent, null);
    }
  }

  /* ---- Wiring ---- */

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) {
      copy(button);
    }
    const blocked = event.target.closest('[aria-disabled="true"]');
    if (blocked) {
      event.preventDefault();
    }
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[data-theme-switch]")) {
      event.preventDefault();
      switchTheme();
    } else if (form.matches("[data-keep]")) {
      keep(form);
      store(SENT, form.dataset.keep);
    }
  });

  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (form && form.matches("[data-keep]")) {
      keep(form);
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      document.querySelectorAll(".bottom-more[open], .rail-menu[open]").forEach((menu) => {
        menu.open = false;
        menu.querySelector("summary").focus();
      });
    }
  });

  /* A part that htmx brings: its countdown starts at once; a saved answer shows for a moment. */
  document.addEventListener("htmx:load", (event) => {
    const first = event.detail.elt.querySelector?.("[data-now]");
    if (first) {
      learnTime(first.dataset.now);
    }
    count();
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.detail.elt;
    if (event.detail.successful && form.matches?.("form[data-keep]") && !form.querySelector("[aria-invalid=true]")) {
      store(DRAFT + form.dataset.keep, null);
    }
  });

  /* A saving in place that failed is said at the top of the page; what was typed stays where it is. */
  ["htmx:responseError", "htmx:sendError", "htmx:timeout"].forEach((name) => {
    document.addEventListener(name, (event) => {
      const banner = document.querySelector("[data-on-failure]");
      if (banner && event.detail.requestConfig?.verb !== "get") {
        banner.hidden = false;
        banner.focus();
      }
    });
  });

  document.addEventListener("saved", (event) => {
    event.target.classList?.add("saved");
    window.setTimeout(() => event.target.classList?.remove("saved"), 600);
  });

  const first = document.querySelector("[data-now], [data-now-clock]");
  if (first) {
    learnTime(first.dataset.now || first.getAttribute("datetime"));
  }
  settle();
  document.querySelectorAll("form[data-keep]").forEach(restore);
  document.querySelector("[data-error-summary]")?.focus();
  nameTheme();
  count();
  window.setInterval(count, 1000);
})();
