// @ts-check
/** Small parts: copying, what a state looks like, menus of one choice. */
import { html, useEffect, useRef, useState } from '../core/html.js';
import { t } from '../core/words.js';
import { Icon } from './icons.js';

/** A choice of one among a few. @param {{label: string, value: string, options: {value: string, label: string, icon?: string}[], choose: (value: string) => void}} props */
export function Segments({ label, value, options, choose }) {
  return html`<div class="segments" role="group" aria-label=${label}>
    ${options.map(
      (each) => html`<button type="button" key=${each.value} aria-pressed=${String(each.value === value)} title=${each.icon ? each.label : null} onClick=${() => choose(each.value)}>
        ${each.icon ? html`<${Icon} name=${each.icon} size=${16} /><span class="sr">${each.label}</span>` : each.label}
      </button>`,
    )}
  </div>`;
}

/** Tabs; arrow keys move between them. @param {{label: string, value: string, options: {value: string, label: string}[], choose: (value: string) => void}} props */
export function Tabs({ label, value, options, choose }) {
  /** @param {KeyboardEvent} event */
  const move = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = options.findIndex((each) => each.value === value);
    const next = (at + step + options.length) % options.length;
    choose(options[next].value);
    /** @type {HTMLElement} */ (/** @type {HTMLElement} */ (event.currentTarget).children[next]).focus();
  };
  return html`<div class="tabs" role="tablist" aria-label=${label} onKeyDown=${move}>
    ${options.map(
      (each) => html`<button type="button" role="tab" key=${each.value} aria-selected=${String(each.value === value)} tabindex=${each.value === value ? 0 : -1} onClick=${() => choose(each.value)}>${each.label}</button>`,
    )}
  </div>`;
}

/** @param {{text: string, label?: string, small?: boolean}} props */
export function CopyButton({ text, label, small = true }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    await toClipboard(text);
    setDone(true);
    setTimeout(() => setDone(false), 1600);
  };
  return html`<button type="button" class=${`button ${small ? 'small' : ''}`} onClick=${copy}>
    <${Icon} name=${done ? 'check' : 'copy'} size=${15} /><span aria-live="polite">${done ? t('copied') : label ?? t('copy')}</span>
  </button>`;
}

/** @param {string} text */
async function toClipboard(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const area = document.createElement('textarea'); // pages on plain http beyond loopback have no clipboard of their own
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}

/** @param {{icon?: string, title: string, children?: any}} props */
export const Empty = ({ icon = 'memories', title, children }) => html`<div class="empty"><${Icon} name=${icon} size=${36} /><h2>${title}</h2>${children}</div>`;

/** @param {{kind?: string, title?: string, children?: any, icon?: string}} props */
export const Note = ({ kind = '', title, children, icon }) => html`<div class=${`note ${kind}`} role=${kind === 'bad' ? 'alert' : 'note'}>
  <${Icon} name=${icon ?? (kind === 'good' ? 'check' : kind ? 'warn' : 'info')} size=${17} />
  <div class="grow">${title && html`<b>${title}</b>`}<div>${children}</div></div>
</div>`;

/** What went wrong, in the service's own words, and the way out. @param {{error: any, retry?: () => void}} props */
export function Failure({ error, retry }) {
  const away = error?.code === 'unreachable';
  return html`<${Note} kind="bad" title=${away ? t('error.unreachable') : String(error?.message || error)}>
    <p>${away ? t('error.unreachable.hint') : error?.hint}</p>
    ${retry && html`<button type="button" class="button small" onClick=${retry}>${t('again')}</button>`}
  <//>`;
}

/** Bones of what is being loaded. @param {{count?: number, slow?: boolean}} props */
export const Waiting = ({ count = 3, slow }) => html`<div class="waiting" role="status" aria-label=${t('loading')}>
  ${slow && html`<p class="quiet">${t('loading.slow')}</p>`}
  ${Array.from({ length: count }, (_, at) => html`<div class="bone" key=${at}></div>`)}
</div>`;

/**
 * What was loaded, or the state of loading.
 * @param {{from: import('../core/load.js').Loaded<any>, children: (data: any) => any, bones?: number}} props
 */
export function Shown({ from, children, bones }) {
  if (from.error && !from.data) return html`<${Failure} error=${from.error} retry=${from.reload} />`;
  if (!from.data) return html`<${Waiting} count=${bones} slow=${from.slow} />`;
  return html`${from.error && html`<${Failure} error=${from.error} retry=${from.reload} />`}${children(from.data)}`;
}

/** Listens to keys that are pressed outside of fields. @param {(event: KeyboardEvent) => void} heard */
export function useKeys(heard) {
  const latest = useRef(heard);
  latest.current = heard;
  useEffect(() => {
    /** @param {KeyboardEvent} event */
    const listen = (event) => {
      const target = /** @type {HTMLElement} */ (event.target);
      if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
      if (target.closest?.('input, textarea, select, [contenteditable]') && event.key !== 'Escape') return;
      latest.current(event);
    };
    addEventListener('keydown', listen);
    return () => removeEventListener('keydown', listen);
  }, []);
}
