// @ts-check
/** Time: what was true and what was known, at any two moments; and what changed between two. */
import { api } from '../core/api.js';
import { useCell } from '../core/cell.js';
import { written } from '../core/changed.js';
import { html, useEffect, useMemo, useRef, useState } from '../core/html.js';
import { useLoad } from '../core/load.js';
import { change, namespace, usePlace } from '../core/route.js';
import { day, number, t } from '../core/words.js';
import { Empty, Segments, Shown, Tabs } from '../parts/basics.js';
import { FilterBar, fieldsOf } from '../parts/filters.js';
import { Icon } from '../parts/icons.js';
import { MemoryCard } from '../parts/memory.js';
import { Changes } from './changes.js';
import { Lanes } from '../parts/lanes.js';

const DAY = 86_400_000;
const READ = 1000;
const PAGES = 3;

export function View() {
  const { params } = usePlace();
  const tab = params.show === 'changes' ? 'changes' : 'moments';
  return html`<div class="view"><header><div class="grow"><h1>${t('view.time')}</h1><p>${t('time.lead')}</p></div></header>
    <div class="column loose">
      <${Tabs} label=${t('view.time')} value=${tab} options=${['moments', 'changes'].map((value) => ({ value, label: t(`time.${value}`) }))} choose=${(/** @type {string} */ value) => change({ show: value === 'moments' ? '' : value })} />
      ${tab === 'changes' ? html`<${Changes} />` : html`<${Moments} />`}
    </div></div>`;
}

function Moments() {
  const { params } = usePlace();
  const turn = useCell(written);
  const { as_of: asOf, known_at: knownAt, ...filters } = params;
  const fields = fieldsOf(filters, 'memories');
  const mark = JSON.stringify(fields);
  const all = useLoad(async (signal) => {
    /** @type {any[]} */
    let memories = [];
    let cursor = /** @type {string | null} */ (null);
    for (let page = 0; page < PAGES; page++) {
      const found = await api.list({ ...fields, limit: READ, cursor, retired: true, include_expired: true }, { signal });
      memories = [...memories, ...found.memories];
      cursor = found.cursor ?? null;
      if (!cursor) break;
    }
    return { memories, cut: Boolean(cursor) };
  }, [mark, turn]);
  return html`<div class="row"><${FilterBar} view="time" /></div>
    <${Shown} from=${all} bones=${2}>${(/** @type {any} */ data) => (data.memories.length ? html`<${Scrubber} data=${data} fields=${fields} params=${params} />` : html`<${Empty} icon="time" title=${t('memories.none')}><p>${t('time.empty')}</p><//>`)}<//>`;
}

