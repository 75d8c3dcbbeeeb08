// @ts-check
/** One memory, opened beside the view: its text, its history with what each change changed, its relations, and all that is known. */
import { api } from '../core/api.js';
import { written } from '../core/changed.js';
import { useCell } from '../core/cell.js';
import { html, useEffect, useRef, useState } from '../core/html.js';
import { useLoad } from '../core/load.js';
import { change, href, namespace } from '../core/route.js';
import { ago, day, moment, named, number, percent, t } from '../core/words.js';
import { edit, forget, judge, pin, relate, restore, retire } from './acts.js';
import { CopyButton, Note, Shown, Tabs, useKeys } from './basics.js';
import { Diff } from './diff.js';
import { attempt, say } from './dialog.js';
import { Icon } from './icons.js';
import { About, Freshness, Span, StateChip, memoryHref, stateOf } from './memory.js';

const close = () => change({ id: '', tab: '' });

/** @param {{id: string, tab?: string}} props */
export function Detail({ id, tab = 'text' }) {
  const turn = useCell(written);
  const space = namespace();
  const found = useLoad((signal) => api.history(id, { namespace: space }, { signal }), [id, space, turn]);
  const panel = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    panel.current?.focus();
    return () => before?.isConnected && before.focus();
  }, []);
  useKeys((event) => event.key === 'Escape' && close());
  return html`<section class="side" role="dialog" aria-label=${t('detail')} tabindex="-1" ref=${panel}>
    <header><h2 class="grow">${t('detail')}</h2><${CopyButton} text=${id} label=${t('detail.id')} />
      <button type="button" class="button plain icon" aria-label=${t('close')} onClick=${close}><${Icon} name="close" /></button></header>
    ${found.error?.status === 404
      ? html`<div class="inside"><${Note} kind="warn" title=${t('detail.gone')}>${t('detail.gone.hint')}<//></div>`
      : html`<div class="inside"><${Shown} from=${found}>${(/** @type {any} */ data) => html`<${Opened} history=${data} tab=${tab} />`}<//></div>`}
    ${found.data && found.error?.status !== 404 && html`<${Acts} memory=${found.data.revisions.at(-1)} />`}
  </section>`;
}

/** @param {{memory: any}} props */
function Acts({ memory }) {
  if (memory.retired_at) {
    return html`<div class="acts"><button type="button" class="button plain bad-text" onClick=${async () => (await forget([memory])) && close()}><${Icon} name="trash" size=${16} />${t('forget')}</button></div>`;
  }
  return html`<div class="acts">
    <button type="button" class="button plain" onClick=${() => edit(memory)}><${Icon} name="edit" size=${16} />${t('edit')}</button>
    <button type="button" class="button plain" aria-pressed=${String(memory.pinned)} onClick=${() => pin(memory)}><${Icon} name="pin" size=${16} />${memory.pinned ? t('unpin') : t('pin')}</button>
    <button type="button" class="button plain" onClick=${() => relate(memory)}><${Icon} name="link" size=${16} />${t('relate')}</button>
    <button type="button" class="button plain" onClick=${() => retire([memory])}><${Icon} name="archive" size=${16} />${t('retire')}</button>
    <button type="button" class="button plain bad-text" onClick=${async () => (await forget([memory])) && close()}><${Icon} name="trash" size=${16} />${t('forget')}</button>
  </div>`;
}

/** @param {{history: any, tab: string}} props */
function Opened({ history, tab }) {
  const memory = history.revisions.at(-1);
  const from = Date.parse(memory.valid_from ?? memory.created_at);
  const state = stateOf(memory);
  const tabs = ['text', 'history', 'relations', 'facts'].map((value) => ({ value, label: value === 'history' ? `${t('tab.history')} ${number(history.revisions.length)}` : t(`tab.${value}`) }));
  return html`<div class="column">
      ${memory.title && html`<h3 class="title"><bdi>${memory.title}</bdi></h3>`}
      <${About} memory=${memory} state=${state} />
    </div>
    <${Tabs} label=${t('detail')} value=${tab} options=${tabs} choose=${(/** @type {string} */ value) => change({ tab: value === 'text' ? '' : value }, { replace: true })} />
    ${tab === 'text' && html`<p class="text" dir="auto">${memory.text}</p>
      <div class="column tight"><${Span} since=${memory.valid_from ?? memory.created_at} until=${memory.valid_to} from=${Math.min(from, Date.now() - 86_400_000)} to=${Date.now()} state=${state} />
        <div class="row between quiet"><span>${day(memory.valid_from ?? memory.created_at)}</span><span>${memory.valid_to ? day(memory.valid_to) : t('now')}</span></div></div>
      <${Verdicts} memory=${memory} />`}
    ${tab === 'history' && html`<${Revisions} history=${history} />`}
    ${tab === 'relations' && html`<${Relations} memory=${memory} />`}
    ${tab === 'facts' && html`<${Facts} memory=${memory} />`}`;
}

/** @param {{memory: any}} props */
export function Verdicts({ memory }) {
  return html`<div class="row tight" role="group" aria-label=${t('judge')}>
    ${['useful', 'irrelevant', 'outdated', 'wrong'].map((verdict) => html`<button type="button" class="button plain small" key=${verdict} onClick=${() => judge(memory, verdict)}>${t(`verdict.${verdict}`)}</button>`)}
  </div>`;
}

const COMPARED = ['type', 'title', 'author', 'key', 'context', 'importance', 'confidence', 'source', 'valid_from', 'valid_to', 'expires_at', 'pinned'];

/** @param {{history: any}} props */
function Revisions({ history }) {
  const newest = history.revisions.at(-1);
  return html`<ol class="column loose">${[...history.revisions].reverse().map((revision, place) => {
    const before = history.revisions[history.revisions.length - 2 - place];
    const changed = before ? COMPARED.filter((name) => before[name] !== revision[name]) : [];
    if (before && before.tags.join() !== revision.tags.join()) changed.push('tags');
    return html`<li key=${revision.revision} class="column">
      <div class="row between"><div class="row"><b>${t('revision', { n: revision.revision })}</b><span class="chip">${named('actor', revision.actor)}</span></div>
        <span class="quiet" title=${moment(revision.recorded_at)}>${moment(revision.recorded_at)}</span></div>
      ${before?.retired_reason && html`<p class="quiet">${before.retired_reason}</p>`}
      ${before && before.text !== revision.text ? html`<${Diff} before=${before.text} after=${revision.text} />` : !before && html`<p class="text" dir="auto">${revision.text}</p>`}
      ${changed.length > 0 && html`<dl class="facts">${changed.map((name) => html`<dt>${t(`field.${name}`)}</dt><dd><del>${shown(name, before[name])}</del> → ${shown(name, revision[name])}</dd>`)}</dl>`}
      ${revision !== newest && !newest.retired_at && html`<div><button type="button" class="button small" onClick=${() => restore(revision)}><${Icon} name="undo" size=${14} />${t('restore')}</button></div>`}
    </li>`;
  })}</ol>
  ${history.feedback.length > 0 && html`<h3>${t('judge')}</h3><ul class="column">${history.feedback.map((/** @type {any} */ each) => html`<li key=${each.id} class="row between"><span>${t(`verdict.${each.verdict}`)} ${each.note && html`<span class="quiet text">${each.note}</span>`}</span><span class="quiet">${named('actor', each.actor)} · ${moment(each.at)}</span></li>`)}</ul>`}`;
}

/** @param {string} name @param {any} value */
function shown(name, value) {
  if (value === null || value === '' || value === undefined) return '–';
  if (name.startsWith('valid_') || name === 'expires_at') return moment(value);
  return Array.isArray(value) ? value.join(', ') || '–' : String(value);
}

/** @param {{memory: any}} props */
function Relations({ memory }) {
  const turn = useCell(written);
  const found = useLoad((signal) => api.neighbours(memory.id, { namespace: memory.namespace, limit: 60 }, { signal }), [memory.id, turn]);
  return html`<${Shown} from=${found}>${(/** @type {any} */ data) =>
    data.neighbours.length
      ? html`<ul class="column">${data.neighbours.map(
          (/** @type {any} */ each) => html`<li key=${each.relation.id} class="row between">
            <span class="grow"><span class="chip line mono">${each.relation.source === memory.id ? '' : '← '}${each.relation.type}${each.relation.source === memory.id ? ' →' : ''}</span>${' '}
              ${each.kind === 'memory' ? html`<a href=${memoryHref(each.id)}><bdi>${each.label}</bdi></a>` : html`<a href=${href('graph', { focus: each.id })}><bdi>${each.label}</bdi></a>`}</span>
            ${each.relation.actor !== 'extraction' && html`<button type="button" class="button plain small icon" aria-label=${t('unrelate')} title=${t('unrelate')} onClick=${() => unrelate(each.relation, found.reload)}><${Icon} name="close" size=${14} /></button>`}
          </li>`,
        )}</ul>`
      : html`<p class="quiet">${t('relations.none')}</p>`}<//>
    <div><a class="button small" href=${href('graph', { focus: memory.id })}><${Icon} name="graph" size=${14} />${t('relations.graph')}</a></div>`;
}

/** @param {any} relation @param {() => void} after */
async function unrelate(relation, after) {
  const done = await attempt(() => api.unrelate(relation.id, { namespace: relation.namespace }));
  if (!done) return;
  after();
  const { source, target, type } = relation;
  say(t('unrelate.done'), { action: { label: t('undo'), act: () => void attempt(async () => {
    await api.relate({ namespace: relation.namespace, source, target, type });
    after();
  }) } });
}

/** @param {{memory: any}} props */
function Facts({ memory }) {
  const rows = [
    ['field.id', html`<code>${memory.id}</code>`],
    ['field.namespace', memory.namespace],
    ['field.key', memory.key], ['field.user', memory.user], ['field.agent', memory.agent], ['field.session', memory.session],
    ['field.source', memory.source],
    ['field.importance', number(memory.importance)], ['field.confidence', percent(memory.confidence)],
    ['field.valid_from', moment(memory.valid_from)], ['field.valid_to', moment(memory.valid_to)],
    ['field.expires_at', memory.expires_at && `${moment(memory.expires_at)} (${ago(memory.expires_at)})`],
    ['field.created_at', moment(memory.created_at)],
    ['field.recorded_at', html`${moment(memory.recorded_at)} <${Freshness} at=${memory.recorded_at} />`],
    ['field.retired_at', moment(memory.retired_at)], ['field.retired_reason', memory.retired_reason],
    ['field.actor', named('actor', memory.actor)],
    ['field.content_hash', html`<code>${memory.content_hash}</code>`],
  ];
  return html`<dl class="facts">${rows.filter(([, value]) => value).map(([name, value]) => html`<dt>${t(/** @type {string} */ (name))}</dt><dd class="text">${value}</dd>`)}</dl>
    ${Object.keys(memory.attributes).length > 0 && html`<h3>${t('field.attributes')}</h3><pre class="code" tabindex="0">${JSON.stringify(memory.attributes, null, 2)}</pre>`}`;
}
