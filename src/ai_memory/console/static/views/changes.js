// @ts-check
/** What changed between two moments: in what was known, or in what was true. */
import { api } from '../core/api.js';
import { useCell } from '../core/cell.js';
import { written } from '../core/changed.js';
import { html, useState } from '../core/html.js';
import { useLoad } from '../core/load.js';
import { change, usePlace } from '../core/route.js';
import { moment, named, number, t } from '../core/words.js';
import { Empty, Segments, Shown } from '../parts/basics.js';
import { Diff } from '../parts/diff.js';
import { attempt } from '../parts/dialog.js';
import { FilterBar, fieldsOf } from '../parts/filters.js';
import { Icon } from '../parts/icons.js';
import { memoryHref } from '../parts/memory.js';

const SINCE = ['1 day', '1 week', '30 days', '365 days'];
/** @type {Record<string, string>} */
const KINDS = { new: 'good', began: 'good', revised: 'accent', superseded: 'warn', ended: '', retired: '', expired: '', decided: 'accent' };

export function Changes() {
  const { params } = usePlace();
  const turn = useCell(written);
  const [more, setMore] = useState(/** @type {any[]} */ ([]));
  const { as_of, known_at, ...rest } = params;
  const { include_expired, include_ended, ...fields } = fieldsOf(rest, 'changes');
  const request = { ...fields, since: params.since || '1 week', until: params.until || undefined, axis: params.axis || 'known', limit: 100 };
  const found = useLoad(async (signal) => {
    setMore([]);
    return api.changes(request, { signal });
  }, [JSON.stringify(request), turn]);
  const next = async () => {
    const last = more.at(-1) ?? found.data;
    const page = await attempt(() => api.changes({ ...request, since: found.data?.since, until: found.data?.until, cursor: last.cursor }));
    if (page) setMore([...more, page]);
  };
  return html`<div class="row">
      <${Segments} label=${t('changes.axis')} value=${params.axis || 'known'} options=${['known', 'valid'].map((value) => ({ value, label: t(`changes.${value}`) }))} choose=${(/** @type {string} */ value) => change({ axis: value === 'known' ? '' : value })} />
      <${Segments} label=${t('changes.since')} value=${params.since || '1 week'} options=${SINCE.map((value) => ({ value, label: t(`since.${value}`) }))} choose=${(/** @type {string} */ value) => change({ since: value === '1 week' ? '' : value })} />
      <label class="row tight"><span class="quiet">${t('changes.from')}</span><input class="input fit" type="date" value=${/^\d{4}/.test(params.since ?? '') ? params.since : ''} onChange=${(/** @type {any} */ event) => change({ since: event.target.value })} /></label>
      <label class="row tight"><span class="quiet">${t('changes.until')}</span><input class="input fit" type="date" value=${params.until ?? ''} onChange=${(/** @type {any} */ event) => change({ until: event.target.value })} /></label>
      <${FilterBar} view="changes" />
    </div>
    <${Shown} from=${found}>${(/** @type {any} */ data) => {
      const pages = [data, ...more];
      const changes = pages.flatMap((page) => page.changes);
      const counts = pages.reduce((sum, page) => (Object.entries(page.counts).forEach(([kind, count]) => (sum[kind] = (sum[kind] ?? 0) + count)), sum), /** @type {Record<string, number>} */ ({}));
      const { cursor } = pages.at(-1);
      if (!changes.length && !Object.keys(counts).length) return html`<${Empty} icon="time" title=${t('changes.none')}><p>${t('changes.none.hint')}</p><//>`;
      return html`<p class="row numbers" role="status">${Object.entries(counts).map(([kind, count]) => html`<span key=${kind} class=${`chip ${KINDS[kind] ?? 'bad'}`}>${t(`change.${kind}`)} ${number(count)}</span>`)}<span class="quiet">${moment(data.since)} – ${moment(data.until)}</span></p>
        <ol class="changes">${changes.map((each, at) => html`<${One} key=${at} change=${each} />`)}</ol>
        ${cursor && html`<div><button type="button" class="button" onClick=${next}>${t('changes.more')}</button></div>`}`;
    }}<//>`;
}

/** @param {{change: any}} props */
function One({ change: each }) {
  const { kind, memory, before, decision } = each;
  return html`<li><span class=${`chip ${KINDS[kind] ?? ''}`}>${t(`change.${kind}`)}</span>
    <div class="grow column tight">
      ${decision ? html`<span>${decision.type}: ${decision.source} → ${decision.target}</span>` : html`<a class="plain-link" href=${memoryHref(memory.id)}>${before && each.differs.includes('text') ? html`<${Diff} before=${before.text} after=${memory.text} />` : html`<span class="text clamp" dir="auto">${memory.text}</span>`}</a>`}
      <span class="quiet row tight">${moment(each.at)}${each.actor === 'unknown' ? '' : ` · ${named('actor', each.actor)}`}${each.differs.length > 0 && html` · ${each.differs.map((/** @type {string} */ name) => t(`field.${name}`)).join(', ')}`}
        ${each.superseded_by && html`<a href=${memoryHref(each.superseded_by)}>${t('ask.superseded')}<${Icon} name="right" size=${11} /></a>`}</span>
    </div></li>`;
}
