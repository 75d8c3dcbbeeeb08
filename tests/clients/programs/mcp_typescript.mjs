// The official MCP SDK for TypeScript: `mcp_typescript.mjs TRANSPORT ADDRESS TEXT [auto|legacy|long]`, whose report is a line of JSON.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { longCalls, report } from './mcp_report.mjs';

const [transport, address, text, mode = 'auto'] = process.argv.slice(2);
const client = new Client(
  { name: 'a test', version: '1' },
  { versionNegotiation: { mode: mode === 'long' ? 'auto' : mode } },
);
await client.connect(
  transport === 'http'
    ? new StreamableHTTPClientTransport(new URL(address))
    : new StdioClientTransport({ command: address, args: ['mcp'], env: process.env }),
);
const found = await (mode === 'long' ? longCalls : report)(client, text);
console.log(JSON.stringify({ ...found, protocol: client.getNegotiatedProtocolVersion() }));
await client.close();
