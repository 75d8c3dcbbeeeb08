// @ts-check
/** A value that components watch. */
import { useEffect, useState } from './html.js';

/**
 * @template T
 * @typedef {{get: () => T, set: (value: T) => void, watch: (heard: (value: T) => void) => (() => void)}} Cell
 */

/**
 * @template T
 * @param {T} first
 * @returns {Cell<T>}
 */
export function cell(first) {
  let value = first;
  /** @type {Set<(value: T) => void>} */
  const listeners = new Set();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const heard of [...listeners]) heard(next);
    },
    watch(heard) {
      listeners.add(heard);
      return () => listeners.delete(heard);
    },
  };
}

/**
 * The cell's value; draws again when it changes.
 * @template T
 * @param {Cell<T>} source
 * @returns {T}
 */
export function useCell(source) {
  const [value, setValue] = useState(source.get());
  useEffect(() => {
    setValue(() => source.get());
    return source.watch((next) => setValue(() => next));
  }, [source]);
  return value;
}
