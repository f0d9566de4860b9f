/* Suggestions under a field, by the pattern "combobox with listbox" of WAI-ARIA. Without scripts the field
   is a plain one that takes a name.

   data-suggest  address that answers ?q= with suggestions
   data-of       class whose members alone are suggested
   data-go       choosing opens the thing's page instead of filling the field
   data-label    what to show in place of the field's value (a short IRI) */
"use strict";

(() => {
  let count = 0;

  function combine(input) {
    const list = document.createElement("ul");
    const status = document.createElement("span");
    const id = "suggestions-" + (count += 1);
    const name = input.name;
    let hidden = null;
    let results = [];
    let active = -1;
    let timer = 0;
    let asked = null;

    list.id = id;
    list.className = "suggestions";
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Suggestions");
    list.hidden = true;
    status.className = "hidden";
    status.setAttribute("role", "status");
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-expanded", "false");
    input.setAttribute("aria-controls", id);
    input.autocomplete = "off";
    input.removeAttribute("list");
    const holder = document.createElement("span");
    holder.className = "combobox";
    input.replaceWith(holder);
    holder.append(input, list, status);

    function fill(value, label) {
      if (!hidden) {
        hidden = document.createElement("input");
        hidden.type = "hidden";
        holder.append(hidden);
      }
      hidden.name = name;
      hidden.value = value;
      input.removeAttribute("name");
      input.value = label;
    }

    function clear() {
      if (hidden) {
        hidden.remove();
        hidden = null;
        input.name = name;
      }
    }

    function close() {
      list.hidden = true;
      active = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    }

    function mark(position) {
      active = position;
      [...list.children].forEach((option, number) => {
        option.setAttribute("aria-selected", number === position ? "true" : "false");
      });
      const option = list.children[position];
      if (option) {
        input.setAttribute("aria-activedescendant", option.id);
        option.scrollIntoView({ block: "nearest" });
      } else {
        input.removeAttribute("aria-activedescendant");
      }
    }

    function choose(position) {
      const found = results[position];
      close();
      if (!found) return;
      if (input.dataset.go) {
        window.location.assign(found.page);
      } else {
        fill(found.value, found.label);
      }
    }

    function show(found) {
      results = found;
      list.replaceChildren(...found.map((one, number) => {
        const option = document.createElement("li");
        const label = document.createElement("bdi");
        const kind = document.createElement("small");
        option.id = id + "-" + number;
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        label.textContent = one.label;
        kind.textContent = one.matched ? one.matched + " · " + one.type : one.type;
        option.append(label, " ", kind);
        option.addEventListener("mousedown", (event) => {
          event.preventDefault();
          choose(number);
        });
        return option;
      }));
      active = -1;
      list.hidden = found.length === 0;
      input.setAttribute("aria-expanded", found.length ? "true" : "false");
      input.removeAttribute("aria-activedescendant");
      status.textContent = found.length === 1 ? "1 suggestion" : found.length + " suggestions";
    }

    async function ask() {
      const text = input.value.trim();
      if (asked) asked.abort();
      if (!text) {
        close();
        return;
      }
      asked = new AbortController();
      const address = new URL(input.dataset.suggest, window.location.href);
      address.searchParams.set("q", text);
      if (input.dataset.of) address.searchParams.set("of", input.dataset.of);
      try {
        const answer = await fetch(address, { signal: asked.signal, headers: { Accept: "application/json" } });
        if (answer.ok && input.value.trim() === text && document.activeElement === input) {
          show((await answer.json()).results);
        }
      } catch (error) {
        if (error.name !== "AbortError") close();
      }
    }

    input.addEventListener("input", () => {
      clear();
      window.clearTimeout(timer);
      timer = window.setTimeout(ask, 120);
    });
    input.addEventListener("blur", close);
    input.addEventListener("keydown", (event) => {
      const open = !list.hidden;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        if (!open) {
          ask();
        } else {
          const step = event.key === "ArrowDown" ? 1 : -1;
          const next = active + step;
          mark(next < -1 ? results.length - 1 : next >= results.length ? -1 : next);
        }
        event.preventDefault();
      } else if (event.key === "Enter" && open && active >= 0) {
        choose(active);
        event.preventDefault();
      } else if (event.key === "Tab" && open && active >= 0 && !input.dataset.go) {
        choose(active);
      } else if (event.key === "Escape" && open) {
        close();
        event.preventDefault();
      }
    });

    if (input.dataset.label && input.value) fill(input.value, input.dataset.label);
  }

  document.querySelectorAll("input[data-suggest]").forEach(combine);
})();
