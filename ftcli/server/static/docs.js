"use strict";
// The interactive pages of the daemon: reads /openapi.json, sends requests to this daemon and to nobody else.

const KEY = "ft-api-key";
const byId = (id) => document.getElementById(id);

function make(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class") node.className = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child != null && child !== ""));
  return node;
}

// Paragraphs with `code` in them: as much of Markdown as the descriptions use.
function prose(text, cls) {
  return (text || "").split(/\n\n+/).filter(Boolean).map((part) => make("p", { class: cls },
    ...part.replaceAll("\n", " ").split("`").map((piece, at) => (at % 2 ? make("code", {}, piece) : piece))));
}

const auth = () => (byId("key").value.trim() ? { Authorization: `Bearer ${byId("key").value.trim()}` } : {});

// Indents JSON without reading its numbers: 0.10 stays 0.10.
function indent(text) {
  let depth = 0, quoted = false, out = "";
  const line = () => `\n${"  ".repeat(depth)}`;
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at];
    if (quoted) {
      out += sign;
      if (sign === "\\") out += text[(at += 1)] ?? "";
      else if (sign === '"') quoted = false;
    } else if (sign === '"') { quoted = true; out += sign; }
    else if ((sign === "{" || sign === "[") && (text[at + 1] === "}" || text[at + 1] === "]")) { out += sign + text[(at += 1)]; }
    else if (sign === "{" || sign === "[") { depth += 1; out += sign + line(); }
    else if (sign === "}" || sign === "]") { depth -= 1; out += line() + sign; }
    else if (sign === ",") out += sign + line();
    else if (sign === ":") out += ": ";
    else if (sign.trim()) out += sign;
  }
  return out;
}

const quoteForShell = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function curl(request) {
  const parts = ["curl"];
  if (request.stream) parts.push("-N");
  if (request.method !== "GET") parts.push("-X", request.method);
  parts.push(quoteForShell(location.origin + request.url));
  if (request.secured) parts.push("-H", '"Authorization: Bearer $FT_API_KEY"');
  if (request.body) parts.push("-H", quoteForShell("Content-Type: application/json"), "-d", quoteForShell(request.body));
  return parts.join(" ");
}

// -- one operation -----------------------------------------------------------------------------------------

function paramRow(param, id) {
  const schema = Schema.resolve(param.schema);
  const start = param.example ?? schema.default ?? "";
  const value = param.required ? [].concat(start).join(",") : "";
  let input;
  if (schema.type === "boolean") input = make("select", { id }, ...["", "true", "false"].map((text) => make("option", { value: text }, text)));
  else if (schema.enum) input = make("select", { id }, ...["", ...schema.enum].map((text) => make("option", { value: text }, text)));
  else input = make("input", { id, value, placeholder: [].concat(start).join(","), spellcheck: "false", autocomplete: "off" });
  const label = make("label", { for: id }, param.name, param.required ? make("i", { title: "required" }, " *") : "");
  const about = `${param.description || ""} ${Schema.typeName(param.schema)}, in the ${param.in}.`;
  return { param, input, row: make("div", { class: "param" }, label, make("div", {}, input, make("small", {}, about.trim()))) };
}

function bodyEditor(body) {
  const schema = Schema.resolve(body.content["application/json"].schema);
  const area = make("textarea", { spellcheck: "false", "aria-label": "Request body" });
  const fill = (value) => { area.value = JSON.stringify(value, null, 2); };
  const holder = Object.entries(schema.properties || {}).find(([, part]) => Schema.variants(part).length);
  const choice = Schema.variants(schema).length ? schema : holder ? holder[1] : null;
  const nodes = [area];
  fill(Schema.example(schema));
  if (choice) {
    const tag = Schema.resolve(choice).discriminator.propertyName;
    const options = Schema.variants(choice);
    const select = make("select", { "aria-label": tag, onchange: () => {
      const model = Schema.example(options[select.selectedIndex]);
      fill(choice === schema ? model : { ...Schema.example(schema), [holder[0]]: model });
    } }, ...options.map((option) => make("option", {}, Schema.variantName(option, choice))));
    nodes.unshift(make("div", { class: "param" }, make("label", {}, tag), select));
    select.dispatchEvent(new Event("change"));
  }
  return { area, nodes };
}

function fieldList(schema, depth = 0) {
  const model = Schema.inner(schema);
  if (!model || depth > 5) return null;
  const needed = new Set(model.required || []);
  return make("div", { class: "fields" }, ...Object.entries(model.properties).map(([name, part]) => {
    const field = Schema.resolve(part);
    const open = needed.has(name) ? "" : ", may be left out";
    const head = [make("code", {}, name), " ", make("em", {}, `${Schema.typeName(part)}${open}. `), field.description || ""];
    if (!Schema.inner(part)) return make("div", {}, ...head);
    const more = make("details", { ontoggle: () => {
      if (more.open && !more.dataset.done) { more.dataset.done = "1"; more.append(fieldList(part, depth + 1) || ""); }
    } }, make("summary", {}, ...head));
    return more;
  }));
}

