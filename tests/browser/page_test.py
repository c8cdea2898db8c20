#!/usr/bin/env python3
"""The status page in a real browser (Chromium through chromedriver, WebDriver over plain HTTP; no packages needed).

    page_test.py --demo build/debug/tests/browser/demo_server --screenshots DIR
    page_test.py --url http://127.0.0.1:7500/ --trigger 'docker run -d --name web …' --expect web --screenshots DIR

Every step prints a line; the first that fails ends the run with 1.
"""
import argparse
import atexit
import base64
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

WIDTHS = (1280, 400)
SCHEMES = ("light", "dark")
BROWSER_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)

# The WCAG contrast of every visible text with what lies behind it; returns those below AA.
CONTRAST = r"""
const rgb = (text) => { const p = text.match(/[\d.]+/g).map(Number); return p.length < 4 ? [...p, 1] : p; };
const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
const luminance = (c) => {
  const [r, g, b] = c.slice(0, 3).map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = (element) => {
  const layers = [];
  for (let e = element; e; e = e.parentElement) layers.push(rgb(getComputedStyle(e).backgroundColor));
  return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255, 1]);
};
const poor = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let node; (node = walker.nextNode());) {
  const element = node.parentElement;
  if (!node.nodeValue.trim() || element.closest(".unseen, .skip, [hidden], noscript, script")) continue;
  if (element.getClientRects().length === 0 || element.disabled) continue;
  const style = getComputedStyle(element);
  const size = parseFloat(style.fontSize);
  const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
  const back = behind(element);
  const [a, b] = [luminance(over(rgb(style.color), back)), luminance(back)].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  if (ratio < (large ? 3 : 4.5)) poor.push(`${ratio.toFixed(2)} "${node.nodeValue.trim()}"`);
}
return poor;
"""


class Failure(Exception):
    pass


def check(condition, text):
    if not condition:
        raise Failure(text)
    print("ok   ", text, flush=True)


