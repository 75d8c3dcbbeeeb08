// @ts-check
/** Loading what a view shows: with its state, and given up when it is not wanted any more. */
import { useCallback, useEffect, useRef, useState } from './html.js';

const SLOW_AFTER = 1200;

/**
 * @template T
 * @typedef {{data: T | null, error: any, loading: boolean, slow: boolean, reload: () => void, put: (data: T | null) => void}} Loaded
 */

/**
 * What `load` gives, again whenever `deps` change; the former answer is kept meanwhile. `load` null loads nothing.
 * @template T
 * @param {((signal: AbortSignal) => Promise<T>) | null} load
 * @param {unknown[]} deps
 * @param {number} [delay] milliseconds before it begins
 * @returns {Loaded<T>}
 */
export function useLoad(load, deps, delay = 0) {
  const [state, setState] = useState({ data: /** @type {T | null} */ (null), error: null, loading: Boolean(load), slow: false });
  const [turn, setTurn] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  useEffect(() => {
    const work = latest.current;
    if (!work) {
      setState({ data: null, error: null, loading: false, slow: false });
      return undefined;
    }
    const control = new AbortController();
    setState((before) => ({ ...before, loading: true, slow: false }));
    const slow = setTimeout(() => setState((before) => ({ ...before, slow: before.loading })), SLOW_AFTER + delay);
    const start = setTimeout(() => {
      work(control.signal).then(
        (data) => control.signal.aborted || setState({ data, error: null, loading: false, slow: false }),
        (error) => control.signal.aborted || setState((before) => ({ data: before.data, error, loading: false, slow: false })),
      );
    }, delay);
    return () => {
      control.abort();
      clearTimeout(slow);
      clearTimeout(start);
    };
  }, [...deps, turn]);
  const reload = useCallback(() => setTurn((before) => before + 1), []);
  const put = useCallback((/** @type {T | null} */ data) => setState({ data, error: null, loading: false, slow: false }), []);
  return { ...state, reload, put };
}

/** Calls `work` every `seconds` while the page is seen. @param {() => void} work @param {number} seconds */
export function useEvery(work, seconds) {
  const latest = useRef(work);
  latest.current = work;
  useEffect(() => {
    const timer = setInterval(() => document.hidden || latest.current(), seconds * 1000);
    return () => clearInterval(timer);
  }, [seconds]);
}
