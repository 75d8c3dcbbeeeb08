// @ts-check
/** Upkeep: what works, what waits, the vectors and their model, and what will lapse. */
import { api } from '../core/api.js';
import { useCell } from '../core/cell.js';
import { noteWrite, written } from '../core/changed.js';
import { html } from '../core/html.js';
import { useEvery, useLoad } from '../core/load.js';
import { href, namespace } from '../core/route.js';
import { ago, bytes, day, moment, number, t } from '../core/words.js';
import { Empty, Note, Shown } from '../parts/basics.js';
import { attempt, confirmed, openDialog, say } from '../parts/dialog.js';
import { Icon } from '../parts/icons.js';
import { Freshness, memoryHref } from '../parts/memory.js';
import { Jobs } from './jobs.js';
import { Backups, Check, Models } from './keeping.js';

export function View() {
  const turn = useCell(written);
  const health = useLoad((signal) => api.health({}, { signal }), []);
  const stats = useLoad((signal) => api.stats({}, { signal }), [turn]);
  const generations = useLoad((signal) => api.generations({}, { signal }), [turn]);
  const busy = ['running', 'waiting'].includes(generations.data?.build?.state ?? '') || (stats.data?.pending ?? 0) > 0;
  useEvery(() => (health.reload(), stats.reload(), generations.reload()), busy ? 2 : 10);
  return html`<div class="view"><header><div class="grow"><h1>${t('view.upkeep')}</h1><p>${t('upkeep.lead')}</p></div></header>
    <div class="column loose">
      <div class="panels wide">
        <section class="panel"><h2>${t('upkeep.parts')}</h2><${Shown} from=${health} bones=${1}>${(/** @type {any} */ data) => html`<${Parts} health=${data} />`}<//></section>
        <section class="panel"><h2>${t('upkeep.store')}</h2><${Shown} from=${stats} bones=${1}>${(/** @type {any} */ data) => html`<${Storage} stats=${data} />`}<//></section>
      </div>
      <section class="panel"><h2>${t('upkeep.vectors')}</h2><${Shown} from=${generations} bones=${1}>${(/** @type {any} */ data) => html`<${Generations} data=${data} stats=${stats.data} />`}<//></section>
      <div class="panels wide"><${Models} use=${(/** @type {string} */ model) => void reembed(model)} /><div class="column loose"><${Check} /><${Backups} /><${Jobs} turn=${turn} /></div></div>
      <div class="panels wide">
        <${Soon} kind="expiring" turn=${turn} /><${Soon} kind="stale" turn=${turn} />
      </div>
      <${Week} turn=${turn} />
    </div></div>`;
}

/** @param {{health: any}} props */
function Parts({ health }) {
  const kinds = { ok: 'good', loading: 'accent', degraded: 'warn', failed: 'bad' };
  return html`<ul class="column">${health.parts.map((/** @type {any} */ part) => html`<li key=${part.name} class="part"><span class=${`dot ${{ ok: '', loading: 'idle', degraded: 'warn', failed: 'bad' }[/** @type {'ok'} */ (part.state)]}`}></span>
    <div class="grow"><div class="row between"><b>${t(`part.${part.name}`) === `part.${part.name}` ? part.name : t(`part.${part.name}`)}</b><span class=${`chip ${kinds[/** @type {'ok'} */ (part.state)]}`}>${t(`part.state.${part.state}`)}</span></div><p class="quiet">${part.message}</p>${part.mend && html`<code>${part.mend}</code>`}</div></li>`)}</ul>
    <p class="quiet">${t('upkeep.version', { version: health.version })}</p>`;
}

