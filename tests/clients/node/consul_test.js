// The npm package `consul`, unmodified, against a `devstack registry` that this starts; on node's own test runner.
// https://github.com/silas/node-consul
"use strict";

const assert = require("node:assert");
const { spawn } = require("node:child_process");
const net = require("node:net");
const { after, before, beforeEach, describe, it } = require("node:test");
const { setTimeout: pause } = require("node:timers/promises");
const Consul = require("consul"); // where NODE_PATH says

// What the client makes of the answer `false`: its HTTP library hands over true values only.
const REFUSED = undefined;

let registry;
let port;
const clients = [];

function client() {
  const made = new Consul({ host: "127.0.0.1", port });
  clients.push(made);
  return made;
}

/** Polls until `condition` gives something true; what it threw last is in the failure. */
async function eventually(condition, text, seconds = 30) {
  const deadline = Date.now() + seconds * 1000;
  let last;
  while (Date.now() < deadline) {
    try {
      const value = await condition();
      if (value) return value;
    } catch (error) {
      last = error;
    }
    await pause(20);
  }
  throw new Error(`${text}: not within ${seconds} s; last: ${last}`);
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = net.createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const found = probe.address().port;
      probe.close(() => resolve(found));
    });
  });
}

/** What a watch says, in order: `next(test)` waits for the first thing not yet taken that passes the test. */
class Seen {
  constructor(watch) {
    this.items = [];
    this.watch = watch;
    watch.on("change", (data, response) => this.items.push({ data, response }));
    watch.on("error", (error) => this.items.push({ error }));
  }
  next(test, text) {
    return eventually(() => {
      while (this.items.length > 0) {
        const item = this.items.shift();
        assert.ifError(item.error);
        if (test(item.data)) return item;
      }
      return undefined;
    }, text);
  }
}

