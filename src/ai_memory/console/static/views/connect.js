// @ts-check
/** Connect: how each client reaches this service, ready to copy, and whether it answers. */
import { api, credentials } from '../core/api.js';
import { html, useState } from '../core/html.js';
import { useLoad } from '../core/load.js';
import { change, namespace, usePlace } from '../core/route.js';
import { key } from '../core/session.js';
import { t } from '../core/words.js';
import { CopyButton, Note, Shown } from '../parts/basics.js';

/** @typedef {{name: string, label: string, file?: string, command?: string, text: (at: Where) => string, test: 'mcp' | 'rest'}} Client */
/** @typedef {{origin: string, space: string, key: boolean}} Where */

/** What reaches the service over HTTP; the programs that start it themselves come from the service, as `ai-memory setup` knows them. @type {Client[]} */
const OVER_HTTP = [
  { name: 'http', label: 'MCP over HTTP', text: (at) => `${at.origin}/mcp`, test: 'mcp' },
  { name: 'python', label: 'Python', text: (at) => `from ai_memory import Client\n\nmemory = Client(${JSON.stringify(at.origin)}${at.key ? ', api_key="YOUR-KEY"' : ''})\nmemory.remember("We ship on Fridays."${at.space === 'default' ? '' : `, namespace=${JSON.stringify(at.space)}`})\nprint(memory.recall("When do we ship?"${at.space === 'default' ? '' : `, namespace=${JSON.stringify(at.space)}`}).hits[0].memory.text)`, test: 'rest' },
  { name: 'curl', label: 'curl', text: (at) => `curl ${at.origin}/v1/recall \\\n  -H 'Content-Type: application/json' \\${at.key ? "\n  -H 'Authorization: Bearer YOUR-KEY' \\" : ''}\n  -d '${JSON.stringify({ query: 'When do we ship?', ...(at.space === 'default' ? {} : { namespace: at.space }) })}'`, test: 'rest' },
  { name: 'openai', label: 'OpenAI (embeddings)', text: (at) => `from openai import OpenAI\n\nclient = OpenAI(base_url="${at.origin}/v1", api_key="${at.key ? 'YOUR-KEY' : 'none'}")\nvectors = client.embeddings.create(model="default", input=["We ship on Fridays."])`, test: 'rest' },
];

/** A program of `ai-memory setup` as a client. @param {{name: string, title: string, file: string, plain: string, scoped: string}} program @returns {Client} */
const started = ({ name, title, file, plain, scoped }) => ({ name, label: title, file, command: `ai-memory setup ${name}`, test: 'mcp', text: ({ space }) => (space === 'default' ? plain : scoped.replaceAll('{NAMESPACE}', space)) });

export function View() {
  const { params } = usePlace();
  const at = { origin: location.origin, space: namespace(), key: Boolean(key.get()) };
  const programs = useLoad((signal) => api.programs({ signal }), []);
  const clients = [...(programs.data ?? []).map(started), ...OVER_HTTP];
  const chosen = clients.find((each) => each.name === params.client) ?? clients[0];
  if (!programs.data) return html`<div class="view"><${Shown} from=${programs}>${() => null}<//></div>`;
  return html`<div class="view"><header><div class="grow"><h1>${t('view.connect')}</h1><p>${t('connect.lead')}</p></div></header>
    <div class="connect">
      <ul class="connect-list">${clients.map((each) => html`<li key=${each.name}><button type="button" class="place button plain" aria-pressed=${String(each === chosen)} onClick=${() => change({ client: each.name })}>${each.label}</button></li>`)}</ul>
      <section class="panel column"><div class="row between"><h2>${chosen.label}</h2><${CopyButton} text=${chosen.text(at)} /></div>
        ${chosen.file && html`<p class="quiet">${t('connect.file')} <code>${chosen.file}</code></p>`}
        <pre class="code" tabindex="0">${chosen.text(at)}</pre>
        ${chosen.command && html`<p class="quiet">${t('connect.setup')} <code>${chosen.command}</code></p>`}
        ${at.key && !chosen.command && html`<p class="quiet">${t('connect.key')}</p>`}
        <${Test} key=${chosen.name} kind=${chosen.test} />
      </section>
    </div></div>`;
}

/** @param {{kind: 'mcp' | 'rest'}} props */
function Test({ kind }) {
  const [state, setState] = useState(/** @type {{busy?: boolean, good?: string, bad?: string}} */ ({}));
  const run = async () => {
    setState({ busy: true });
    const began = performance.now();
    try {
      const good = kind === 'mcp' ? await mcp() : (await api.health()).version;
      setState({ good: t('connect.works', { what: good, n: Math.round(performance.now() - began) }) });
    } catch (error) {
      setState({ bad: /** @type {Error} */ (error).message || t('error.unreachable') });
    }
  };
  return html`<div class="row"><button type="button" class="button" onClick=${run} disabled=${state.busy}>${state.busy && html`<span class="spin"></span>`}${t('connect.test')}</button>
    <div role="status">${state.good && html`<${Note} kind="good">${state.good}<//>`}${state.bad && html`<${Note} kind="bad">${state.bad}<//>`}</div></div>
    <p class="quiet">${t(`connect.test.${kind}`)}</p>`;
}

/** Opens a session as an MCP client does; returns the server's name and how many tools it has. */
async function mcp() {
  const post = async (/** @type {unknown} */ body, /** @type {Record<string, string>} */ more = {}) => {
    const response = await fetch('/mcp', { method: 'POST', headers: { ...credentials(), 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream', ...more }, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
    const text = await response.text();
    const data = text.startsWith('{') ? text : text.split('\n').find((line) => line.startsWith('data:'))?.slice(5);
    return { answer: JSON.parse(data || '{}'), session: response.headers.get('mcp-session-id') };
  };
  const hello = await post({ jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'console', version: '1' } } });
  if (hello.answer.error) throw new Error(hello.answer.error.message);
  const { serverInfo, protocolVersion } = hello.answer.result;
  /** @type {Record<string, string>} */
  const more = { 'MCP-Protocol-Version': protocolVersion, ...(hello.session ? { 'Mcp-Session-Id': hello.session } : {}) };
  const tools = await post({ jsonrpc: '2.0', id: 2, method: 'tools/list', params: {} }, more);
  if (tools.answer.error) throw new Error(tools.answer.error.message);
  return `${serverInfo.name} ${serverInfo.version}, ${tools.answer.result.tools.length} tools`;
}