/** @param {{stats: any}} props */
function Storage({ stats }) {
  return html`<div class="column">
    ${stats.problems.map((/** @type {any} */ problem) => html`<${Note} key=${problem.check} kind=${problem.check === 'vectors_pending' ? '' : 'warn'} title=${problem.message}>${problem.mend && html`<code>${problem.mend}</code>`}<//>`)}
    ${!stats.problems.length && html`<${Note} kind="good">${t('upkeep.sound')}<//>`}
    <dl class="facts numbers"><dt>${t('upkeep.where')}</dt><dd class="mono">${stats.store}</dd>
      <dt>${t('stats.memories')}</dt><dd>${number(stats.memories)}</dd><dt>${t('stats.revisions')}</dt><dd>${number(stats.revisions)}</dd>
      <dt>${t('upkeep.pending')}</dt><dd>${number(stats.pending)}</dd><dt>${t('upkeep.unread')}</dt><dd>${stats.unread === null ? t('no') : number(stats.unread)}</dd>
      <dt>${t('upkeep.index')}</dt><dd>${bytes(stats.index_bytes)}</dd><dt>${t('stats.tombstones')}</dt><dd>${number(stats.tombstones)}</dd></dl>
    </div>`;
}

/** @param {any} embedder */
const modelOf = (embedder) => `${String(embedder.model).split('/').at(-1)} · ${number(embedder.dimension)} · ${embedder.dtype}`;

/** @param {{data: any, stats: any}} props */
function Generations({ data }) {
  const { build } = data;
  const running = build && ['running', 'waiting', 'ready'].includes(build.state);
  const retired = data.generations.filter((/** @type {any} */ each) => each.state === 'retired');
  return html`<div class="column">
    ${!data.generations.length && html`<${Empty} icon="upkeep" title=${t('upkeep.none')}><p>${t('upkeep.none.hint')}</p><//>`}
    ${build && html`<div class="note ${build.state === 'failed' ? 'bad' : ''}"><div class="grow column tight"><div class="row between"><b>${t(`build.${build.state}`)}</b><span class="quiet numbers">${number(build.done)} / ${number(build.total)}${build.per_second ? ` · ${t('upkeep.pace', { n: Math.round(build.per_second) })}` : ''}</span></div>
      <div class="meter" role="progressbar" aria-valuemin="0" aria-valuemax=${build.total} aria-valuenow=${build.done} aria-label=${t('upkeep.build')}><i style=${{ width: `${(100 * build.done) / Math.max(build.total, 1)}%` }}></i></div>
      <p class="quiet">${modelOf(build.embedder)} · ${moment(build.updated_at)}${build.error ? ` · ${build.error}` : ''}</p>
      ${running && html`<div class="row tight">${build.state === 'ready' && html`<button type="button" class="button main small" onClick=${() => act(() => api.activateGeneration({}), t('upkeep.switched'))}>${t('upkeep.switch')}</button>`}<button type="button" class="button small" onClick=${() => act(() => api.cancelReembed({}), t('build.cancelled'))}>${t('upkeep.cancel')}</button></div>`}</div></div>`}
    <div class="table-scroll" tabindex="0"><table class="table"><thead><tr><th>#</th><th>${t('upkeep.model')}</th><th>${t('upkeep.state')}</th><th>${t('field.created_at')}</th><th class="number">${t('upkeep.pending')}</th><th></th></tr></thead><tbody>
      ${data.generations.map((/** @type {any} */ each) => html`<tr key=${each.id}><td>${each.id}</td><td>${modelOf(each.embedder)}</td><td><span class=${`chip ${each.state === 'active' ? 'good' : each.state === 'building' ? 'accent' : ''}`}>${t(`generation.${each.state}`)}</span></td><td class="nowrap">${day(each.created_at)}</td><td class="number">${each.pending === null ? '–' : number(each.pending)}</td>
        <td class="number">${each.state === 'retired' && html`<button type="button" class="button small" onClick=${() => act(() => api.takeBack({ generation: each.id }), t('upkeep.back.done'))}>${t('upkeep.back')}</button>`}</td></tr>`)}</tbody></table></div>
    <div class="row tight"><button type="button" class="button" disabled=${running} onClick=${() => reembed()}>${t('upkeep.reembed')}</button>
      ${retired.length > 0 && html`<button type="button" class="button bad" onClick=${() => prune(retired.length)}>${t('upkeep.prune', { n: retired.length })}</button>`}</div></div>`;
}

/** @param {() => Promise<any>} work @param {string} text */
async function act(work, text) {
  if (await attempt(work)) (noteWrite(), say(text));
}

/** @param {string} [model] */
async function reembed(model = '') {
  const done = await openDialog({
    title: t('upkeep.reembed'), action: t('upkeep.reembed.action'),
    body: () => html`<p>${t('upkeep.reembed.what')}</p>
      <label class="field"><span>${t('upkeep.model')}</span><input class="input" name="model" list="models" placeholder="auto" value=${model} /><small>${t('upkeep.model.hint')}</small></label>
      <datalist id="models">${['gemma', 'minilm', 'e5'].map((name) => html`<option key=${name} value=${name} />`)}</datalist>
      <label class="field"><span>${t('upkeep.dimension')}</span><input class="input" name="dimension" type="number" min="1" max="8192" /></label>
      <label class="check"><input type="checkbox" name="switch" value="true" checked />${t('upkeep.switch.itself')}</label>`,
    act: (form) => api.reembed({ model: String(form.get('model') ?? '').trim() || undefined, dimension: Number(form.get('dimension')) || undefined, switch: form.get('switch') === 'true' }),
  });
  if (done) (noteWrite(), say(t('build.running')));
}

/** @param {number} n */
async function prune(n) {
  const done = await confirmed({ title: t('upkeep.prune', { n }), action: t('upkeep.prune', { n }), body: html`<p>${t('upkeep.prune.what', { n })}</p>`, act: () => api.pruneGenerations({}) });
  if (done) (noteWrite(), say(t('upkeep.pruned', { n })));
}

/** Memories that lapse within a month, or that nothing has confirmed for half a year. @param {{kind: 'expiring' | 'stale', turn: number}} props */
function Soon({ kind, turn }) {
  const period = kind === 'expiring' ? '30d' : '180d';
  const found = useLoad((signal) => api.list({ namespace: namespace(), [kind]: period, limit: 6 }, { signal }), [turn, namespace()]);
  return html`<section class="panel"><div class="row between"><h2>${t(`upkeep.${kind}`)}</h2><a class="button small plain" href=${href('memories', { [kind]: period })}>${t('upkeep.all')}</a></div>
    <${Shown} from=${found} bones=${1}>${(/** @type {any} */ page) => (page.memories.length ? html`<ul class="column">${page.memories.map((/** @type {any} */ memory) => html`<li key=${memory.id} class="row one-line"><a class="cut grow plain-link" href=${memoryHref(memory.id)} dir="auto">${memory.text}</a><span class="quiet nowrap row tight">${kind === 'expiring' ? ago(memory.expires_at) : html`<${Freshness} at=${memory.recorded_at} />${ago(memory.recorded_at)}`}</span></li>`)}</ul>` : html`<p class="quiet"><${Icon} name="check" size=${14} /> ${t(`upkeep.${kind}.none`)}</p>`)}<//></section>`;
}

/** @param {{turn: number}} props */
function Week({ turn }) {
  const found = useLoad((signal) => api.changes({ namespace: namespace(), since: '1 week', limit: 1000 }, { signal }), [turn, namespace()]);
  return html`<section class="panel"><div class="row between"><h2>${t('upkeep.week')}</h2><a class="button small plain" href=${href('time', { show: 'changes' })}>${t('upkeep.all')}</a></div>
    <${Shown} from=${found} bones=${1}>${(/** @type {any} */ data) => (Object.keys(data.counts).length ? html`<div class="figures">${Object.entries(data.counts).map(([kind, count]) => html`<div class="figure" key=${kind}><b>${number(Number(count))}${data.cursor ? '+' : ''}</b><span>${t(`change.${kind}`)}</span></div>`)}</div>` : html`<p class="quiet">${t('changes.none')}</p>`)}<//></section>`;
}