class Console {
  constructor(node) { this.node = node; this.text = null; }

  clear(...nodes) { this.node.replaceChildren(...nodes); this.text = null; }

  line(text, follow = true) {
    if (!this.text) { this.text = make("pre", { tabindex: "0" }); this.node.append(this.text); }
    this.text.textContent = follow ? (this.text.textContent + text).slice(-20000) : text;
    if (follow) this.text.scrollTop = this.text.scrollHeight;
  }

  status(text, good) { this.node.append(make("div", { class: good ? "good" : "bad" }, text)); }
}

function operationBody(path, method, operation) {
  const rows = (operation.parameters || []).map((param, at) => paramRow(param, `${operation.operationId}-${at}`));
  const editor = operation.requestBody ? bodyEditor(operation.requestBody) : null;
  const good = Object.entries(operation.responses).find(([status]) => status[0] === "2" || status === "101");
  const content = (good && good[1].content) || {};
  const stream = "text/event-stream" in content;
  const socket = good && good[0] === "101";
  const output = new Console(make("div", { "aria-live": "polite" }));
  const shown = make("pre", {});
  let stop = null;

  const request = () => {
    let url = path;
    const query = [];
    for (const { param, input } of rows) {
      const text = input.value.trim();
      if (param.in === "path") url = url.replace(`{${param.name}}`, encodeURIComponent(text) || `{${param.name}}`);
      else if (text) query.push(`${param.name}=${encodeURIComponent(text).replaceAll("%2C", ",")}`);
    }
    const body = editor ? editor.area.value.trim() : "";
    return { method: method.toUpperCase(), url: query.length ? `${url}?${query.join("&")}` : url, body, stream, secured: operation.security.length > 0 };
  };
  const refresh = () => { shown.textContent = socket ? `wscat -c ${quoteForShell(location.origin.replace("http", "ws") + path)} -H "Authorization: Bearer $FT_API_KEY"` : curl(request()); };

  const send = make("button", { type: "button", onclick: async () => {
    if (stop) { stop(); return; }
    if (operation["x-risk"] === "money" && document.body.dataset.environment === "live" && !confirm("This places a real order. Send it?")) return;
    output.clear();
    send.textContent = "Stop";
    const ends = socket ? openSocket(path, output) : sendRequest(request(), output);
    stop = ends.stop;
    await ends.done;
    stop = null;
    send.textContent = label;
  } });
  const label = socket ? "Connect" : stream ? "Open stream" : "Send";
  send.textContent = label;

  const schema = (content["application/json"] || {}).schema;
  const data = schema && Schema.resolve(schema).properties && Schema.resolve(schema).properties.data;
  const events = (content["text/event-stream"] || {})["x-events"] || {};
  const node = make("div", { oninput: refresh, onchange: refresh },
    make("div", { class: "tagline" },
      operation["x-risk"] === "money" ? make("span", { class: "badge money" }, "places orders") : "",
      operation["x-inferred"] ? make("span", { class: "badge" }, "wire form inferred") : "",
      ...operation.security.flatMap((one) => Object.values(one).flat()).map((scope) => make("span", { class: "badge" }, `scope ${scope}`)),
      operation["x-cli"] ? make("code", {}, operation["x-cli"]) : ""),
    ...prose(operation.description, "text"),
    rows.length ? make("h3", {}, "Parameters") : "", ...rows.map(({ row }) => row),
    editor ? make("h3", {}, "Body") : "", ...(editor ? editor.nodes : []),
    make("div", { class: "actions" }, send), shown, output.node,
    data ? make("h3", {}, "data") : "", data ? fieldList(data) || make("p", {}, Schema.typeName(data)) : "",
    ...Object.entries(events).flatMap(([name, part]) => [make("h3", {}, name ? `event ${name}` : "event"), fieldList(part) || ""]),
    make("h3", {}, "Answers"),
    make("div", { class: "fields" }, ...Object.entries(operation.responses).map(([status, answer]) => make("div", {}, make("code", {}, status), ` ${answer.description}`))));
  refresh();
  return node;
}

// -- sending -----------------------------------------------------------------------------------------------

function sendRequest(request, output) {
  const abort = new AbortController();
  const headers = request.body ? { ...auth(), "Content-Type": "application/json" } : auth();
  const work = async () => {
    const started = performance.now();
    try {
      const answer = await fetch(request.url, { method: request.method, headers, body: request.body || undefined, signal: abort.signal });
      const took = () => `${Math.round(performance.now() - started)} ms`;
      if ((answer.headers.get("Content-Type") || "").startsWith("text/event-stream")) {
        output.status(`${answer.status} · streaming`, answer.ok);
        const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
        for (let part = await reader.read(); !part.done; part = await reader.read()) output.line(part.value);
        output.status("The stream has ended.", true);
        return;
      }
      const text = await answer.text();
      output.status(`${answer.status} ${answer.statusText} · ${took()} · request ${answer.headers.get("X-Request-Id") || "?"}`, answer.ok);
      output.line((answer.headers.get("Content-Type") || "").includes("json") ? indent(text) : text, false);
    } catch (problem) {
      output.status(abort.signal.aborted ? "Stopped." : `No answer: ${problem.message}`, abort.signal.aborted);
    }
  };
  return { stop: () => abort.abort(), done: work() };
}

