// @ts-check
/** Ask: a question, answered while it is typed; each hit with its time, and why it is there. */
import { api } from '../core/api.js';
import { useCell } from '../core/cell.js';
import { written } from '../core/changed.js';
import { html, useEffect, useRef, useState } from '../core/html.js';
import { useLoad } from '../core/load.js';
import { change, namespace, usePlace } from '../core/route.js';
import { day, named, number, percent, t } from '../core/words.js';
import { Bars } from '../parts/bars.js';
import { CopyButton, Empty, Failure, Note, Tabs, Waiting } from '../parts/basics.js';
import { calls } from '../parts/calls.js';
import { Verdicts } from '../parts/detail.js';
import { FilterBar, fieldsOf } from '../parts/filters.js';
import { Icon } from '../parts/icons.js';
import { About, Said, Span, memoryHref } from '../parts/memory.js';
import { FirstSteps } from './start.js';

const RECIPES = ['balanced', 'fast', 'linked', 'meaning', 'thorough', 'words'];
const TYPING = 90;

/** @param {Record<string, string>} params */
const requestOf = (params) => ({ ...fieldsOf(params, 'ask'), query: params.q, recipe: params.recipe || 'balanced', limit: Number(params.limit) || 10 });

export function View() {
  const { params } = usePlace();
  const turn = useCell(written);
  const request = requestOf(params);
  const question = (params.q ?? '').trim();
  const answer = useLoad(question ? (signal) => api.recall({ ...request, explain: true, format: 'context' }, { signal }) : null, [JSON.stringify(request), turn], question ? TYPING : 0);
  const stats = useLoad((signal) => api.stats({ namespace: namespace() }, { signal }), [turn, namespace()]);
  return html`<div class="view">
    <h1 class="sr">${t('view.ask')}</h1>
    <${Question} params=${params} busy=${answer.loading && Boolean(question)} />
    ${!question && (stats.data && stats.data.memories === 0 ? html`<${FirstSteps} stats=${stats.data} />` : html`<${Ideas} stats=${stats} />`)}
    ${question && (answer.error && !answer.loading ? html`<${Failure} error=${answer.error} retry=${answer.reload} />` : answer.data ? html`<${Answer} answer=${answer.data} request=${request} />` : html`<${Waiting} slow=${answer.slow} />`)}
  </div>`;
}

/** @param {{params: Record<string, string>, busy: boolean}} props */
function Question({ params, busy }) {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => {
    if (matchMedia('(min-width: 700px)').matches && !params.id) input.current?.focus();
  }, []);
  useEffect(() => {
    if (input.current && input.current.value !== (params.q ?? '')) input.current.value = params.q ?? '';
  }, [params.q]);
  return html`<form class="question column" role="search" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
    <div class="question-field">
      ${busy ? html`<span class="spin"></span>` : html`<${Icon} name="ask" size=${22} />`}
      <label class="sr" for="question">${t('ask.placeholder')}</label>
      <input id="question" ref=${input} type="search" dir="auto" autocomplete="off" spellcheck="false" placeholder=${t('ask.placeholder')} defaultValue=${params.q ?? ''}
        onInput=${(/** @type {any} */ event) => change({ q: event.target.value, id: '' }, { replace: true })} />
    </div>
    <div class="row">
      <label class="row tight"><span class="quiet">${t('ask.recipe')}</span>
        <select class="select fit" value=${params.recipe || 'balanced'} onChange=${(/** @type {any} */ event) => change({ recipe: event.target.value === 'balanced' ? '' : event.target.value })}>
          ${RECIPES.map((recipe) => html`<option key=${recipe} value=${recipe} selected=${recipe === (params.recipe || 'balanced')}>${t(`recipe.${recipe}`)}</option>`)}</select></label>
      <${FilterBar} view="ask" />
    </div>
  </form>`;
}

/** @param {{stats: any}} props */
function Ideas({ stats }) {
  return html`<div class="ideas column">
    <p class="lead">${stats.data ? t('ask.ready', { n: stats.data.memories }) : ' '}</p>
    <p class="quiet">${t('ask.hint')}</p>
  </div>`;
}

