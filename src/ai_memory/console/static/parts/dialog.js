// @ts-check
/** Dialogs and short messages: one of each at a time, opened by a call. */
import { cell, useCell } from '../core/cell.js';
import { html, useEffect, useRef, useState } from '../core/html.js';
import { t } from '../core/words.js';
import { Failure } from './basics.js';
import { Icon } from './icons.js';

/**
 * @typedef {{title: string, body: (close: (value?: any) => void) => any, action?: string, bad?: boolean, wide?: boolean,
 *   act?: (form: FormData) => Promise<unknown> | unknown, closed?: (value: any) => void}} Dialog
 */

const current = cell(/** @type {Dialog | null} */ (null));

/**
 * Opens a dialog. Resolves with what its act returned, or undefined where it was closed.
 * @param {Dialog} dialog
 * @returns {Promise<any>}
 */
export const openDialog = (dialog) => new Promise((resolve) => current.set({ ...dialog, closed: resolve }));

/** Asks before something that cannot be undone. @param {{title: string, body: any, action: string, act: () => Promise<unknown>}} asked */
export const confirmed = ({ title, body, action, act }) => openDialog({ title, action, bad: true, body: () => body, act });

export function Dialogs() {
  const dialog = useCell(current);
  return dialog && html`<${Shown} key=${dialog.title} dialog=${dialog} />`;
}

/** @param {{dialog: Dialog}} props */
function Shown({ dialog }) {
  const element = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const [error, setError] = useState(/** @type {any} */ (null));
  const [busy, setBusy] = useState(false);
  useEffect(() => element.current?.showModal(), []);
  /** @param {any} [value] */
  const close = (value) => {
    element.current?.close();
    current.set(null);
    dialog.closed?.(value);
  };
  /** @param {SubmitEvent} event */
  const submit = async (event) => {
    event.preventDefault();
    if (!dialog.act || busy) return;
    setBusy(true);
    setError(null);
    try {
      const value = await dialog.act(new FormData(/** @type {HTMLFormElement} */ (event.target)));
      close(value ?? true);
    } catch (failed) {
      setError(failed);
      setBusy(false);
    }
  };
  return html`<dialog ref=${element} class=${dialog.wide ? 'wide' : ''} aria-labelledby="dialog-title" onCancel=${(/** @type {Event} */ event) => (event.preventDefault(), close())}>
    <form onSubmit=${submit} novalidate>
      <header><h2 id="dialog-title">${dialog.title}</h2>
        <button type="button" class="button plain icon" aria-label=${t('close')} onClick=${() => close()}><${Icon} name="close" /></button></header>
      <div class="inside">${dialog.body(close)}${error && html`<${Failure} error=${error} />`}</div>
      ${dialog.act &&
      html`<footer>
        <button type="button" class="button" onClick=${() => close()}>${t('cancel')}</button>
        <button class=${`button main ${dialog.bad ? 'bad' : ''}`} disabled=${busy}>${busy && html`<span class="spin"></span>`}${dialog.action}</button>
      </footer>`}
    </form>
  </dialog>`;
}

/** @typedef {{id: number, text: string, bad?: boolean, action?: {label: string, act: () => void}}} Toast */
const toasts = cell(/** @type {Toast[]} */ ([]));
let count = 0;

/** Says what was done, with a way to undo it where there is one. @param {string} text @param {{bad?: boolean, action?: Toast['action']}} [options] */
export function say(text, options = {}) {
  const id = ++count;
  toasts.set([...toasts.get().slice(-2), { id, text, ...options }]);
  setTimeout(() => dismiss(id), options.action || options.bad ? 9000 : 4500);
}

/** @param {number} id */
const dismiss = (id) => toasts.set(toasts.get().filter((each) => each.id !== id));

/** Runs `work`; says what went wrong. @param {() => Promise<any>} work @returns {Promise<any>} */
export async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    const failed = /** @type {any} */ (error);
    say(failed.code === 'unreachable' ? t('error.unreachable') : [failed.message, failed.hint].filter(Boolean).join(' · '), { bad: true });
    return undefined;
  }
}

export function Toasts() {
  const shown = useCell(toasts);
  return html`<div class="toasts" role="status" aria-live="polite">
    ${shown.map(
      (each) => html`<div key=${each.id} class=${`toast ${each.bad ? 'bad' : ''}`}><span class="grow">${each.text}</span>
        ${each.action && html`<button type="button" onClick=${() => (dismiss(each.id), each.action?.act())}>${each.action.label}</button>`}
        <button type="button" aria-label=${t('close')} onClick=${() => dismiss(each.id)}><${Icon} name="close" size=${14} /></button>
      </div>`,
    )}
  </div>`;
}