def wait_for(condition, seconds, text):
    """Polls until `condition` is true; returns how long that took."""
    begin = time.monotonic()
    while time.monotonic() - begin < seconds:
        if condition():
            taken = time.monotonic() - begin
            print(f"ok    {text} ({taken * 1000:.0f} ms)", flush=True)
            return taken
        time.sleep(0.02)
    raise Failure(f"{text}: not within {seconds} s")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Browser:
    """One browser window behind chromedriver (https://www.w3.org/TR/webdriver2/)."""

    def __init__(self, folder):
        port = free_port()
        self.base = f"http://127.0.0.1:{port}"
        log = open(os.path.join(folder, "chromedriver.log"), "w")
        self.driver = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=log, stderr=log)
        self.session = None
        wait_for(self._ready, 20, "chromedriver answers")
        flags = [*BROWSER_FLAGS, f"--user-data-dir={os.path.join(folder, 'profile')}"]
        capabilities = {
            "goog:chromeOptions": {"args": flags},
            "goog:loggingPrefs": {"browser": "ALL"},
        }
        answer = self._send("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})
        self.session = answer["sessionId"]

    def _ready(self):
        with contextlib.suppress(OSError):
            return self._send("GET", "/status")["ready"]
        return False

    def _send(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise Failure(f"{path}: {json.load(error)['value']['message']}") from None

    def command(self, method, path, body=None):
        return self._send(method, f"/session/{self.session}{path}", body)

    def open(self, url):
        self.command("POST", "/url", {"url": url})

    def run(self, script, *arguments):
        return self.command("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def devtools(self, name, **parameters):
        return self.command("POST", "/goog/cdp/execute", {"cmd": name, "params": parameters})

    def view(self, width, scheme):
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=860, deviceScaleFactor=1,
                      mobile=width < 600)
        self.devtools("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": "reduce"}])

    def screenshot(self, path):
        shot = self.devtools("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        with open(path, "wb") as file:
            file.write(base64.b64decode(shot["data"]))

    def press(self, key):
        actions = [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        self.command("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def complaints(self):
        """What the page wrote to the console as an error, a blocked resource for example."""
        entries = self.command("POST", "/se/log", {"type": "browser"})
        return [entry["message"] for entry in entries if entry["level"] == "SEVERE"]

    def close(self):
        with contextlib.suppress(Exception):
            self.command("DELETE", "")
        self.driver.terminate()
        self.driver.wait(10)


def text_of(browser):
    return browser.run("return document.body.innerText")


def test_readable_without_script(url, project):
    with urllib.request.urlopen(url, timeout=10) as answer:
        page = answer.read().decode()
        policy = answer.headers["Content-Security-Policy"]
    check("{{" not in page and 'id="verdict"' in page, "the page comes filled in from the server")
    check(project is None or f"<h1>{project}</h1>" in page, "and names the project")
    check("default-src 'self'" in policy and "unsafe" not in policy, "with a strict content security policy")


def test_refuses_strangers(url):
    for headers in ({"Host": "evil.example"}, {"Host": "127.0.0.1.evil.example:7500"}):
        try:
            urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10)
            raise Failure(f"answered {headers}")
        except urllib.error.HTTPError as error:
            check(error.code == 403, f"refuses {headers}")
    try:
        urllib.request.urlopen(urllib.request.Request(url + "api/units/x/stop", b"", method="POST"), timeout=10)
        raise Failure("stopped a unit without the token")
    except urllib.error.HTTPError as error:
        check(error.code == 403, "refuses a change without the token")


def test_looks(browser, folder, label):
    for width in (320, 600, 861, 1000):
        browser.view(width, "light")
        overflow = browser.run("return document.documentElement.scrollWidth - innerWidth")
        check(overflow <= 0, f"fits into {width} px")
    for scheme in SCHEMES:
        for width in WIDTHS:
            browser.view(width, scheme)
            overflow = browser.run("return document.documentElement.scrollWidth - innerWidth")
            check(overflow <= 0, f"fits into {width} px, {scheme}")
            if folder:
                browser.screenshot(os.path.join(folder, f"{label}-{width}-{scheme}.png"))
            poor = browser.run(CONTRAST)
            check(not poor, f"has WCAG AA contrast at {width} px, {scheme}" + "".join("\n  " + p for p in poor))


def test_keyboard(browser):
    browser.view(1280, "light")
    browser.run("document.activeElement.blur(); window.scrollTo(0, 0)")
    seen = set()
    for _ in range(40):
        browser.press("\ue004")  # Tab
        tag, outline = browser.run(
            "const s = getComputedStyle(document.activeElement);"
            "return [document.activeElement.tagName, s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2]")
        if tag == "BODY":
            break
        if not outline:
            raise Failure(f"focus on {tag} cannot be seen")
        seen.add(tag)
    check("A" in seen, "the keyboard reaches everything and its focus is visible: " + ", ".join(sorted(seen)))


def test_appears(browser, trigger, expected, limit):
    check(expected not in text_of(browser), f"{expected} is not on the page yet")
    process = subprocess.Popen(trigger, shell=True, stdout=subprocess.DEVNULL)
    # From here the clock runs: a command that takes long (docker run) is part of what the user waits for.
    wait_for(lambda: expected in text_of(browser), limit, f"{expected} appears")
    if process.wait(60) != 0:
        raise Failure(f"failed: {trigger}")


def test_restart(browser, unit):
    words = f"return document.getElementById('unit-{unit}').dataset.words"
    before = browser.run(words)
    browser.run(f"document.querySelector('[data-unit=\"{unit}\"][data-action=restart]').click()")
    wait_for(lambda: browser.run(words) != before, 10, f"{unit} restarts")
    wait_for(lambda: browser.run(words) in ("running", "healthy"), 60, f"{unit} runs again")
    said = browser.run("return document.getElementById('announce').textContent")
    check(unit in said, f"the change is announced: \"{said}\"")
    check(browser.run("return document.getElementById('problem').hidden"), "and nothing went wrong")


def test_queries(browser, url, folder, label, arrive=None):
    """The view of what DNS is asked. `arrive` makes a new query come in, for adhoc-web.service.consul."""
    browser.view(1280, "light")
    browser.open(url + "queries")
    rows = "return [...document.querySelectorAll('#rows tr')].map((r) => r.innerText)"
    wait_for(lambda: browser.run(rows), 10, "the last queries are there")
    check(browser.run("return document.querySelectorAll('#names li').length"), "and the names asked most")
    test_looks(browser, folder, label)
    test_keyboard(browser)
    browser.view(1280, "light")
    choose = ("const [field, value] = arguments; const input = document.getElementById('filter').elements[field];"
              "input.value = value; input.dispatchEvent(new Event('input', { bubbles: true }))")
    if arrive:
        check(browser.run("return document.title") == "DNS queries" and not browser.run("return document.images.length"),
              "a name that is markup is shown as text")
        browser.run(choose, "name", "<IMG")
        check(len(browser.run(rows)) == 1, "the filter by name")
        browser.run(choose, "name", "")
        browser.run(choose, "client", "172.18.0.4")
        check(all("172.18.0.4" in row for row in browser.run(rows)) and browser.run(rows), "by client")
        browser.run(choose, "client", "")
        browser.run(choose, "code", "!NOERROR")
        check(browser.run(rows) and not any("NOERROR" in row for row in browser.run(rows)), "and by code")
        browser.run(choose, "code", "SERVFAIL")
        check(all("SERVFAIL" in row for row in browser.run(rows)) and browser.run(rows), "of the codes that there were")
        browser.run(choose, "code", "")
        arrive()
        wait_for(lambda: "adhoc-web" in browser.run(rows)[0], 10, "a new query comes in at the top")
        count = len(browser.run(rows))
        browser.run("document.querySelector('#names button').click()")
        check(0 < len(browser.run(rows)) < count, "a name that is asked often filters by itself")
        browser.run("document.getElementById('pause').click()")
        check(browser.run("return document.getElementById('pause').innerText") == "Go on", "it can be paused")
    complaints = browser.complaints()
    check(not complaints, "the console is quiet" + "".join("\n  " + c for c in complaints))


def test_no_queries(browser, url):
    browser.open(url + "queries")
    wait_for(lambda: "switched off" in browser.run("return document.getElementById('connection').innerText"), 15,
             "without DNS the queries' page says so")
    browser.complaints()  # the 503 is one, and wanted


def test_end(browser, stop):
    stop()
    gone = "return !document.getElementById('connection').hidden"
    wait_for(lambda: browser.run(gone), 10, "the page says that devstack stopped")


class Demo:
    def __init__(self, program, *arguments):
        self.process = subprocess.Popen([program, *arguments], stdout=subprocess.PIPE, text=True)
        atexit.register(self.process.kill)  # when a step fails before stop()
        self.url = self.process.stdout.readline().strip()
        if not self.url:
            raise Failure("the demo server did not start")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(15) != 0:
            raise Failure("the demo server did not end well")


def test_demo(browser, options):
    for scenario in ("empty", "trouble"):
        demo = Demo(options.demo, "0", scenario)
        browser.open(demo.url)
        test_looks(browser, options.screenshots, scenario)
        if scenario == "empty":
            test_no_queries(browser, demo.url)
        else:
            test_queries(browser, demo.url, options.screenshots, "queries",
                         lambda running=demo: running.process.send_signal(signal.SIGUSR1))
        demo.stop()
    demo = Demo(options.demo, "0", "calm")
    options.url, options.project, options.restart = demo.url, "demo", "worker"
    options.trigger, options.expect = f"kill -USR1 {demo.process.pid}", "adhoc-web"
    test_page(browser, options)
    test_end(browser, demo.stop)
    port = demo.url.rstrip("/").rsplit(":", 1)[1]
    demo = Demo(options.demo, port, "empty")
    wait_for(lambda: "without services" in text_of(browser), 15, "the page goes on with the next devstack")
    demo.stop()


def test_page(browser, options):
    test_readable_without_script(options.url, options.project)
    test_refuses_strangers(options.url)
    browser.view(1280, "light")
    browser.complaints()  # forgets those of pages before this one
    browser.open(options.url)
    wait_for(lambda: browser.run("return document.documentElement.classList.contains('scripted')"), 10, "the script runs")
    if options.trigger:
        test_appears(browser, options.trigger, options.expect, options.within)
    test_looks(browser, options.screenshots, "page")
    test_keyboard(browser)
    if options.restart:
        test_restart(browser, options.restart)
    complaints = browser.complaints()
    check(not complaints, "the console is quiet" + "".join("\n  " + c for c in complaints))
    if options.queries:
        subprocess.run(options.queries, shell=True, check=True, stdout=subprocess.DEVNULL)
        test_queries(browser, options.url, options.screenshots, "queries")
        browser.open(options.url)
        wait_for(lambda: browser.run("return document.documentElement.classList.contains('scripted')"), 10, "back")
    if options.stop:
        test_end(browser, lambda: subprocess.run(options.stop, shell=True, check=True))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default=os.environ.get("DEVSTACK_PAGE_URL"), help="the page to test")
    parser.add_argument("--demo", help="the demo server's program, instead of --url")
    parser.add_argument("--screenshots", help="directory for screenshots, made when missing")
    parser.add_argument("--project", help="the name that the page must show")
    parser.add_argument("--trigger", help="a command after which --expect must appear on the page")
    parser.add_argument("--expect", help="text that --trigger makes appear")
    parser.add_argument("--within", type=float, default=2.0, help="seconds for that")
    parser.add_argument("--restart", metavar="UNIT", help="press this unit's Restart button")
    parser.add_argument("--queries", help="a command that asks DNS something; the queries' page is tested then")
    parser.add_argument("--stop", help="a command that stops devstack; the page must notice")
    options = parser.parse_args()
    if not options.url and not options.demo:
        parser.error("--url or --demo is needed")
    if options.url and not options.url.endswith("/"):
        options.url += "/"
    if options.screenshots:
        os.makedirs(options.screenshots, exist_ok=True)
    folder = tempfile.mkdtemp(prefix="devstack-page-")
    browser = None
    try:
        browser = Browser(folder)
        (test_demo if options.demo else test_page)(browser, options)
        return 0
    except Failure as failure:
        print("FAIL ", failure, flush=True)
        return 1
    finally:
        if browser:
            browser.close()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
