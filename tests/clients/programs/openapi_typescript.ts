// What openapi_typescript.mjs compiles against the types that it made of the service's document, and then runs.
import createClient from "openapi-fetch";
import type { components, paths } from "./memory.js";

const [url, text] = process.argv.slice(2) as [string, string];
const client = createClient<paths>({ baseUrl: url });
type Hit = components["schemas"]["Hit"];

function given<Value>(value: Value | undefined, error?: unknown): Value {
  if (value === undefined) throw new Error(JSON.stringify(error));
  return value;
}

const draft: components["schemas"]["RememberRequest"] = { text, tags: ["made"], type: "procedural" };
const written = await client.POST("/v1/memories", { body: draft });
const receipt = given(written.data, written.error);
const id = given(receipt.memory_id ?? undefined);
const recalled = await client.POST("/v1/recall", { body: { query: text } });
const hits: Hit[] = given(recalled.data, recalled.error).hits;
const got = await client.GET("/v1/memories/{id}", { params: { path: { id } } });
const revised = await client.PATCH("/v1/memories/{id}", { params: { path: { id } }, body: { title: "Made" } });
const listed = await client.GET("/v1/memories", { params: { query: { tags: ["made"], order: "oldest" } } });
const imported = await client.POST("/v1/import", {
  body: '{"text": "Imported by a made client."}\n',
  bodySerializer: (lines: string) => lines,
  headers: { "Content-Type": "application/x-ndjson" },
});
const exported = await client.GET("/v1/export", { parseAs: "text" });
const forgotten = await client.DELETE("/v1/memories/{id}", { params: { path: { id } } });
const missing = await client.GET("/v1/memories/{id}", { params: { path: { id } } });
const refused = await client.POST("/v1/recall", { body: { query: text, limit: 0 } });
const generations = await client.GET("/v1/generations");

console.log(JSON.stringify({
  status: written.response.status,
  outcome: receipt.outcome,
  type: given(got.data).type,
  recalled: hits.map((hit) => hit.memory.text),
  got: given(got.data).text,
  since: given(hits[0]).since,
  title: given(revised.data).outcome === "stored" ? "Made" : null,
  listed: given(listed.data).memories.map((memory) => memory.text),
  imported: given(imported.data, imported.error).counts,
  exported: given(exported.data).includes(text),
  forgotten: given(forgotten.data).forgotten,
  missing: [missing.response.status, missing.error?.error.code, missing.error?.error.details],
  refused: [refused.response.status, refused.error?.error.code],
  generations: given(generations.data).generations.length,
  left_out: [],
}));
