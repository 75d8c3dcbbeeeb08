// @ts-check
/** A memory as it is shown everywhere: its words, when it holds, and what is known about it. */
import { html } from '../core/html.js';
import { change, href, place } from '../core/route.js';
import { ago, day, moment, named, t } from '../core/words.js';
import { Icon } from './icons.js';

/** @typedef {any} Memory */

/** The colour of a type. @type {Record<string, string>} */
export const TYPE_COLOURS = {
  semantic: '--c1', episodic: '--c2', procedural: '--c3', working: '--c8', code: '--c7', documentation: '--c6',
  conversation: '--c5', insight: '--c4', preference: '--c4', problem_solution: '--c7',
};

/** @param {{type: string}} props */
export const TypeChip = ({ type }) => html`<span class="chip line"><span class="swatch" style=${{ background: `var(${TYPE_COLOURS[type] ?? '--edge'})` }}></span>${named('type', type)}</span>`;

/** The state of a memory by its dates alone. @param {Memory} memory @param {number} [now] */
export function stateOf(memory, now = Date.now()) {
  if (memory.retired_at && Date.parse(memory.retired_at) <= now) return 'retired';
  if (memory.expires_at && Date.parse(memory.expires_at) <= now) return 'expired';
  if (memory.valid_to && Date.parse(memory.valid_to) <= now) return 'ended';
  if (memory.valid_from && Date.parse(memory.valid_from) > now) return 'future';
  return 'current';
}

/** @type {Record<string, [string, string]>} */
const STATES = { current: ['good', 'check'], ended: ['', 'archive'], expired: ['', 'time'], retired: ['', 'archive'], future: ['accent', 'time'], uncertain: ['warn', 'warn'] };

/** @param {{state: string, until?: string | null}} props */
export function StateChip({ state, until }) {
  const [kind, icon] = STATES[state] ?? STATES.current;
  return html`<span class=${`chip ${kind}`}><${Icon} name=${icon} size=${13} />${named('state', state)}${until && state !== 'current' ? ` ${day(until)}` : ''}</span>`;
}

/** When it held, between the first and the last of what is shown. @param {{since: string, until?: string | null, from: number, to: number, state: string}} props */
export function Span({ since, until, from, to, state }) {
  const length = Math.max(to - from, 1);
  const left = Math.max(0, ((Date.parse(since) - from) / length) * 100);
  const right = until ? Math.min(100, ((Date.parse(until) - from) / length) * 100) : 100;
  const kind = state === 'ended' || state === 'expired' || state === 'retired' ? 'past' : state === 'uncertain' ? 'uncertain' : '';
  const title = t('span.title', { since: day(since), until: until ? day(until) : t('now') });
  return html`<div class=${`span ${kind}`} role="img" aria-label=${title} title=${title}><i style=${{ left: `${Math.min(left, 99)}%`, width: `${Math.max(right - left, 1)}%` }}></i></div>`;
}

/** How long ago it was last confirmed: four bars for a month, three for half a year, two for two years, else one. @param {{at: string}} props */
export function Freshness({ at }) {
  const days = (Date.now() - Date.parse(at)) / 86_400_000;
  const level = days < 30 ? 4 : days < 180 ? 3 : days < 730 ? 2 : 1;
  const title = t('freshness', { ago: ago(at) });
  return html`<span class=${`freshness ${level < 3 ? 'low' : ''}`} role="img" aria-label=${title} title=${title}>${[1, 2, 3, 4].map((each) => html`<i key=${each} class=${each <= level ? 'on' : ''}></i>`)}</span>`;
}

/** Parts of a text by code points, as the service counts. @param {string} text @param {number} start @param {number} end */
function cut(text, start, end) {
  const points = Array.from(text);
  return [points.slice(0, start).join(''), points.slice(start, end).join(''), points.slice(end).join('')];
}

/** A text with words marked in it. @param {{text: string, words?: readonly string[]}} props */
export function Marked({ text, words = [] }) {
  const wanted = [...new Set(words)].filter(Boolean).sort((one, other) => other.length - one.length).slice(0, 40);
  if (!wanted.length) return html`${text}`;
  const pattern = new RegExp(`(${wanted.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|')})`, 'giu');
  return html`${text.split(pattern).map((part, at) => (at % 2 ? html`<mark key=${at}>${part}</mark>` : part))}`;
}

/** The passage that matched, inside its text. @param {{memory: Memory, passage?: any, words?: readonly string[]}} props */
export function Said({ memory, passage, words }) {
  if (!passage) return html`<${Marked} text=${memory.text} words=${words} />`;
  const [before, inside, after] = cut(memory.text, passage.start, passage.end);
  const lead = before.length > 160 ? `…${before.slice(-120)}` : before;
  return html`<span class="quiet-part">${lead}</span><${Marked} text=${inside} words=${words} /><span class="quiet-part">${after}</span>`;
}

/** Opens a memory beside what is shown. @param {string} id */
export const openMemory = (id) => change({ id });
/** @param {string} id */
export const memoryHref = (id) => href(place.get().view, { ...place.get().params, id });

/** The line of what is known about a memory. @param {{memory: Memory, state?: string, since?: string}} props */
export function About({ memory, state = stateOf(memory), since = memory.valid_from ?? memory.created_at }) {
  return html`<div class="about">
    <${StateChip} state=${state} until=${memory.valid_to ?? memory.expires_at} />
    <${TypeChip} type=${memory.type} />
    <span title=${moment(since)}>${day(since)}</span>
    ${memory.author && html`<bdi class="cut">${memory.author}</bdi>`}
    ${memory.context && html`<span class="cut" title=${memory.context}>${memory.context}</span>`}
    ${memory.pinned && html`<span class="chip accent"><${Icon} name="pin" size=${12} />${t('pinned')}</span>`}
    ${memory.tags.slice(0, 4).map((/** @type {string} */ tag) => html`<span class="chip line" key=${tag}><bdi>${tag}</bdi></span>`)}
    ${memory.tags.length > 4 && html`<span class="small">+${memory.tags.length - 4}</span>`}
    ${memory.expires_at && state === 'current' && html`<span class="chip warn"><${Icon} name="time" size=${12} />${t('lapses', { when: ago(memory.expires_at) })}</span>`}
  </div>`;
}

/** A whole memory in a list. @param {{memory: Memory, chosen?: boolean}} props */
export function MemoryCard({ memory, chosen }) {
  const state = stateOf(memory);
  return html`<article class=${`memory ${state === 'current' || state === 'future' ? '' : 'past'} ${chosen ? 'chosen' : ''}`}>
    <a class="open" href=${memoryHref(memory.id)}>
      ${memory.title && html`<h3 class="title"><bdi>${memory.title}</bdi></h3>`}
      <p class="said text clamp" dir="auto">${memory.text}</p>
    </a>
    <${About} memory=${memory} state=${state} />
  </article>`;
}
