// @ts-check
/** The library that draws the page, and its hooks, under one name. */
import htm from '../vendor/htm.mjs';
import { h, render, Fragment } from '../vendor/preact.mjs';
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from '../vendor/hooks.mjs';

/** Builds elements from a template; text in it is always text. */
export const html = htm.bind(h);
export { render, Fragment, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState };
