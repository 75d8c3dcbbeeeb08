// @ts-check
/** A question as a program asks it: over curl, Python, TypeScript and MCP. */

/** @param {unknown} value @returns {string} */
function python(value) {
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (Array.isArray(value)) return `[${value.map(python).join(', ')}]`;
  return JSON.stringify(value);
}

/** Text in single quotes for a shell. @param {string} text */
const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

/** @param {Record<string, unknown>} request @returns {Record<string, string>} */
export function calls(request) {
  const { query, namespace, recipe, ...rest } = request;
  const fields = { query, ...(namespace === 'default' ? {} : { namespace }), ...(recipe === 'balanced' ? {} : { recipe }), ...rest };
  const body = JSON.stringify(fields);
  const named = Object.entries(fields).filter(([name]) => name !== 'query').map(([name, value]) => `, ${name}=${python(value)}`).join('');
  return {
    curl: `curl ${location.origin}/v1/recall \\\n  -H 'Content-Type: application/json' \\\n  -d ${quoted(body)}`,
    python: `from ai_memory import Client\n\nmemory = Client(${JSON.stringify(location.origin)})\nanswer = memory.recall(${JSON.stringify(query)}${named})\nfor hit in answer.hits:\n    print(hit.since.date(), hit.memory.text)`,
    typescript: `const response = await fetch("${location.origin}/v1/recall", {\n  method: "POST",\n  headers: { "Content-Type": "application/json" },\n  body: JSON.stringify(${JSON.stringify(fields, null, 2).replaceAll('\n', '\n  ')}),\n});\nconst { hits } = await response.json();`,
    mcp: JSON.stringify({ method: 'tools/call', params: { name: 'recall', arguments: fields } }, null, 2),
  };
}
