// The first line of the MCP SDK for TypeScript, which most clients still use: `mcp_typescript_v1.mjs TRANSPORT ADDRESS TEXT`.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { report } from './mcp_report.mjs';

const [transport, address, text] = process.argv.slice(2);
const client = new Client({ name: 'a test', version: '1' });
await client.connect(
  transport === 'http'
    ? new StreamableHTTPClientTransport(new URL(address))
    : new StdioClientTransport({ command: address, args: ['mcp'], env: process.env }),
);
console.log(JSON.stringify(await report(client, text)));
await client.close();
