// @ts-check
/** Memories: all of them, as a table or as cards, however many; a page is fetched before it is scrolled to. */
import { api } from '../core/api.js';
import { useCell } from '../core/cell.js';
import { written } from '../core/changed.js';
import { html, useEffect, useLayoutEffect, useRef, useState } from '../core/html.js';
import { change, namespace, usePlace } from '../core/route.js';
import { day, number, t } from '../core/words.js';
import { add, forget, retire, tag } from '../parts/acts.js';
import { attempt, say } from '../parts/dialog.js';
import { Empty, Failure, Segments, Waiting, useKeys } from '../parts/basics.js';
import { FILTERS, FilterBar, fieldsOf } from '../parts/filters.js';
import { Icon } from '../parts/icons.js';
import { MemoryCard, StateChip, TypeChip, memoryHref, openMemory, stateOf } from '../parts/memory.js';
import { noteWrite } from '../core/changed.js';

const PAGE = 500;
const ROW = 45;
const CARD = 172;

export function View() {
  const { params } = usePlace();
  const turn = useCell(written);
  const pages = usePages(params, turn);
  const [chosen, setChosen] = useState(/** @type {Map<string, any>} */ (new Map()));
  useEffect(() => setChosen(new Map()), [JSON.stringify(fieldsOf(params, 'memories'))]);
  const toggle = (/** @type {any} */ memory) => {
    const next = new Map(chosen);
    if (!next.delete(memory.id)) next.set(memory.id, memory);
    setChosen(next);
  };
  useKeys((event) => {
    const step = { j: 1, k: -1 }[event.key];
    if (!step || !pages.rows.length) return;
    const at = pages.rows.findIndex((each) => each.id === params.id);
    openMemory(pages.rows[Math.min(Math.max(at + step, 0), pages.rows.length - 1)].id);
  });
  const cards = params.as === 'cards';
  const filtered = params.q || FILTERS.some((each) => params[each.name]);
  return html`<div class="view memories">
    <header><div class="grow"><h1>${t('view.memories')}</h1></div>
      <button type="button" class="button main" onClick=${add}><${Icon} name="plus" size=${16} />${t('add.action')}</button></header>
    <div class="column">
      <div class="row between">
        <div class="row grow"><label class="sr" for="find">${t('memories.find')}</label>
          <input id="find" class="input fit find" type="search" dir="auto" placeholder=${t('memories.find')} value=${params.q ?? ''} onInput=${(/** @type {any} */ event) => change({ q: event.target.value }, { replace: true })} />
          <${FilterBar} view="memories" /></div>
        <div class="row">
          ${!params.q && html`<select class="select fit" aria-label=${t('memories.order')} value=${params.order || 'newest'} onChange=${(/** @type {any} */ event) => change({ order: event.target.value === 'newest' ? '' : event.target.value })}>
            ${['newest', 'oldest'].map((each) => html`<option key=${each} value=${each} selected=${each === (params.order || 'newest')}>${t(`order.${each}`)}</option>`)}</select>`}
          <${Segments} label=${t('memories.as')} value=${cards ? 'cards' : 'table'} options=${[{ value: 'table', label: t('memories.table'), icon: 'table' }, { value: 'cards', label: t('memories.cards'), icon: 'cards' }]} choose=${(/** @type {string} */ value) => change({ as: value === 'table' ? '' : value })} />
        </div>
      </div>
      ${chosen.size > 0 && html`<${Chosen} chosen=${[...chosen.values()]} clear=${() => setChosen(new Map())} />`}
      ${pages.error ? html`<${Failure} error=${pages.error} retry=${pages.more} />` : null}
      ${pages.rows.length
        ? html`<${Rows} pages=${pages} cards=${cards} chosen=${chosen} toggle=${toggle} open=${params.id} />`
        : pages.loading
          ? html`<${Waiting} count=${6} slow=${pages.slow} />`
          : !pages.error && html`<${Empty} title=${filtered ? t('memories.none') : t('memories.empty')}><p>${filtered ? t('memories.none.hint') : t('memories.empty.hint')}</p>
              ${!filtered && html`<button type="button" class="button main" onClick=${add}>${t('add.action')}</button>`}<//>`}
    </div>
  </div>`;
}

/** The pages that were fetched, and the next one on demand. @param {Record<string, string>} params @param {number} turn */
function usePages(params, turn) {
  const [state, setState] = useState({ rows: /** @type {any[]} */ ([]), cursor: /** @type {string | null} */ (null), loading: true, slow: false, error: /** @type {any} */ (null) });
  const run = useRef({ control: new AbortController(), busy: false });
  const question = (params.q ?? '').trim();
  const fields = fieldsOf(params, 'memories');
  const load = async (/** @type {string | null} */ cursor, /** @type {any[]} */ before) => {
    if (run.current.busy) return;
    const { control } = run.current;
    run.current.busy = true;
    setState((now) => ({ ...now, loading: true, error: null }));
    const slow = setTimeout(() => setState((now) => ({ ...now, slow: true })), 1200);
    try {
      const { signal } = control;
      const { retired, expiring, stale, ...shared } = fields;
      const page = question
        ? { memories: (await api.recall({ ...shared, query: question, limit: 200, include_ended: true }, { signal })).hits.map((hit) => hit.memory), cursor: null }
        : await api.list({ ...fields, order: params.order || 'newest', limit: before.length ? PAGE : 100, cursor }, { signal });
      if (!control.signal.aborted) setState({ rows: [...before, ...page.memories], cursor: page.cursor ?? null, loading: false, slow: false, error: null });
    } catch (error) {
      if (!control.signal.aborted) setState((now) => ({ ...now, loading: false, slow: false, error }));
    } finally {
      clearTimeout(slow);
      if (run.current.control === control) run.current.busy = false;
    }
  };
  const mark = JSON.stringify([fields, question, params.order]);
  useEffect(() => {
    run.current.control.abort();
    run.current = { control: new AbortController(), busy: false };
    const timer = setTimeout(() => void load(null, []), question ? 120 : 0);
    return () => clearTimeout(timer);
  }, [mark, turn]);
  return { ...state, more: () => void load(state.cursor, state.rows) };
}

/** @param {{pages: any, cards: boolean, chosen: Map<string, any>, toggle: (memory: any) => void, open?: string}} props */
function Rows({ pages, cards, chosen, toggle, open }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const [seen, setSeen] = useState({ top: 0, height: 800, width: 900 });
  const columns = cards ? Math.max(1, Math.floor((seen.width + 12) / 332)) : 1;
  const height = cards ? CARD : seen.width < 640 ? 88 : ROW;
  useLayoutEffect(() => {
    const place = /** @type {HTMLElement} */ (box.current);
    const measure = () => setSeen({ top: place.scrollTop, height: place.clientHeight, width: place.clientWidth });
    measure();
    place.addEventListener('scroll', measure, { passive: true });
    const watcher = new ResizeObserver(measure);
    watcher.observe(place);
    return () => (place.removeEventListener('scroll', measure), watcher.disconnect());
  }, []);
  const lines = Math.ceil(pages.rows.length / columns);
  const first = Math.max(0, Math.floor(seen.top / height) - 6);
  const last = Math.min(lines, Math.ceil((seen.top + seen.height) / height) + 6);
  useEffect(() => {
    if (pages.cursor && !pages.loading && !pages.error && last > lines - 60) pages.more();
  }, [last, lines, pages.loading]);
  const shown = pages.rows.slice(first * columns, last * columns);
  return html`<p class="quiet numbers" role="status">${pages.cursor ? t('memories.shown.more', { n: pages.rows.length }) : t('memories.shown', { n: pages.rows.length })}</p>
    <div class=${`rows ${cards ? 'as-cards' : ''}`} ref=${box} tabindex="0" role="region" aria-label=${t('view.memories')}>
      <div class="rows-all" style=${{ height: `${lines * height}px` }}><div class="rows-seen" style=${{ transform: `translateY(${first * height}px)`, gridTemplateColumns: cards ? `repeat(${columns}, minmax(0, 1fr))` : null }}>
        ${shown.map((/** @type {any} */ memory) => (cards ? html`<div class="card-place" key=${memory.id}><${MemoryCard} memory=${memory} chosen=${memory.id === open} /></div>` : html`<${Row} key=${memory.id} memory=${memory} chosen=${chosen.has(memory.id)} toggle=${toggle} open=${memory.id === open} />`))}
      </div></div>
    </div>`;
}

/** @param {{memory: any, chosen: boolean, toggle: (memory: any) => void, open: boolean}} props */
function Row({ memory, chosen, toggle, open }) {
  const state = stateOf(memory);
  return html`<div class=${`mrow ${open ? 'open' : ''} ${state === 'current' || state === 'future' ? '' : 'past'}`}>
    <label class="pick"><input type="checkbox" checked=${chosen} onChange=${() => toggle(memory)} /><span class="sr">${t('memories.choose')}</span></label>
    <span class="when numbers">${day(memory.valid_from ?? memory.created_at)}</span>
    <a class="what" href=${memoryHref(memory.id)}>${memory.pinned && html`<${Icon} name="pin" size=${13} />`}${memory.title && html`<b><bdi>${memory.title}</bdi> </b>`}<span dir="auto">${memory.text.slice(0, 400)}</span></a>
    <span class="type"><${TypeChip} type=${memory.type} /></span>
    <span class="who cut"><bdi>${memory.author ?? ''}</bdi></span>
    <span class="where cut" title=${memory.context}>${memory.context}</span>
    <span class="state">${state !== 'current' && html`<${StateChip} state=${state} />`}</span>
  </div>`;
}

/** What can be done to those that are chosen. @param {{chosen: any[], clear: () => void}} props */
function Chosen({ chosen, clear }) {
  const n = chosen.length;
  const pinAll = async () => {
    const done = await attempt(async () => {
      for (const memory of chosen) await api.revise(memory.id, { namespace: namespace(), pinned: true });
      return true;
    });
    if (done) (noteWrite(), say(t('pin.many', { n })), clear());
  };
  return html`<div class="row chosen-bar" role="toolbar" aria-label=${t('memories.chosen', { n })}><b class="grow">${t('memories.chosen', { n })}</b>
    <button type="button" class="button small" onClick=${async () => (await tag(chosen), clear())}>${t('tag')}</button>
    <button type="button" class="button small" onClick=${pinAll}>${t('pin')}</button>
    <button type="button" class="button small" onClick=${async () => (await retire(chosen), clear())}>${t('retire')}</button>
    <button type="button" class="button small bad" onClick=${async () => (await forget(chosen)) && clear()}>${t('forget')}</button>
    <button type="button" class="button plain small" onClick=${clear}>${t('memories.clear')}</button></div>`;
}

/** @param {number} value */
export const count = (value) => number(value);