/** @param {{answer: any, request: any}} props */
function Answer({ answer, request }) {
  const { hits, searched } = answer;
  const dates = hits.map((/** @type {any} */ hit) => Date.parse(hit.since));
  const from = Math.min(...dates, Date.now() - 86_400_000);
  return html`<div class="split">
    <section class="column" aria-label=${t('ask.hits')}>
      <p class="quiet numbers" role="status">${t('ask.found', { n: hits.length, of: searched.memories })} · ${t('ms', { n: Math.round(answer.took_ms * 10) / 10 })}${searched.by_meaning === 0 ? ` · ${t('ask.words.only')}` : ''}</p>
      ${answer.notices.map((/** @type {any} */ notice) => html`<${Notice} key=${notice.code} notice=${notice} />`)}
      ${answer.abstained && html`<${Note} kind="warn" title=${hits.length ? t('ask.untrusted') : t('ask.nothing')}><p>${answer.reason}</p><//>`}
      ${!hits.length && html`<${Empty} icon="ask" title=${t('ask.nothing')}><p>${t('ask.nothing.hint')}</p><//>`}
      ${hits.map((/** @type {any} */ hit, /** @type {number} */ place) => html`<${Hit} key=${hit.memory.id} hit=${hit} next=${hits[place + 1]} from=${from} />`)}
    </section>
    <aside class="column">
      <${Understood} answer=${answer} />
      <${Context} answer=${answer} />
      <${Call} request=${request} />
    </aside>
  </div>`;
}

/** What to know about the answer, with the way out as a button where the page has one. @param {{notice: any}} props */
function Notice({ notice }) {
  const ended = notice.code === 'ended_left_out';
  return html`<${Note} kind=${notice.code === 'words_only' ? 'warn' : ''}>
    <div class="row between"><p class="grow">${notice.message}</p>${ended && html`<button type="button" class="button small" onClick=${() => change({ include_ended: 'true' })}>${t('ask.ended')}</button>`}</div>
    ${notice.mend && !ended && html`<p class="quiet">${notice.mend}</p>`}<//>`;
}

/** @param {{hit: any, next?: any, from: number}} props */
function Hit({ hit, next, from }) {
  const [open, setOpen] = useState(false);
  const { memory, trace } = hit;
  const past = hit.validity === 'ended' || hit.validity === 'expired';
  const superseded = hit.superseded_by;
  return html`<article class=${`memory hit ${past ? 'past' : ''}`}>
    <div class="hit-rank numbers" aria-hidden="true">${hit.rank}</div>
    <div class="grow">
      <a class="open" href=${memoryHref(memory.id)}>
        ${memory.title && html`<h3 class="title"><bdi>${memory.title}</bdi></h3>`}
        <p class="said text clamp more" dir="auto"><${Said} memory=${memory} passage=${hit.passage} words=${hit.matched} /></p>
      </a>
      <${About} memory=${memory} state=${hit.validity} since=${hit.since} />
      <div class="hit-time row"><${Span} since=${hit.since} until=${hit.until} from=${from} to=${Date.now()} state=${hit.validity} />
        <span class="quiet small numbers nowrap">${day(hit.since)} – ${hit.until ? day(hit.until) : t('now')}</span></div>
      ${(superseded || hit.rivals.length > 0 || hit.copies) && html`<div class="row above hit-links">
        ${superseded && html`<a class="chip" href=${memoryHref(superseded)}>${t('ask.superseded')}<${Icon} name="right" size=${12} /></a>`}
        ${hit.rivals.map((/** @type {any} */ rival) => html`<a class="chip warn" key=${rival.id} href=${memoryHref(rival.id)}>${t(`ask.rival.${rival.order}`, { when: day(rival.since) })}<${Icon} name="right" size=${12} /></a>`)}
        ${hit.copies && html`<details class="fold"><summary>${t('ask.copies', { n: hit.copies.count })}</summary><div class="row">${hit.copies.ids.map((/** @type {string} */ id, /** @type {number} */ at) => html`<a class="chip" key=${id} href=${memoryHref(id)}>${t('ask.copy', { n: at + 1 })}</a>`)}</div></details>`}
      </div>`}
      <div class="row between above hit-foot">
        <div class="row"><button type="button" class="button plain small" aria-expanded=${String(open)} onClick=${() => setOpen(!open)}><${Icon} name=${open ? 'up' : 'down'} size=${14} />${t('why')}</button>
          <span class="row tight" title=${t('ask.confidence')}><span class="meter confidence"><i style=${{ width: `${hit.confidence * 100}%` }}></i></span><span class="quiet small numbers">${percent(hit.confidence)}</span></span></div>
        <${Verdicts} memory=${memory} />
      </div>
      ${open && trace && html`<${Why} hit=${hit} next=${next} />`}
    </div>
  </article>`;
}

