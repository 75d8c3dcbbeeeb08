// @ts-check
/** What the browser keeps: theme and language for good, the key and the proof of a person for this tab alone. */
import { cell } from './cell.js';

/** @param {Storage} place @param {string} name */
function read(place, name) {
  try {
    return place.getItem(name) ?? '';
  } catch {
    return ''; // a browser may forbid storage; then nothing is kept
  }
}

/** @param {Storage} place @param {string} name @param {string} value */
function write(place, name, value) {
  try {
    if (value) place.setItem(name, value);
    else place.removeItem(name);
  } catch {
    // as above
  }
}

/** @param {Storage} place @param {string} name */
function kept(place, name) {
  const found = cell(read(place, name));
  found.watch((value) => write(place, name, value));
  return found;
}

/** `light`, `dark`, or empty for the system's. */
export const theme = kept(localStorage, 'ai-memory.theme');
/** A language's code, or empty for the browser's. */
export const chosenLanguage = kept(localStorage, 'ai-memory.language');
export const key = kept(sessionStorage, 'ai-memory.key');
/** What `ai-memory open` hands over: with it, writes are recorded as a person's. */
export const proof = kept(sessionStorage, 'ai-memory.proof');
/** Whether a request was refused for want of a key. */
export const keyWanted = cell(false);

/** Takes the proof out of the address, where `ai-memory open` put it, and leaves the rest. */
export function takeProof() {
  const found = /^#person=([0-9a-f]{16,128})(?:&ns=([^&]*))?$/.exec(location.hash);
  if (!found) return;
  proof.set(found[1]);
  history.replaceState(null, '', found[2] ? `#/ask?ns=${found[2]}` : '#/');
  dispatchEvent(new Event('hashchange'));
}

/** Sets the page's colours, and again when the choice or the system's changes. */
export function dress() {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const put = () => {
    document.documentElement.dataset.theme = theme.get() || (dark.matches ? 'dark' : 'light');
  };
  theme.watch(put);
  dark.addEventListener('change', put);
  put();
}