function openSocket(path, output) {
  const socket = new WebSocket(location.origin.replace(/^http/, "ws") + path);
  const done = new Promise((ended) => {
    socket.onopen = () => {
      const key = byId("key").value.trim();
      if (key) socket.send(JSON.stringify({ action: "auth", key }));
      const command = make("input", { value: '{"action": "subscribe", "symbols": ["AAPL", "TSLA"]}', "aria-label": "Message" });
      const form = make("form", { class: "actions", onsubmit: (event) => { event.preventDefault(); socket.send(command.value); output.line(`→ ${command.value}\n`); } }, command, make("button", { class: "second" }, "Send message"));
      command.style.flex = "1";
      output.clear(form);
    };
    socket.onmessage = (event) => output.line(`← ${event.data}\n`);
    socket.onclose = (event) => { output.status(`Closed: ${event.code} ${event.reason}`, event.code === 1000); ended(); };
  });
  return { stop: () => socket.close(1000), done };
}

// -- the page ----------------------------------------------------------------------------------------------

function show(description) {
  Schema.use(description);
  byId("version").textContent = description.info.version;
  const main = byId("main"), menu = byId("menu");
  main.replaceChildren(...prose(description.info.description, "about"));
  const groups = new Map(description.tags.map((tag) => [tag.name, { tag, list: [] }]));
  for (const [path, methods] of Object.entries(description.paths)) {
    for (const [method, operation] of Object.entries(methods)) groups.get(operation.tags[0]).list.push({ path, method, operation });
  }
  for (const { tag, list } of groups.values()) {
    main.append(make("h2", { id: `tag-${tag.name}` }, tag.name.replaceAll("_", " ")), make("p", {}, tag.description || ""));
    const links = make("div", {}, make("b", {}, tag.name.replaceAll("_", " ")));
    for (const { path, method, operation } of list) {
      const id = `op-${operation.operationId}`;
      const card = make("details", { class: "operation", id, ontoggle: () => {
        if (card.open && card.children.length === 1) card.append(operationBody(path, method, operation));
      } }, make("summary", {}, make("span", { class: `method ${method}` }, method.toUpperCase()), make("span", { class: "path" }, path), make("span", { class: "summary" }, operation.summary)));
      main.append(card);
      const link = make("a", { href: `#${id}`, onclick: () => { card.open = true; } }, operation.summary.replace(/[.:].*$/s, ""));
      link.dataset.text = `${method} ${path} ${operation.summary} ${operation.operationId}`.toLowerCase();
      links.append(link);
    }
    menu.append(links);
  }
  const target = location.hash && document.querySelector(`details${CSS.escape(location.hash).replace("\\#", "#")}`);
  if (target) { target.open = true; target.scrollIntoView(); }
}

function filter(text) {
  const wanted = text.trim().toLowerCase();
  for (const group of byId("menu").children) {
    let left = 0;
    for (const link of group.querySelectorAll("a")) {
      link.hidden = wanted !== "" && !link.dataset.text.includes(wanted);
      left += link.hidden ? 0 : 1;
    }
    group.hidden = left === 0;
  }
}

async function whoAmI() {
  const state = byId("key-state"), environment = byId("environment");
  try {
    const answer = await fetch("/api/v1/service/info", { headers: auth() });
    const { ok, data, error } = await answer.json();
    state.textContent = ok ? (data.api_key_required ? "key accepted" : "no key needed") : byId("key").value ? "key refused" : "no key yet";
    state.title = ok ? "" : error.message;
    environment.hidden = !ok;
    if (!ok) return;
    document.body.dataset.environment = data.environment;
    environment.textContent = data.environment === "paper" ? "paper" : data.live_trading ? "LIVE, trading on" : "live, trading off";
    environment.className = `badge ${data.environment}`;
  } catch { state.textContent = "daemon not reachable"; }
}

async function start() {
  // For this tab only: sessionStorage ends with it.
  byId("key").value = sessionStorage.getItem(KEY) || "";
  byId("key").addEventListener("change", () => { sessionStorage.setItem(KEY, byId("key").value.trim()); whoAmI(); });
  byId("key-form").addEventListener("submit", (event) => { event.preventDefault(); byId("key").dispatchEvent(new Event("change")); });
  byId("filter").addEventListener("input", (event) => filter(event.target.value));
  whoAmI();
  try {
    show(await (await fetch("/openapi.json")).json());
  } catch (problem) {
    byId("main").replaceChildren(make("p", { class: "bad" }, `The description could not be read: ${problem.message}`));
  }
}

start();