/** @param {{hit: any, next?: any}} props */
function Why({ hit, next }) {
  const { trace } = hit;
  return html`<div class="why above column">
    <p>${hit.reasons.join(' · ')}</p>
    <div class="ranks">
      <span><b>${hit.rank}</b>${t('rank.fused')}</span>
      <span><b>${trace.dense_rank ?? '–'}</b>${t('rank.dense')}${trace.cosine !== null && html` <span class="quiet numbers">${number(trace.cosine, { maximumFractionDigits: 2 })}</span>`}</span>
      <span><b>${trace.lexical_rank ?? '–'}</b>${t('rank.lexical')}${trace.bm25 !== null && html` <span class="quiet numbers">${number(trace.bm25, { maximumFractionDigits: 1 })}</span>`}</span>
    </div>
    <${Bars} stages=${trace.stages} next=${next?.trace?.stages} />
    <p class="quiet small">${next ? t('why.against', { score: number(hit.score, { maximumFractionDigits: 2 }), next: number(next.score, { maximumFractionDigits: 2 }) }) : t('why.last', { score: number(hit.score, { maximumFractionDigits: 2 }) })}</p>
    ${trace.path.length > 0 && html`<p class="small mono">${trace.path.join(' → ')}</p>`}
  </div>`;
}

/** @param {{answer: any}} props */
function Understood({ answer }) {
  const { asked } = answer;
  if (!asked) return null;
  return html`<section class="panel column"><h2>${t('ask.understood')}</h2>
    ${asked.words.length > 0 && html`<ul class="words">${asked.words.map((/** @type {any} */ word) => html`<li key=${word.text}><span class="cut">${word.text}</span><span class="meter"><i style=${{ width: `${word.share * 100}%` }}></i></span></li>`)}</ul>`}
    ${asked.times.map((/** @type {any} */ time) => html`<span class="chip accent">${t('ask.time', { since: day(time.since) || '…', until: day(time.until) || '…' })}</span>`)}
    ${asked.phrases.map((/** @type {string} */ phrase) => html`<span class="chip accent">“${phrase}”</span>`)}
    <dl class="facts numbers"><dt>${t('ask.candidates')}</dt><dd>${number(asked.candidates)} (${Object.entries(asked.origins).map(([name, count]) => `${named('origin', name)} ${number(Number(count))}`).join(', ')})</dd>
      <dt>${t('ask.trusted')}</dt><dd>${asked.trusted ?? t('no')}</dd></dl>
  </section>`;
}

/** @param {{answer: any}} props */
function Context({ answer }) {
  if (!answer.context) return null;
  return html`<section class="panel column"><div class="row between"><h2>${t('ask.context')}</h2><${CopyButton} text=${answer.context} /></div>
    <p class="quiet">${t('ask.context.tokens', { n: answer.tokens })}</p>
    <pre class="code" tabindex="0" dir="auto">${answer.context}</pre></section>`;
}

/** @param {{request: any}} props */
function Call({ request }) {
  const [way, setWay] = useState('curl');
  const written = calls(request);
  return html`<section class="panel column"><div class="row between"><h2>${t('ask.call')}</h2><${CopyButton} text=${written[way]} /></div>
    <${Tabs} label=${t('ask.call')} value=${way} options=${Object.keys(written).map((value) => ({ value, label: { curl: 'curl', python: 'Python', typescript: 'TypeScript', mcp: 'MCP' }[value] ?? value }))} choose=${setWay} />
    <pre class="code" tabindex="0">${written[way]}</pre></section>`;
}
