// What the DNS server is asked: polls while the page is looked at. All text goes in by textContent, so that a name
// that a client made up is never markup.

const keptMost = 1024; // as many as the server keeps
const shownMost = 200;
const pollMs = 1000;
const calmMs = 1500; // a break shorter than this is nobody's business

const at = (id) => document.getElementById(id);
const filter = at("filter");
const codes = filter.elements.code;

let after = 0;
let kept = []; // oldest first
let paused = false;
let brokenSince = null;

function element(name, text, className) {
  const out = document.createElement(name);
  if (text !== undefined) out.textContent = text;
  if (className) out.className = className;
  return out;
}

function mark(tone) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("class", `mark ${tone}`);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(space, "use");
  use.setAttribute("href", `#mark-${tone}`);
  svg.append(use);
  return svg;
}

/** NXDOMAIN is an answer, if seldom the one that was hoped for; the others are none. */
const toneOf = (code) => (code === "NOERROR" ? "" : code === "NXDOMAIN" ? "warn" : "bad");

function codeElement(code, count) {
  const out = element("span", undefined, `code ${toneOf(code)}`);
  if (toneOf(code)) out.append(mark(toneOf(code)));
  out.append(count === undefined ? code : `${count.toLocaleString()} ${code}`);
  return out;
}

// --- Counts ----------------------------------------------------------------------------------------------------

function codesIn(into, counts) {
  for (const [code, count] of Object.entries(counts)) into.append(codeElement(code, count));
}

function showCounts(data) {
  const total = at("total");
  total.replaceChildren(element("span", `${data.total.toLocaleString()} ${data.total === 1 ? "query" : "queries"}`));
  const split = element("span", undefined, "codes");
  codesIn(split, data.codes);
  total.append(split);
  at("sources").replaceChildren(...Object.entries(data.sources).map(([source, count]) => {
    const fact = element("div");
    fact.append(element("dt", source), element("dd", count.toLocaleString()));
    return fact;
  }));
  showNames(data.names.slice(0, 10));
  for (const code of Object.keys(data.codes)) {
    if (![...codes.options].some((option) => option.value === code)) codes.append(new Option(code, code));
  }
}

function showNames(names) {
  const list = at("names");
  const had = list.contains(document.activeElement) ? document.activeElement.textContent : null;
  at("no-names").hidden = names.length > 0;
  list.replaceChildren(...names.map(({ name, total, codes: counts }) => {
    const item = element("li");
    const button = element("button", name, "link");
    button.type = "button";
    button.title = "Show only this name";
    const split = element("span", undefined, "codes");
    codesIn(split, counts);
    item.append(button, element("b", total.toLocaleString()), split);
    return item;
  }));
  if (had) [...list.querySelectorAll("button")].find((button) => button.textContent === had)?.focus();
}

// --- Rows ------------------------------------------------------------------------------------------------------

function wanted(query) {
  const name = filter.elements.name.value.trim().toLowerCase();
  const client = filter.elements.client.value.trim().toLowerCase();
  const code = codes.value;
  return query.name.toLowerCase().includes(name) && query.client.toLowerCase().includes(client) &&
    (code === "" || (code === "!NOERROR" ? query.code !== "NOERROR" : query.code === code));
}

function timeOf(ms) {
  const time = new Date(ms);
  const pad = (value, digits) => String(value).padStart(digits, "0");
  return `${pad(time.getHours(), 2)}:${pad(time.getMinutes(), 2)}:${pad(time.getSeconds(), 2)}.${pad(time.getMilliseconds(), 3)}`;
}

function tookText(us) {
  if (us < 1000) return `${us} µs`;
  return us < 1e6 ? `${(us / 1e3).toFixed(1)} ms` : `${(us / 1e6).toFixed(1)} s`;
}

function row(query) {
  const out = element("tr");
  out.setAttribute("role", "row");
  const cell = (className, content) => {
    const td = element("td", undefined, className);
    td.setAttribute("role", "cell");
    td.append(content);
    out.append(td);
  };
  cell("time", timeOf(query.time));
  cell("client", query.client);
  cell("type", query.type);
  cell("asked", query.name);
  cell("answer", codeElement(query.code));
  cell("from", query.source);
  cell("number", tookText(query.us));
  return out;
}

function tellShown(matching) {
  const rows = at("rows").childElementCount;
  if (kept.length === 0) at("shown").textContent = "";
  else if (matching === 0) at("shown").textContent = `None of the last ${kept.length} match`;
  else at("shown").textContent = rows < matching ? `The newest ${rows} of ${matching}` : `${matching} of the last ${kept.length}`;
}

/** Rows of the newest that match; those that are there already stay, with what is selected in them. */
function showRows(fresh) {
  const rows = at("rows");
  rows.prepend(...fresh.filter(wanted).slice(-shownMost).reverse().map(row));
  while (rows.childElementCount > shownMost) rows.lastElementChild.remove();
  tellShown(kept.filter(wanted).length);
}

function refill() {
  at("rows").replaceChildren();
  showRows(kept);
}

// --- Polling ---------------------------------------------------------------------------------------------------

function broken(text) {
  brokenSince ??= Date.now();
  if (Date.now() - brokenSince < calmMs) return;
  at("connection").textContent = text;
  at("connection").hidden = false;
  document.body.classList.add("stale");
}

function mended() {
  brokenSince = null;
  at("connection").hidden = true;
  document.body.classList.remove("stale");
}

async function poll() {
  let answer;
  try {
    answer = await fetch(`/api/queries?after=${after}`);
  } catch {
    return broken("devstack stopped, or cannot be reached. The page goes on by itself once devstack is up again.");
  }
  if (!answer.ok) {
    const text = await answer.text();
    let reason = text;
    try { reason = JSON.parse(text).error.message; } catch { /* plain text */ }
    return broken(reason);
  }
  const data = await answer.json();
  mended();
  const anew = data.next < after; // devstack was started again
  after = anew ? 0 : data.next;
  if (anew) kept = [];
  kept = kept.concat(data.queries).slice(-keptMost);
  showCounts(data);
  if (anew) refill();
  else if (data.queries.length > 0 || at("rows").childElementCount === 0) showRows(data.queries);
}

async function run() {
  if (!paused && !document.hidden) await poll();
  setTimeout(run, pollMs);
}

filter.addEventListener("input", refill);
filter.addEventListener("submit", (event) => event.preventDefault());
at("names").addEventListener("click", (event) => {
  const button = event.target.closest("button.link");
  if (!button) return;
  filter.elements.name.value = button.textContent;
  refill();
});
at("pause").addEventListener("click", () => {
  paused = !paused;
  at("pause").setAttribute("aria-pressed", String(paused));
  at("pause").textContent = paused ? "Go on" : "Pause";
});

document.documentElement.classList.add("scripted");
run();
