// Against a real service, whose address is in AI_MEMORY_URL.
import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryClient, MemoryServiceError, follow } from "../dist/index.js";

const url = process.env.AI_MEMORY_URL;
const client = new MemoryClient({ url, namespace: "typescript" });

test("a memory is stored, recalled, revised and forgotten", async () => {
  const receipt = await client.remember({ text: "The gate code is 4711 — кошка 🙂", tags: ["gate"], key: "gate.code" });
  assert.equal(receipt.outcome, "stored");
  const again = await client.remember({ text: "The gate code is 4711 — кошка 🙂", tags: ["gate"], key: "gate.code" });
  assert.equal(again.outcome, "duplicate_of");
  const answer = await client.recall({ query: "What is the gate code?" });
  assert.match(answer.hits[0].memory.text, /4711/);
  const memory = await client.get({ id: "key:gate.code" });
  assert.deepEqual(memory.tags, ["gate"]);
  await client.revise({ id: memory.id, text: "The gate code is 4712", reason: "changed" });
  const history = await client.history({ id: memory.id });
  assert.equal(history.revisions.length, 2);
  const listed = await client.list({ any_tags: ["gate"], limit: 5 });
  assert.equal(listed.memories.length, 1);
  await client.forget({ id: memory.id });
  assert.equal((await client.list()).memories.length, 0);
});

test("a write that is refused is an answer, an error is a MemoryServiceError with its code and hint", async () => {
  const { memory_id: id } = await client.remember({ text: "Forget this one soon" });
  await client.forget({ id });
  const refused = await client.remember({ text: "Forget this one soon" });
  assert.deepEqual([refused.outcome, refused.code], ["rejected", "forgotten"]);
  await assert.rejects(client.get({ id: "mem_00000000000000000000000000" }), (error) => {
    assert.ok(error instanceof MemoryServiceError);
    assert.deepEqual([error.code, error.status], ["not_found", 404]);
    return true;
  });
  await assert.rejects(client.recall({ query: "x", limit: -1 }), { code: "invalid_input", status: 400 });
  await assert.rejects(client.get({ id: "" }), { code: "invalid_input", status: 0 });
});

test("many, relations, lines in and out", async () => {
  const many = await client.rememberMany({ memories: [{ text: "Ada lives in Graz" }, { text: " " }] });
  assert.deepEqual([many.counts.stored, many.counts.rejected], [1, 1]);
  const relation = await client.relate({ source: "entity:person/Bela", target: "entity:project/Atlas", type: "LEADS" });
  const near = await client.neighbours({ id: "entity:person/Bela", types: ["LEADS"] });
  assert.ok(near.neighbours.some((each) => each.relation.id === relation.id));
  const report = await client.importLines([{ text: "One line" }, '{"text": "Another, with ünïcode"}', "{broken"]);
  assert.deepEqual([report.counts.stored, report.counts.rejected, report.rejected[0].line], [2, 1, 3]);
  const lines = [];
  for await (const line of client.exportLines()) lines.push(JSON.parse(line));
  assert.equal(lines[0].record, "archive");
  assert.ok(lines.some((line) => line.text === "Another, with ünïcode"));
});

test("what happens is followed, and goes on behind a cursor", async () => {
  const { cursor } = await client.events();
  const receipt = await client.remember({ text: "Followed from TypeScript" });
  const ended = new AbortController();
  for await (const event of follow(client, { cursor, kinds: ["memory"] }, { signal: ended.signal })) {
    assert.deepEqual([event.action, event.id], ["remembered", receipt.memory_id]);
    break;
  }
  const waiting = follow(client, {}, { signal: ended.signal }).next();
  ended.abort();
  await assert.rejects(waiting, { name: "AbortError" });
});

test("a read is sent a second time when the connection breaks, a write only with an idempotency key", async () => {
  const calls = [];
  const breaking = new MemoryClient({
    url,
    namespace: "typescript",
    fetch: (input, init) => {
      calls.push(init.method);
      if (calls.length % 2 === 1) throw new TypeError("fetch failed", { cause: new Error("ECONNRESET") });
      return fetch(input, init);
    },
  });
  await breaking.stats();
  assert.equal(calls.length, 2);
  await breaking.remember({ text: "Once", idempotency_key: "k1" });
  assert.equal(calls.length, 4);
  await assert.rejects(breaking.remember({ text: "Twice" }), { code: "service_unavailable" });
  assert.equal(calls.length, 5);
});

test("nobody there, another program there, too late, taken back", async () => {
  await assert.rejects(new MemoryClient({ url: "http://127.0.0.1:9" }).health(), { code: "service_unavailable", hint: "start it: ai-memory serve" });
  const other = new MemoryClient({ fetch: async () => new Response("<html>", { status: 200 }) });
  await assert.rejects(other.health(), /no AI Memory Service/);
  const awake = setInterval(() => undefined, 1000); // a process that waits for nothing else would end before the limit
  const hanging = (input, init) => new Promise((_, reject) => init.signal.addEventListener("abort", () => reject(init.signal.reason)));
  await assert.rejects(new MemoryClient({ timeoutMs: 20, fetch: hanging }).health(), /did not answer within 0.02 s/);
  const ended = new AbortController();
  const call = new MemoryClient({ fetch: hanging }).health({}, { signal: ended.signal });
  ended.abort();
  await assert.rejects(call, { name: "AbortError" });
  clearInterval(awake);
  assert.throws(() => new MemoryClient({ url: "ftp://x" }), { code: "invalid_input" });
});
