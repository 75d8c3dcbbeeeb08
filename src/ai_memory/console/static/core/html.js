// @ts-check
/** The library that draws the page, and its hooks, under one name and with their types. */
import htm from '../vendor/htm.mjs';
import { h, render, Fragment } from '../vendor/preact.mjs';
import * as hooks from '../vendor/hooks.mjs';

/** Builds elements from a template; text in it is always text. @type {(strings: TemplateStringsArray, ...values: any[]) => any} */
export const html = htm.bind(h);

/** @type {<T>(first: T | (() => T)) => [T, (next: T | ((before: T) => T)) => void]} */
export const useState = hooks.useState;
/** @type {(work: () => void | (() => void), deps?: unknown[]) => void} */
export const useEffect = hooks.useEffect;
/** @type {(work: () => void | (() => void), deps?: unknown[]) => void} */
export const useLayoutEffect = hooks.useLayoutEffect;
/** @type {<T>(make: () => T, deps: unknown[]) => T} */
export const useMemo = hooks.useMemo;
/** @type {<T>(first: T) => {current: T}} */
export const useRef = hooks.useRef;
/** @type {<T extends Function>(work: T, deps: unknown[]) => T} */
export const useCallback = hooks.useCallback;
export { render, Fragment };
