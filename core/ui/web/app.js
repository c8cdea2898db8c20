// Keeps the page live: swaps in the server's HTML on each change, runs the buttons, and says so when the stream breaks.
import { morph } from "/morph.js";
import { elapsedWords } from "/elapsed.js";

const token = document.querySelector('meta[name="devstack-token"]').content;
const connection = document.getElementById("connection");
const problem = document.getElementById("problem");
const announce = document.getElementById("announce");
const live = () => document.getElementById("live");

const firstRetryMs = 500;
const longestRetryMs = 5000;
const calmMs = 1500; // a break shorter than this is nobody's business

/** Units whose action was asked for and has not been answered: name -> what the button says meanwhile. */
const underWay = new Map();
const doing = { restart: "Restarting…", stop: "Stopping…", start: "Starting…" };

/** The state words of everything that has a name on the page, to tell changes by. */
function conditions(root) {
  const words = new Map();
  for (const row of root.querySelectorAll("[data-name]")) words.set(row.id, row.dataset.words);
  return words;
}

function show(html) {
  const parsed = new DOMParser().parseFromString(html, "text/html").getElementById("live");
  if (!parsed) return;
  if (parsed.dataset.instance !== live().dataset.instance) return location.reload();
  const before = conditions(live());
  morph(live(), parsed);
  document.title = live().dataset.title;
  document.querySelector('link[rel="icon"]').href = live().classList.contains("bad") ? "/favicon-bad.svg" : "/favicon.svg";
  clockOffset = Number(live().dataset.now) - Date.now() / 1000;
  markUnderWay();
  tell(before, conditions(live()));
}

function tell(before, after) {
  const news = [];
  for (const [id, words] of after) {
    if (before.get(id) === words) continue;
    const row = document.getElementById(id);
    news.push(`${row.dataset.name}: ${words}`);
    row.classList.remove("changed");
    void row.offsetWidth; // restarts the animation
    row.classList.add("changed");
  }
  for (const id of before.keys()) {
    if (!after.has(id)) news.push(`${id.replace(/^[a-z]+-/, "")}: gone`);
  }
  if (news.length > 0) announce.textContent = news.join(". ");
}

// --- Buttons ---------------------------------------------------------------------------------------------------

function markUnderWay() {
  for (const button of document.querySelectorAll("button[data-unit]")) {
    const action = underWay.get(button.dataset.unit);
    button.disabled = action !== undefined;
    if (action === button.dataset.action) button.textContent = doing[action];
  }
}

function complain(text) {
  problem.textContent = text;
  problem.hidden = false;
  setTimeout(() => { problem.hidden = true; }, 12000);
}

async function act(button) {
  const { unit, action } = button.dataset;
  if (underWay.has(unit)) return;
  const label = button.textContent;
  underWay.set(unit, action);
  markUnderWay();
  try {
    const answer = await fetch(`/api/units/${encodeURIComponent(unit)}/${action}`, {
      method: "POST",
      headers: { "X-Devstack-Token": token },
    });
    if (!answer.ok) complain(`${unit}: ${await reason(answer)}`);
  } catch {
    complain(`${unit}: devstack did not answer`);
  }
  underWay.delete(unit);
  if (button.isConnected) button.textContent = label;
  markUnderWay();
}

async function reason(answer) {
  const text = await answer.text();
  try {
    return JSON.parse(text).error.message;
  } catch {
    return text.trim();
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-action]");
  if (button) act(button);
});

// --- The stream ------------------------------------------------------------------------------------------------

let retryMs = firstRetryMs;
let brokenSince = null;
let brokenTimer = null;

function connect() {
  const source = new EventSource("/api/events?view=page");
  source.addEventListener("page", (event) => {
    retryMs = firstRetryMs;
    mended();
    show(event.data);
  });
  source.onerror = () => {
    source.close(); // the browser's own retry is slow, and gives up on an HTTP error
    broken();
    setTimeout(connect, retryMs);
    retryMs = Math.min(retryMs * 2, longestRetryMs);
  };
}

function broken() {
  if (brokenSince) return;
  brokenSince = new Date();
  brokenTimer = setTimeout(() => {
    const time = brokenSince.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
    connection.textContent =
      `devstack stopped, or cannot be reached: this is how things were at ${time}. ` +
      "The page goes on by itself once devstack is up again.";
    connection.hidden = false;
    document.body.classList.add("stale");
    document.title = "stopped: " + live().dataset.title;
  }, calmMs);
}

function mended() {
  if (!brokenSince) return;
  clearTimeout(brokenTimer);
  brokenSince = null;
  connection.hidden = true;
  document.body.classList.remove("stale");
}

// --- Times -----------------------------------------------------------------------------------------------------

let clockOffset = Number(live().dataset.now) - Date.now() / 1000;

function tick() {
  if (brokenSince) return;
  const now = Date.now() / 1000 + clockOffset;
  for (const time of document.querySelectorAll("time[data-since]")) {
    const words = elapsedWords(now - Number(time.dataset.since));
    if (time.textContent !== words) time.textContent = words;
  }
}

document.documentElement.classList.add("scripted");
setInterval(tick, 1000);
addEventListener("pagehide", () => { brokenSince = new Date(); }); // leaving is no break
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
connect();