// One suite around everything: not every version of node runs hooks that stand outside of one.
describe("npm's consul", () => {
  before(async () => {
    port = await freePort();
    registry = spawn(process.env.DEVSTACK, [
      "registry", "--ephemeral", "--node", "node1", "--session-ttl-min", "500ms",
      "--http", `127.0.0.1:${port}`, "--dns", `127.0.0.1:${await freePort()}`,
    ], { stdio: ["ignore", "ignore", "inherit"] });
    await eventually(() => {
      assert.strictEqual(registry.exitCode, null, "the registry ended");
      return client().status.leader();
    }, "the registry answers");
  });

  after(() => {
    for (const one of clients) one.destroy();
    registry.kill();
  });

  describe("services", () => {
    it("register with a TTL, are kept alive, and turn critical without a heartbeat", async () => {
      const consul = client();
      await consul.agent.service.register({
        name: "web", id: "web-1", address: "127.0.0.1", port: 8080, tags: ["v1"], meta: { version: "1" },
        check: { ttl: "5s", notes: "heartbeat" },
      });
      const seen = new Seen(consul.watch({
        method: consul.health.service, options: { service: "web", passing: true, wait: "10s" },
      }));
      await seen.next((list) => list.length === 0, "critical at first");
      await consul.agent.check.pass({ id: "service:web-1", note: "fine" });
      const { data } = await seen.next((list) => list.length === 1, "passing after the heartbeat");
      assert.strictEqual(data[0].Service.Port, 8080);
      assert.deepStrictEqual(data[0].Service.Meta, { version: "1" });
      await seen.next((list) => list.length === 0, "the TTL runs out");
      const checks = await consul.agent.check.list();
      assert.strictEqual(checks["service:web-1"].Status, "critical");
      await consul.agent.check.warn("service:web-1");
      assert.strictEqual((await consul.agent.check.list())["service:web-1"].Status, "warning");
      await consul.agent.check.fail("service:web-1");
      assert.strictEqual((await consul.health.checks("web"))[0].Status, "critical");
      await consul.agent.service.deregister("web-1");
      assert.deepStrictEqual(await consul.catalog.service.nodes("web"), []);
      seen.watch.end();
    });

    it("are watched in the catalog", async () => {
      const consul = client();
      const seen = new Seen(consul.watch({ method: consul.catalog.service.list, options: { wait: "10s" } }));
      await seen.next((names) => "consul" in names, "what is there already");
      await consul.agent.service.register({ name: "fresh", tags: ["a", "b"] });
      const { data } = await seen.next((names) => "fresh" in names, "the new name");
      assert.deepStrictEqual(data.fresh.sort(), ["a", "b"]);
      await consul.agent.service.deregister("fresh");
      await seen.next((names) => !("fresh" in names), "the name leaves");
      seen.watch.end();
    });

    it("go into maintenance and come out", async () => {
      const consul = client();
      await consul.agent.service.register("tired");
      await consul.agent.service.maintenance({ id: "tired", enable: true, reason: "rest" });
      assert.deepStrictEqual(await consul.health.service({ service: "tired", passing: true }), []);
      await consul.agent.service.maintenance({ id: "tired", enable: false });
      assert.strictEqual((await consul.health.service({ service: "tired", passing: true })).length, 1);
      await consul.agent.maintenance({ enable: true });
      assert.deepStrictEqual(await consul.health.service({ service: "tired", passing: true }), []);
      await consul.agent.maintenance({ enable: false });
      await consul.agent.service.deregister("tired");
    });

    it("of other nodes are registered through the catalog", async () => {
      const consul = client();
      await consul.catalog.register({
        node: "ext", address: "10.1.2.3", nodemeta: { rack: "r1" },
        service: { service: "mail", id: "mail-1", port: 25 },
        check: { node: "ext", checkid: "smtp", name: "smtp", status: "passing", serviceid: "mail-1" },
      });
      const [mail] = await consul.catalog.service.nodes("mail");
      assert.strictEqual(mail.Address, "10.1.2.3");
      assert.strictEqual(mail.ServicePort, 25);
      assert.deepStrictEqual((await consul.catalog.node.list({ "node-meta": "rack:r1" })).map((n) => n.Node), ["ext"]);
      assert.deepStrictEqual((await consul.catalog.nodes({ filter: 'Meta.rack == "r1"' })).map((n) => n.Node), ["ext"]);
      assert.deepStrictEqual(Object.keys((await consul.catalog.node.services("ext")).Services), ["mail-1"]);
      assert.deepStrictEqual((await consul.health.node("ext")).map((c) => c.CheckID), ["smtp"]);
      assert.ok((await consul.health.state("passing")).some((c) => c.CheckID === "smtp"));
      await consul.catalog.deregister({ node: "ext" });
      assert.deepStrictEqual(await consul.catalog.service.nodes("mail"), []);
    });

    it("have checks of all kinds", async () => {
      const consul = client();
      await consul.agent.service.register({
        name: "probed", port: 1,
        checks: [{ http: "http://127.0.0.1:1/", interval: "1h" }, { tcp: "127.0.0.1:1", interval: "1h" }, { ttl: "1h" }],
      });
      const types = Object.values(await consul.agent.check.list()).filter((c) => c.ServiceName === "probed");
      assert.deepStrictEqual(types.map((c) => c.Type).sort(), ["http", "tcp", "ttl"]);
      await consul.agent.check.register({ name: "own", id: "own", ttl: "1h", serviceid: "probed" });
      assert.strictEqual((await consul.agent.check.list()).own.ServiceID, "probed");
      await consul.agent.check.deregister("own");
      await consul.agent.service.deregister("probed");
    });
  });

  describe("key-value", () => {
    const consul = () => client();
    beforeEach(() => client().kv.del({ key: "", recurse: true }));

    it("is read and written as text and as bytes", async () => {
      const kv = consul().kv;
      assert.strictEqual(await kv.get("none"), undefined);
      assert.strictEqual(await kv.set("a b/ü", "text"), true);
      assert.strictEqual((await kv.get("a b/ü")).Value, "text");
      const bytes = Buffer.from([...Array(256).keys()]);
      await kv.set({ key: "bytes", value: bytes, flags: 7 });
      const entry = await kv.get({ key: "bytes", buffer: true });
      assert.ok(entry.Value.equals(bytes));
      assert.strictEqual(entry.Flags, 7);
      assert.ok((await kv.get({ key: "bytes", raw: true })).equals(bytes));
      assert.deepStrictEqual(await kv.keys(), ["a b/ü", "bytes"]);
      assert.deepStrictEqual((await kv.get({ key: "", recurse: true })).map((e) => e.Key), ["a b/ü", "bytes"]);
      await kv.del("bytes");
      assert.strictEqual(await kv.get("bytes"), undefined);
    });

    it("compares before it sets", async () => {
      const kv = consul().kv;
      assert.strictEqual(await kv.set({ key: "a", value: "1", cas: "0" }), true);
      assert.strictEqual(await kv.set({ key: "a", value: "2", cas: "0" }), REFUSED);
      const { ModifyIndex } = await kv.get("a");
      assert.strictEqual(await kv.set({ key: "a", value: "2", cas: ModifyIndex }), true);
      assert.strictEqual(await kv.del({ key: "a", cas: ModifyIndex }), REFUSED);
    });

    it("is watched: a key that comes, changes and goes", async () => {
      const one = consul();
      const seen = new Seen(one.watch({ method: one.kv.get, options: { key: "watched", wait: "10s" } }));
      await seen.next((entry) => entry === undefined, "not there");
      await one.kv.set("unrelated", "x");
      await one.kv.set("watched", "1");
      await seen.next((entry) => entry && entry.Value === "1", "made");
      await one.kv.set("watched", "2");
      await seen.next((entry) => entry && entry.Value === "2", "changed");
      await one.kv.del("watched");
      await seen.next((entry) => entry === undefined, "gone");
      seen.watch.end();
    });

    it("is watched below a prefix, and every last value arrives", async () => {
      const one = consul();
      const seen = new Seen(one.watch({ method: one.kv.get, options: { key: "p/", recurse: true, wait: "10s" } }));
      await Promise.all([...Array(50).keys()].map((i) => consul().kv.set(`p/${i}`, `${i}`)));
      const { data } = await seen.next((list) => list && list.length === 50, "all fifty");
      assert.ok(data.every((entry) => entry.Key === `p/${entry.Value}`));
      seen.watch.end();
    });

    it("writes transactions whole or not at all", async () => {
      const one = consul();
      const value = Buffer.from("v").toString("base64");
      const done = await one.transaction.create([
        { KV: { Verb: "set", Key: "t/a", Value: value } },
        { KV: { Verb: "set", Key: "t/b", Value: value } },
      ]);
      assert.strictEqual(done.Errors, null);
      assert.strictEqual(done.Results.length, 2);
      await assert.rejects(one.transaction.create([
        { KV: { Verb: "set", Key: "t/c", Value: value } },
        { KV: { Verb: "check-not-exists", Key: "t/a" } },
      ]), (error) => error.statusCode === 409 && error.response.body.Errors[0].OpIndex === 1);
      assert.deepStrictEqual(await one.kv.keys("t/"), ["t/a", "t/b"]);
    });
  });

  describe("sessions", () => {
    it("lock a key for one of two, and hand it over on release", async () => {
      const [one, two] = [client(), client()];
      await one.kv.del("lock");
      const [mine, theirs] = [(await one.session.create()).ID, (await two.session.create()).ID];
      const results = await Promise.all([
        one.kv.set({ key: "lock", value: "one", acquire: mine }),
        two.kv.set({ key: "lock", value: "two", acquire: theirs }),
      ]);
      assert.deepStrictEqual(results.filter((won) => won !== REFUSED), [true]);
      const [holder, waiter, session, other] = results[0] ? [one, two, mine, theirs] : [two, one, theirs, mine];
      const seen = new Seen(waiter.watch({ method: waiter.kv.get, options: { key: "lock", wait: "10s" } }));
      await seen.next((entry) => entry.Session === session, "held");
      assert.strictEqual(await holder.kv.set({ key: "lock", value: "", release: session }), true);
      await seen.next((entry) => entry.Session === undefined, "released");
      assert.strictEqual(await waiter.kv.set({ key: "lock", value: "mine", acquire: other }), true);
      seen.watch.end();
      await one.session.destroy(mine);
      await two.session.destroy(theirs);
      assert.ok(!(await one.session.list()).some((s) => s.ID === mine || s.ID === theirs));
    });

    it("expire without renewal, stay with it, and let go of their locks", async () => {
      const one = client();
      const { ID: brief } = await one.session.create({ ttl: "2s", lockdelay: "0s", behavior: "delete" });
      const { ID: kept } = await one.session.create({ ttl: "5s", name: "kept" });
      assert.strictEqual(await one.kv.set({ key: "leased", value: "x", acquire: brief }), true);
      await eventually(async () => {
        assert.strictEqual((await one.session.renew(kept))[0].ID, kept);
        return (await one.session.info(brief)) === undefined;
      }, "the session expires");
      assert.strictEqual(await one.kv.get("leased"), undefined);
      assert.strictEqual((await one.session.get(kept)).Name, "kept");
      assert.ok((await one.session.node("node1")).some((s) => s.ID === kept));
      await one.session.destroy(kept);
      await assert.rejects(one.session.renew(kept), (error) => error.statusCode === 404);
    });

    it("may not be briefer than the least TTL", async () => {
      await assert.rejects(client().session.create({ ttl: "499ms" }), /must be between \[500ms=24h0m0s\]/);
    });
  });

  describe("events", () => {
    it("are fired, listed and watched, by an index of 64 bits", async () => {
      const one = client();
      const seen = new Seen(one.watch({ method: one.event.list, options: { name: "deploy", wait: "10s" } }));
      await seen.next((list) => list.length === 0, "none yet");
      for (let i = 0; i < 8; ++i) {
        const fired = await one.event.fire({ name: "deploy", payload: `version ${i}` });
        const { data } = await seen.next((list) => list.some((event) => event.ID === fired.ID), `version ${i} is seen`);
        // Through a watch the client leaves payloads as they came.
        assert.strictEqual(Buffer.from(data.at(-1).Payload, "base64").toString(), `version ${i}`);
      }
      await one.event.fire("other", Buffer.from("x"));
      assert.strictEqual((await one.event.list("deploy")).length, 8);
      seen.watch.end();
    });
  });

  describe("the rest", () => {
    it("agent, status, members, datacenters", async () => {
      const one = client();
      assert.strictEqual((await one.agent.self()).Config.NodeName, "node1");
      assert.deepStrictEqual((await one.agent.members()).map((m) => m.Name), ["node1"]);
      assert.deepStrictEqual(await one.catalog.datacenters(), ["dc1"]);
      assert.deepStrictEqual(await one.status.peers(), [await one.status.leader()]);
      assert.deepStrictEqual(Consul.parseQueryMeta({ headers: {} }), {});
    });

    it("prepared queries", async () => {
      const one = client();
      await one.agent.service.register({ name: "api", id: "api-1", tags: ["v2"] });
      const { ID } = await one.query.create({ name: "apis", service: { service: "api", tags: ["v2"] }, dns: { ttl: "3s" } });
      assert.deepStrictEqual((await one.query.execute("apis")).Nodes.map((n) => n.Service.ID), ["api-1"]);
      assert.strictEqual((await one.query.get(ID)).Name, "apis");
      await one.query.update({ query: ID, name: "apis", service: { service: "none" } });
      assert.deepStrictEqual((await one.query.execute("apis")).Nodes, []);
      await one.query.destroy(ID);
      await assert.rejects(one.query.execute("apis"), (error) => error.statusCode === 404);
      await one.agent.service.deregister("api-1");
    });

    it("ACLs are off", async () => {
      await assert.rejects(client().acl.bootstrap(), /ACL support disabled/);
    });
  });
});
