// @ts-check
/** Filters of memories: a dialog to set them, chips to see them, and their fields as the service takes them. */
import { api } from '../core/api.js';
import { html } from '../core/html.js';
import { useLoad } from '../core/load.js';
import { change, namespace, usePlace } from '../core/route.js';
import { day, named, t } from '../core/words.js';
import { openDialog } from './dialog.js';
import { Icon } from './icons.js';

/** @typedef {{name: string, kind: 'types' | 'many' | 'text' | 'date' | 'flag' | 'share' | 'period' | 'yes', only?: string[]}} Filter */

export const TYPES = ['semantic', 'episodic', 'procedural', 'working', 'code', 'documentation', 'conversation', 'insight', 'preference', 'problem_solution'];

/** @type {Filter[]} */
export const FILTERS = [
  { name: 'types', kind: 'types' },
  { name: 'context', kind: 'text' },
  { name: 'tags', kind: 'many' },
  { name: 'without_tags', kind: 'many' },
  { name: 'author', kind: 'many' },
  { name: 'user', kind: 'many' },
  { name: 'agent', kind: 'many' },
  { name: 'session', kind: 'many' },
  { name: 'keys', kind: 'many' },
  { name: 'occurred_after', kind: 'date' },
  { name: 'occurred_before', kind: 'date' },
  { name: 'recorded_after', kind: 'date' },
  { name: 'recorded_before', kind: 'date' },
  { name: 'as_of', kind: 'date' },
  { name: 'known_at', kind: 'date' },
  { name: 'min_importance', kind: 'share' },
  { name: 'min_confidence', kind: 'share' },
  { name: 'expiring', kind: 'period', only: ['memories'] },
  { name: 'stale', kind: 'period', only: ['memories'] },
  { name: 'pinned', kind: 'yes' },
  { name: 'include_ended', kind: 'flag', only: ['ask'] },
  { name: 'include_expired', kind: 'flag' },
  { name: 'retired', kind: 'flag', only: ['memories'] },
];

/** A list as it is in the address: with commas, or as JSON where a value has one. @param {string} text @returns {string[]} */
export function listed(text) {
  if (text.startsWith('[')) {
    try {
      return JSON.parse(text).map(String);
    } catch {
      return [text];
    }
  }
  return text.split(',').map((each) => each.trim()).filter(Boolean);
}
/** @param {string[]} values */
export const written = (values) => (values.some((each) => each.includes(',') || each.startsWith('[')) ? JSON.stringify(values) : values.join(','));

/** The filters of an address as the fields of a request. @param {Record<string, string>} params @param {string} view */
export function fieldsOf(params, view) {
  /** @type {Record<string, unknown>} */
  const fields = { namespace: namespace() };
  for (const { name, kind, only } of FILTERS) {
    const value = params[name];
    if (!value || (only && !only.includes(view))) continue;
    if (kind === 'types' || kind === 'many') fields[name] = listed(value);
    else if (kind === 'flag' || kind === 'yes') fields[name] = value === 'true';
    else if (kind === 'share') fields[name] = Number(value);
    else fields[name] = value;
  }
  return fields;
}

/** @param {{view: string}} props */
export function FilterBar({ view }) {
  const { params } = usePlace();
  const active = FILTERS.filter((each) => params[each.name] && (!each.only || each.only.includes(view)));
  return html`<div class="row tight">
    <button type="button" class="button" aria-haspopup="dialog" onClick=${() => edit(view, params)}><${Icon} name="filter" size=${16} />${t('filters')}${active.length > 0 && html` · ${active.length}`}</button>
    ${active.map(
      ({ name, kind }) => html`<span class="chip accent" key=${name}><span class="cut">${t(`filter.${name}`)}${kind === 'flag' || kind === 'yes' ? '' : `: ${shown(name, kind, params[name])}`}</span>
        <button type="button" aria-label=${t('filter.remove', { name: t(`filter.${name}`) })} onClick=${() => change({ [name]: '' })}><${Icon} name="close" size=${12} /></button></span>`,
    )}
    ${active.length > 1 && html`<button type="button" class="button plain small" onClick=${() => change(Object.fromEntries(active.map((each) => [each.name, ''])))}>${t('filters.clear')}</button>`}
  </div>`;
}

/** @param {string} name @param {string} kind @param {string} value */
function shown(name, kind, value) {
  if (kind === 'types') return listed(value).map((each) => named('type', each)).join(', ');
  if (kind === 'date') return day(value);
  return kind === 'many' ? listed(value).join(', ') : value;
}

/** @param {string} view @param {Record<string, string>} params */
async function edit(view, params) {
  const form = await openDialog({
    title: t('filters'),
    action: t('filters.apply'),
    wide: true,
    body: () => html`<${Form} view=${view} params=${params} />`,
    act: (data) => data,
  });
  if (!form) return;
  change(
    Object.fromEntries(
      FILTERS.filter((each) => !each.only || each.only.includes(view)).map(({ name, kind }) => {
        if (kind === 'types') return [name, form.getAll(name).join(',')];
        const value = String(form.get(name) ?? '').trim();
        if (kind === 'many') return [name, written(listed(value))];
        if (kind === 'share') return [name, Number(value) ? value : ''];
        return [name, value];
      }),
    ),
  );
}

/** @param {{view: string, params: Record<string, string>}} props */
function Form({ view, params }) {
  const contexts = useLoad((signal) => api.contexts({ namespace: namespace() }, { signal }), []);
  const chosen = listed(params.types ?? '');
  const own = FILTERS.filter((each) => !each.only || each.only.includes(view));
  return html`
    <fieldset class="field"><legend>${t('filter.types')}</legend>
      <div class="row">${TYPES.map((type) => html`<label class="check" key=${type}><input type="checkbox" name="types" value=${type} checked=${chosen.includes(type)} />${named('type', type)}</label>`)}</div>
    </fieldset>
    <datalist id="contexts">${contexts.data?.contexts.map((/** @type {any} */ each) => html`<option value=${each.path} key=${each.path} />`)}</datalist>
    <div class="fields">
      ${own.filter((each) => ['text', 'many', 'date', 'period', 'share'].includes(each.kind)).map(
        ({ name, kind }) => html`<label class="field" key=${name}><span>${t(`filter.${name}`)}</span>
          <input class="input" name=${name} defaultValue=${params[name] ?? ''} autocomplete="off" list=${name === 'context' ? 'contexts' : null}
            type=${kind === 'date' ? 'date' : kind === 'share' ? 'number' : 'text'} min=${kind === 'share' ? 0 : null} max=${kind === 'share' ? 1 : null} step=${kind === 'share' ? 0.1 : null}
            placeholder=${kind === 'period' ? '30d' : kind === 'many' ? t('filter.many') : ''} /></label>`,
      )}
    </div>
    <div class="row">${own.filter((each) => each.kind === 'flag' || each.kind === 'yes').map(
      ({ name }) => html`<label class="check" key=${name}><input type="checkbox" name=${name} value="true" checked=${params[name] === 'true'} />${t(`filter.${name}`)}</label>`,
    )}</div>`;
}
