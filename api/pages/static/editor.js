/* The editor of queries: YASQE in the place of the text area, with our own prefixes, classes and properties,
   results in the page without leaving it, and a button that stops a running query. Without scripts the text
   area and its form do the same, but for stopping. */
"use strict";

(() => {
  const form = document.getElementById("editor");
  const area = document.getElementById("query");
  const stop = document.getElementById("stop");
  const running = document.getElementById("running");
  const outcome = document.getElementById("outcome");
  const longest = 6000;
  const root = new URL("..", document.currentScript.src).href;
  let request = null;
  let editor = null;
  let known = null;

  function text() {
    return editor ? editor.getValue() : area.value;
  }

  async function run() {
    if (request) request.abort();
    const mine = new AbortController();
    request = mine;
    const started = performance.now();
    const query = text();
    const asked = { query };
    if (form.elements.inference.checked) asked.inference = "false";
    stop.hidden = false;
    outcome.setAttribute("aria-busy", "true");
    const ticking = window.setInterval(() => {
      running.textContent = "Running for " + Math.round((performance.now() - started) / 1000) + " s";
    }, 1000);
    running.textContent = "Running";
    try {
      const answer = await fetch(root + "sparql/run", {
        method: "POST",
        body: new URLSearchParams(asked),
        signal: mine.signal,
      });
      const piece = await answer.text();
      if (!piece.endsWith("<!-- whole -->")) throw new Error("the answer broke off");
      outcome.replaceChildren(...new DOMParser().parseFromString(piece, "text/html").body.childNodes);
      const address = root + "sparql?" + new URLSearchParams(asked);
      if (address.length < longest) window.history.replaceState(null, "", address);
      running.textContent = "Done in " + ((performance.now() - started) / 1000).toFixed(1) + " s";
    } catch (error) {
      if (request === mine) {
        running.textContent = mine.signal.aborted ? "Stopped" : "The result is incomplete: " + error.message;
      }
    } finally {
      window.clearInterval(ticking);
      if (request === mine) {
        request = null;
        stop.hidden = true;
        outcome.removeAttribute("aria-busy");
      }
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    run();
  });
  stop.addEventListener("click", () => {
    if (request) request.abort();
    form.querySelector("button[type=submit]").focus();
  });

  async function terms() {
    if (!known) {
      const answer = await fetch(root + "sparql/terms.json");
      known = answer.ok ? await answer.json() : { prefixes: {}, classes: [], properties: [] };
    }
    return known;
  }

  function matching(kind) {
    return async (yasqe, token) => {
      const typed = ((token && token.autocompletionString) || "").toLowerCase();
      const local = typed.replace(/^.*[/#:]/, "");
      return (await terms())[kind]
        .filter((one) => one.iri.toLowerCase().startsWith(typed)
          || (local && one.iri.toLowerCase().replace(/^.*[/#]/, "").includes(local) && !typed.includes("/"))
          || (local && !typed.includes("/") && one.label.toLowerCase().includes(local)))
        .map((one) => one.iri);
    };
  }

  function upgrade() {
    const Yasqe = window.Yasqe && (window.Yasqe.default || window.Yasqe.Yasqe || window.Yasqe);
    if (typeof Yasqe !== "function") return;
    Yasqe.defaults.autocompleters = ["variables"];
    Yasqe.forkAutocompleter("prefixes", {
      name: "prefixes",
      persistenceId: null,
      get: async () => Object.entries((await terms()).prefixes).map(([name, iri]) => name + ": <" + iri + ">").sort(),
    });
    Yasqe.forkAutocompleter("class", { name: "class", persistenceId: null, bulk: false, get: matching("classes") });
    Yasqe.forkAutocompleter("property", {
      name: "property", persistenceId: null, bulk: false, get: matching("properties"),
    });
    const place = document.createElement("div");
    area.before(place);
    editor = new Yasqe(place, {
      value: area.value,
      showQueryButton: false,
      createShareableLink: null,
      consumeShareLink: null,
      persistenceId: null,
      prefixCcApi: null,
      resizeable: false,
      collapsePrefixesOnLoad: false,
      editorHeight: "22rem",
      lineWrapping: true,
      extraKeys: {
        "Ctrl-Enter": run,
        "Cmd-Enter": run,
        "Ctrl-Space": () => editor.autocomplete(),
        Esc: () => form.querySelector("button[type=submit]").focus(),
      },
    });
    area.hidden = true;
    area.required = false;
    document.querySelector("label[for=query]").addEventListener("click", () => editor.focus());
    const field = editor.getInputField();
    field.setAttribute("aria-label", "Query");
    field.setAttribute("aria-describedby", "editor-keys");
    document.getElementById("editor-keys").hidden = false;
    form.addEventListener("formdata", (event) => event.formData.set("query", text()));
  }

  upgrade();
  window.diplographEditor = { get editor() { return editor; } };
})();
