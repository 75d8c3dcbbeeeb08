// MCP's reference memory server and the profile `reference` of ours: the same calls by the official client, the same answers.
// Usage: mcp_reference.mjs FOLDER COMMAND ARGUMENT... Prints a JSON object: how many calls there were, and those that differ.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { fileURLToPath } from "node:url";

const [folder, command, ...args] = process.argv.slice(2);
const reference = fileURLToPath(new URL("node_modules/@modelcontextprotocol/server-memory/dist/index.js", import.meta.url));
const entity = (name, entityType, ...observations) => ({ name, entityType, observations });
const relation = (from, relationType, to) => ({ from, to, relationType });
const ada = entity("Ada_Lovelace", "person", "Writes programs", "Lives in London");
const calls = [
  ["read_graph", {}],
  ["create_entities", { entities: [ada, entity("Atlas", "project"), entity("Bo", "person", "Likes tea", "Writes programs")] }],
  ["create_entities", { entities: [entity("Ada_Lovelace", "robot", "never"), entity("Ünïcode 漢字", "Ort", "Zażółć\ngęślą")] }],
  ["create_entities", { entities: [] }],
  ["create_relations", { relations: [relation("Ada_Lovelace", "works_on", "Atlas"), relation("Bo", "knows", "Ada_Lovelace")] }],
  ["create_relations", { relations: [relation("Bo", "knows", "Ada_Lovelace"), relation("Bo", "worksOn", "Nowhere"), relation("Bo", "likes", "Bo")] }],
  ["add_observations", { observations: [{ entityName: "Atlas", contents: ["Uses Postgres", "Starts in May"] }] }],
  ["add_observations", { observations: [{ entityName: "Atlas", contents: ["Uses Postgres", "Ends in June"] }, { entityName: "Bo", contents: [] }] }],
  ["add_observations", { observations: [{ entityName: "Atlas", contents: ["lost"] }, { entityName: "Nobody", contents: ["x"] }] }],
  ["read_graph", {}],
  ["search_nodes", { query: "postgres" }],
  ["search_nodes", { query: "PERSON" }],
  ["search_nodes", { query: "ada_" }],
  ["search_nodes", { query: "zzz qqq" }],
  ["search_nodes", { query: "" }],
  ["open_nodes", { names: ["Atlas", "Nobody"] }],
  ["open_nodes", { names: ["ada_lovelace"] }],
  ["delete_observations", { deletions: [{ entityName: "Atlas", observations: ["Uses Postgres", "never said"] }, { entityName: "Nobody", observations: ["x"] }] }],
  ["delete_relations", { relations: [relation("Bo", "knows", "Ada_Lovelace"), relation("Bo", "knows", "Nobody")] }],
  ["read_graph", {}],
  ["add_observations", { observations: [{ entityName: "Atlas", contents: ["Uses Postgres"] }] }],
  ["delete_entities", { entityNames: ["Ada_Lovelace", "Nobody"] }],
  ["read_graph", {}],
  ["create_entities", { entities: [ada] }],
  ["create_relations", { relations: [relation("Ada_Lovelace", "works_on", "Atlas")] }],
  ["read_graph", {}],
  ["create_entities", { entities: [{ name: "x" }] }],
  ["no_such_tool", {}],
];

async function answers(server) {
  const client = new Client({ name: "compare", version: "1" });
  await client.connect(new StdioClientTransport(server));
  const found = { tools: (await client.listTools()).tools.map(shown), calls: [] };
  for (const [name, values] of calls) {
    try {
      const { content, structuredContent, isError } = await client.callTool({ name, arguments: values });
      found.calls.push(isError ? { isError, text: content[0].text } : { text: content[0].text, structuredContent });
    } catch (error) {
      found.calls.push({ isError: true, text: String(error.message) });
    }
  }
  const { contents } = await client.readResource({ uri: "memory://knowledge-graph" });
  found.resource = contents;
  found.resources = (await client.listResources()).resources;
  await client.close();
  return found;
}

// What a schema library writes and leaves out differs from version to version; what it means does not.
function shown({ name, title, description, inputSchema, outputSchema, annotations }) {
  return plain({ name, title, description, inputSchema, outputSchema, annotations });
}

function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  const kept = Object.entries(value).filter(([key]) => !["$schema", "additionalProperties"].includes(key));
  return Object.fromEntries(kept.sort().map(([key, inner]) => [key, plain(inner)]));
}

const theirs = await answers({
  command: process.execPath, args: [reference], env: { ...process.env, MEMORY_FILE_PATH: `${folder}/memory.jsonl` }, stderr: "ignore",
});
const ours = await answers({ command, args, env: { ...process.env }, stderr: "inherit" });
const same = (a, b) => JSON.stringify(plain(a)) === JSON.stringify(plain(b));
const differ = calls.map((call, at) => [call, theirs.calls[at], ours.calls[at]]).filter(([, a, b]) => !same(a, b));
console.log(JSON.stringify({
  calls: calls.length,
  differ,
  tools: [theirs.tools, ours.tools].map((tools) => tools.map(({ name }) => name)),
  definitions: theirs.tools.map((tool, at) => [tool, ours.tools[at]]).filter(([a, b]) => !same(a, b)),
  resource: [same(theirs.resource, ours.resource), same(theirs.resources, ours.resources)],
}));
