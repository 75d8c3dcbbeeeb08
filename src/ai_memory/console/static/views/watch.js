// @ts-check
/** Watch: the service at work, as it counts itself, and what is stored where. */
import { api } from '../core/api.js';
import { html, useRef, useState } from '../core/html.js';
import { useEvery, useLoad } from '../core/load.js';
import { change } from '../core/route.js';
import { quantile, samples, sum } from '../core/metrics.js';
import { bytes, number, t } from '../core/words.js';
import { Failure, Note, Shown, Waiting } from '../parts/basics.js';
import { Chart } from '../parts/chart.js';
import { Audit, Recent } from './keeping.js';

const KEPT = 120;
const SECONDS = 2;
/** What this page itself asks all the time would hide the rest. @param {Record<string, string>} labels */
const asked = (labels) => !['console', 'metrics', 'health', 'stats', 'live', 'ready', 'events'].includes(labels.operation);

/** @typedef {{at: number, rate: number, errors: number, median: number | null, slow: number | null, memory: number, waiting: number, pending: number}} Point */

export function View() {
  const [points, setPoints] = useState(/** @type {Point[]} */ ([]));
  const [error, setError] = useState(/** @type {any} */ (null));
  const before = useRef(/** @type {{at: number, all: any[]} | null} */ (null));
  const read = async () => {
    try {
      const all = samples(await api.metrics());
      const at = Date.now();
      const then = before.current;
      before.current = { at, all };
      setError(null);
      if (!then) return;
      const seconds = (at - then.at) / 1000;
      const name = 'ai_memory_requests_total';
      const failed = (/** @type {Record<string, string>} */ labels) => asked(labels) && labels.status >= '500';
      setPoints((now) => [
        ...now.slice(1 - KEPT),
        {
          at,
          rate: Math.max(0, sum(all, name, asked) - sum(then.all, name, asked)) / seconds,
          errors: Math.max(0, sum(all, name, failed) - sum(then.all, name, failed)) / seconds,
          median: quantile(then.all, all, 0.5, asked),
          slow: quantile(then.all, all, 0.95, asked),
          memory: sum(all, 'ai_memory_index_bytes'),
          waiting: sum(all, 'ai_memory_queue_length'),
          pending: sum(all, 'ai_memory_pending_vectors'),
        },
      ]);
    } catch (failed) {
      setError(failed);
    }
  };
  useLoad(read, []);
  useEvery(() => void read(), SECONDS);
  const spaces = useLoad((signal) => api.namespaces({}, { signal }), []);
  const stats = useLoad((signal) => api.stats({}, { signal }), []);
  useEvery(stats.reload, 10);
  const times = points.map((point) => point.at);
  const line = (/** @type {string} */ name, /** @type {(point: Point) => number | null} */ value) => ({ name, values: points.map(value) });
  const all = before.current?.all ?? [];
  return html`<div class="view"><header><div class="grow"><h1>${t('view.watch')}</h1><p>${t('watch.lead')}</p></div></header>
    <div class="column loose">
      ${error && (error.status === 403 ? html`<${Note} kind="warn" title=${t('watch.closed')}>${error.hint}<//>` : html`<${Failure} error=${error} />`)}
      <div class="panels wide">
        <${Chart} title=${t('watch.requests')} times=${times} lines=${[line(t('watch.per.second'), (point) => point.rate), line(t('watch.errors'), (point) => point.errors)]} />
        <${Chart} title=${t('watch.latency')} times=${times} lines=${[line(t('watch.median'), (point) => point.median), line(t('watch.slow'), (point) => point.slow)]} show=${(/** @type {number} */ value) => t('ms', { n: Math.round(value * 10) / 10 })} />
        <${Chart} title=${t('watch.backlog')} times=${times} lines=${[line(t('watch.pending'), (point) => point.pending), line(t('watch.waiting'), (point) => point.waiting)]} />
        <${Chart} title=${t('watch.memory')} times=${times} lines=${[line(t('watch.index'), (point) => point.memory)]} show=${bytes} />
      </div>
      <${Audit} />
      <div class="panels wide">
        <section class="panel"><h2>${t('watch.operations')}</h2><${Operations} all=${all} /></section>
        <div class="column loose"><section class="panel"><h2>${t('watch.namespaces')}</h2>
          <${Shown} from=${spaces} bones=${1}>${(/** @type {any} */ data) => html`<div class="table-scroll" tabindex="0"><table class="table"><thead><tr><th>${t('field.namespace')}</th><th class="number">${t('view.memories')}</th><th></th></tr></thead><tbody>${data.namespaces.map((/** @type {any} */ each) => html`<tr key=${each.namespace}><td><bdi>${each.namespace}</bdi></td><td class="number">${number(each.memories)}</td><td class="number"><button type="button" class="button small" onClick=${() => change({ ns: each.namespace === 'default' ? '' : each.namespace })}>${t('watch.open')}</button></td></tr>`)}</tbody></table></div>`}<//></section>
        <${Recent} /></div>
      </div>
      <${Shown} from=${stats} bones=${1}>${(/** @type {any} */ data) => html`<section class="panel"><div class="figures">
        ${[['memories', data.memories], ['revisions', data.revisions], ['retired', data.retired], ['relations', data.relations], ['entities', data.entities], ['tombstones', data.tombstones], ['sequence', data.sequence]].map(([name, value]) => html`<div class="figure" key=${name}><b>${number(Number(value))}</b><span>${t(`stats.${name}`)}</span></div>`)}
      </div></section>`}<//>
    </div></div>`;
}

/** @param {{all: any[]}} props */
function Operations({ all }) {
  if (!all.length) return html`<${Waiting} count=${1} />`;
  /** @type {Map<string, {count: number, failed: number}>} */
  const rows = new Map();
  for (const each of all) {
    if (each.name !== 'ai_memory_requests_total') continue;
    const row = rows.get(each.labels.operation) ?? { count: 0, failed: 0 };
    row.count += each.value;
    if (each.labels.status >= '400') row.failed += each.value;
    rows.set(each.labels.operation, row);
  }
  const mean = (/** @type {string} */ name) => (1000 * sum(all, 'ai_memory_request_seconds_sum', (labels) => labels.operation === name)) / Math.max(1, sum(all, 'ai_memory_request_seconds_count', (labels) => labels.operation === name));
  return html`<div class="table-scroll" tabindex="0"><table class="table"><thead><tr><th>${t('watch.operation')}</th><th class="number">${t('watch.count')}</th><th class="number">${t('watch.refused')}</th><th class="number">${t('watch.mean')}</th></tr></thead>
    <tbody>${[...rows].sort((one, other) => other[1].count - one[1].count).slice(0, 12).map(([name, row]) => html`<tr key=${name}><td class="mono">${name}</td><td class="number">${number(row.count)}</td><td class="number">${number(row.failed)}</td><td class="number">${t('ms', { n: Math.round(mean(name) * 10) / 10 })}</td></tr>`)}</tbody></table></div>`;
}
