// @ts-check
/** The address: the view and all of its state, after the #, so that no question is ever part of a request's path. */
import { cell, useCell } from './cell.js';

/** @typedef {Record<string, string>} Params */
/** @typedef {{view: string, params: Params}} Place */

/** @returns {Place} */
function read() {
  const [path, query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  return { view: path || 'ask', params: Object.fromEntries(new URLSearchParams(query)) };
}

export const place = cell(read());
addEventListener('hashchange', () => place.set(read()));
addEventListener('popstate', () => place.set(read()));

/**
 * The address of a view. The namespace is kept unless another is given.
 * @param {string} view @param {Record<string, string | number | boolean | undefined | null>} [params]
 */
export function href(view, params = {}) {
  const query = new URLSearchParams();
  const { ns } = place.get().params;
  /** @type {Parameters<typeof href>[1]} */
  const all = { ns, ...params };
  for (const [name, value] of Object.entries(all ?? {})) {
    if (value !== undefined && value !== null && value !== '' && value !== false) query.set(name, String(value));
  }
  const text = query.toString();
  return `#/${view}${text ? `?${text}` : ''}`;
}

/** @param {string} view @param {Parameters<typeof href>[1]} [params] @param {{replace?: boolean}} [options] */
export function go(view, params, { replace = false } = {}) {
  const target = href(view, params);
  if (target === location.hash) return;
  history[replace ? 'replaceState' : 'pushState'](null, '', target);
  place.set(read());
}

/** Changes some of the view's state. @param {Parameters<typeof href>[1]} changed @param {{replace?: boolean}} [options] */
export function change(changed, options) {
  const { view, params } = place.get();
  go(view, { ...params, ...changed }, options);
}

export const usePlace = () => useCell(place);
/** The namespace that is looked at. */
export const namespace = () => place.get().params.ns || 'default';