/** @param {{data: any, fields: any, params: Record<string, string>}} props */
function Scrubber({ data, fields, params }) {
  const now = useMemo(() => Date.now(), []);
  const bounds = useMemo(() => {
    const starts = data.memories.map((/** @type {any} */ memory) => Date.parse(memory.valid_from ?? memory.created_at));
    const known = data.memories.map((/** @type {any} */ memory) => Date.parse(memory.created_at));
    return { from: Math.min(...starts), to: Math.max(now, ...starts), known: Math.min(...known) - 1000 };
  }, [data]);
  const asOf = params.as_of ? Date.parse(params.as_of) : now;
  const knownAt = params.known_at ? Date.parse(params.known_at) : now;
  const [playing, setPlaying] = useState(false);
  const set = (/** @type {string} */ name, /** @type {number} */ value) => change({ [name]: value >= now - 1000 && name === 'known_at' ? '' : value >= now - DAY / 2 && name === 'as_of' && value <= now + DAY ? '' : new Date(value).toISOString() }, { replace: true });
  const latest = useRef(asOf);
  latest.current = asOf;
  useEffect(() => {
    if (!playing) return undefined;
    const step = Math.max(DAY, (bounds.to - bounds.from) / 90);
    const timer = setInterval(() => {
      const next = latest.current + step;
      if (next >= now) (setPlaying(false), change({ as_of: '' }, { replace: true }));
      else set('as_of', next);
    }, 140);
    return () => clearInterval(timer);
  }, [playing]);
  const play = () => {
    if (!playing && asOf >= now - DAY) set('as_of', bounds.from);
    setPlaying(!playing);
  };
  const alive = data.memories.filter((/** @type {any} */ memory) => holds(memory, asOf, knownAt)).length;
  const by = params.by || 'type';
  return html`<section class="panel column">
      <div class="scrub">
        <button type="button" class="button main icon round" aria-label=${playing ? t('pause') : t('play')} onClick=${play}><${Icon} name=${playing ? 'pause' : 'play'} /></button>
        <div class="grow column">
          <label class="scrub-line"><span class="row between"><b>${t('filter.as_of')}</b><span class="numbers">${params.as_of ? day(asOf) : t('now')}</span></span>
            <input type="range" min=${bounds.from} max=${bounds.to} step=${DAY} value=${asOf} aria-valuetext=${day(asOf)} onInput=${(/** @type {any} */ event) => (setPlaying(false), set('as_of', Number(event.target.value)))} /></label>
          <label class="scrub-line"><span class="row between"><b>${t('filter.known_at')}</b><span class="numbers">${params.known_at ? new Date(knownAt).toLocaleString() : t('now')}</span></span>
            <input type="range" min=${bounds.known} max=${now} step=${1000} value=${knownAt} aria-valuetext=${day(knownAt)} onInput=${(/** @type {any} */ event) => set('known_at', Number(event.target.value))} /></label>
        </div>
      </div>
      <div class="row between"><p class="numbers" role="status">${t('time.alive', { n: alive, of: data.memories.length })}</p>
        <${Segments} label=${t('time.by')} value=${by} options=${['type', 'author', 'context'].map((value) => ({ value, label: t(`field.${value}`) }))} choose=${(/** @type {string} */ value) => change({ by: value === 'type' ? '' : value })} /></div>
      <${Lanes} memories=${data.memories} by=${by} from=${bounds.from} to=${bounds.to} asOf=${asOf} holds=${(/** @type {any} */ memory) => holds(memory, asOf, knownAt)} pick=${(/** @type {number} */ at) => set('as_of', at)} />
      ${data.cut && html`<p class="quiet">${t('time.cut', { n: data.memories.length })}</p>`}
    </section>
    <${Listed} fields=${fields} params=${params} />`;
}

/** Whether a memory was true at one moment, as it was known at another. @param {any} memory @param {number} asOf @param {number} knownAt */
function holds(memory, asOf, knownAt) {
  const from = Date.parse(memory.valid_from ?? memory.created_at);
  return from <= asOf && !(memory.valid_to && Date.parse(memory.valid_to) <= asOf) && Date.parse(memory.created_at) <= knownAt + 1000 && !(memory.retired_at && Date.parse(memory.retired_at) <= knownAt);
}

/** What held then, the newest first. @param {{fields: any, params: Record<string, string>}} props */
function Listed({ fields, params }) {
  const turn = useCell(written);
  const found = useLoad((signal) => api.list({ ...fields, as_of: params.as_of || undefined, known_at: params.known_at || undefined, include_ended: false, limit: 12 }, { signal }), [JSON.stringify(fields), params.as_of, params.known_at, turn, namespace()], 150);
  return html`<section class="column"><h2>${params.as_of || params.known_at ? t('time.then', { when: params.as_of ? day(params.as_of) : t('now') }) : t('time.latest')}</h2>
    <${Shown} from=${found}>${(/** @type {any} */ page) => (page.memories.length ? html`<div class="card-grid">${page.memories.map((/** @type {any} */ memory) => html`<${MemoryCard} key=${memory.id} memory=${memory} chosen=${memory.id === params.id} />`)}</div>` : html`<p class="quiet">${t('time.nothing')}</p>`)}<//></section>`;
}

/** @param {number} value */
export const figure = (value) => number(value);
