// The command line of the MCP Inspector: `mcp_inspector.mjs TRANSPORT ADDRESS TEXT`, whose report is a line of JSON.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const [transport, address, text] = process.argv.slice(2);
const inspector = fileURLToPath(new URL('./node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js', import.meta.url));
const target = transport === 'http' ? [address] : [address, 'mcp'];

function inspect(method, ...options) {
  const environment = transport === 'http' ? [] : Object.entries(process.env).filter(([name]) => /^(AI_MEMORY|PYTHON|PATH|HOME)/.test(name)).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
  const output = execFileSync(process.execPath, [inspector, '--cli', ...environment, ...target, '--method', method, ...options], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(output);
}

const remembered = inspect('tools/call', '--tool-name', 'remember', '--tool-arg', `text=${text}`, '--tool-arg', 'importance=0.9');
const recalled = inspect('tools/call', '--tool-name', 'recall', '--tool-arg', `query=${text}`, '--tool-arg', 'limit=5');
console.log(
  JSON.stringify({
    tools: inspect('tools/list', '--strict').tools.map((tool) => tool.name),
    remembered: remembered.content[0].text,
    recalled: recalled.content[0].text,
    structured: recalled.structuredContent,
    prompts: inspect('prompts/list').prompts.map((one) => one.name),
    prompt: inspect('prompts/get', '--prompt-name', 'recall_first', '--prompt-args', `question=${text}`).messages[0].content.text,
    resources: inspect('resources/list').resources.map((one) => one.uri),
    templates: inspect('resources/templates/list').resourceTemplates.map((one) => one.uriTemplate),
    read: inspect('resources/read', '--uri', 'memory://recent').contents[0].text,
  }),
);
