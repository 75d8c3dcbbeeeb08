// @ts-check
/** The frame: which views there are, the one that is shown, and what is beside all of them. */
import { api } from './core/api.js';
import { useCell } from './core/cell.js';
import { noteWrite, written } from './core/changed.js';
import { useFollowed } from './core/follow.js';
import { html, render, useEffect, useState } from './core/html.js';
import { useEvery, useLoad } from './core/load.js';
import { change, go, href, namespace, usePlace } from './core/route.js';
import { chosenLanguage, dress, key, keyWanted, takeProof, theme } from './core/session.js';
import { LANGUAGES, language, speak, t } from './core/words.js';
import { Failure, Waiting, useKeys } from './parts/basics.js';
import { Detail } from './parts/detail.js';
import { Dialogs, Toasts, openDialog } from './parts/dialog.js';
import { Icon } from './parts/icons.js';

/** The views in the order of the rail; a gap stands before those that keep the service. @type {{name: string, gap?: boolean, more?: boolean}[]} */
const VIEWS = [
  { name: 'ask' }, { name: 'memories' }, { name: 'time' }, { name: 'graph' }, { name: 'inbox' },
  { name: 'upkeep', gap: true, more: true }, { name: 'transfer', more: true }, { name: 'watch', more: true }, { name: 'connect', more: true },
];

/** @type {Record<string, () => Promise<{View: any, full?: boolean}>>} */
const MODULES = {
  ask: () => import('./views/ask.js'),
  memories: () => import('./views/memories.js'),
  time: () => import('./views/time.js'),
  graph: () => import('./views/graph.js'),
  inbox: () => import('./views/inbox.js'),
  upkeep: () => import('./views/upkeep.js'),
  transfer: () => import('./views/transfer.js'),
  watch: () => import('./views/watch.js'),
  connect: () => import('./views/connect.js'),
};

function App() {
  useCell(language);
  const { view, params } = usePlace();
  const wanted = useCell(keyWanted);
  const turn = useCell(written);
  const space = namespace();
  const health = useLoad((signal) => api.health({}, { signal }), [key.get()]);
  const counts = useLoad((signal) => api.proposals({ namespace: space, limit: 1 }, { signal }), [space, turn, key.get()]);
  useEvery(health.reload, 20);
  useFollowed(space, key.get());
  useKeys((event) => {
    if (event.key === '/') (event.preventDefault(), view === 'ask' || go('ask'), setTimeout(() => document.getElementById('question')?.focus(), 30));
    const at = pressed(event.key);
    if (at) go(at);
  });
  useEffect(() => {
    document.title = `${t(`view.${Object.hasOwn(MODULES, view) ? view : 'ask'}`)} · AI Memory`;
  }, [view, language.get()]);
  const shown = Object.hasOwn(MODULES, view) ? view : 'ask';
  return html`<a class="skip" href="#main" onClick=${(/** @type {Event} */ event) => (event.preventDefault(), document.getElementById('main')?.focus())}>${t('skip')}</a>
    <div class="frame">
      <div class="rail">
        <a class="brand" href=${href('ask')}><img src="/console/icon.svg" alt="" width="26" height="26" /><span>AI Memory</span></a>
        <nav aria-label=${t('views')}><ul>
          ${VIEWS.map(
            ({ name, gap, more }) => html`${gap && html`<li class="gap" aria-hidden="true"></li>`}<li key=${name} class=${more ? 'more-only' : ''}><a class="place" href=${href(name)} aria-current=${name === shown ? 'page' : null} title=${t(`view.${name}`)}>
              <${Icon} name=${name} size=${20} /><span class="label">${t(`view.${name}`)}</span>
              ${name === 'inbox' && counts.data && counts.data.total > 0 && html`<span class="count">${counts.data.total}</span>`}</a></li>`,
          )}
          <li class="small-only"><button type="button" class="place" onClick=${more}><${Icon} name="more" size=${20} /><span class="label">${t('more')}</span></button></li>
        </ul></nav>
        <div class="foot">
          <${Status} health=${health} />
          <button type="button" class="place button plain" onClick=${preferences} title=${t('settings')}><${Icon} name="gear" size=${20} /><span class="label">${t('settings')}</span></button>
        </div>
      </div>
      <main id="main" tabindex="-1">${wanted ? html`<${AskKey} />` : html`<${Outlet} key=${shown} view=${shown} />`}</main>
    </div>
    ${params.id && !wanted && html`<${Detail} key=${params.id} id=${params.id} tab=${params.tab || 'text'} />`}
    <${Dialogs} /><${Toasts} />`;
}

let held = '';
/** `g` and then a letter goes to a view. @param {string} letter */
function pressed(letter) {
  const found = held === 'g' ? { a: 'ask', m: 'memories', t: 'time', g: 'graph', i: 'inbox', u: 'upkeep', w: 'watch' }[letter] : undefined;
  held = letter;
  return found;
}

/** @param {{view: string}} props */
function Outlet({ view }) {
  const [module, setModule] = useState(/** @type {any} */ (null));
  const [error, setError] = useState(/** @type {any} */ (null));
  useEffect(() => {
    MODULES[view]().then((found) => setModule(() => found), setError);
  }, [view]);
  if (error) return html`<div class="view"><${Failure} error=${{ code: 'unreachable' }} retry=${() => location.reload()} /></div>`;
  if (!module) return html`<div class="view"><${Waiting} /></div>`;
  return html`<${module.View} />`;
}

/** @param {{health: any}} props */
function Status({ health }) {
  const { data, error } = health;
  const state = error && error.status !== 401 ? 'bad' : !data ? 'idle' : data.ready ? (data.degraded.length ? 'warn' : '') : 'bad';
  const text = error && error.status !== 401 ? t('state.away') : !data ? t('loading') : data.degraded.length ? t('state.degraded', { parts: data.degraded.join(', ') }) : t('state.ok');
  return html`<a class="state-line" href=${href('upkeep')} title=${text} role="status"><span class=${`dot ${state}`}></span><span>${text}</span></a>`;
}

function AskKey() {
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    key.set(String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get('key')).trim());
    keyWanted.set(false);
    noteWrite();
  };
  return html`<div class="view"><form class="panel key-form column" onSubmit=${submit}>
    <h1>${t('key.title')}</h1><p class="quiet">${t('key.why')}</p>
    <label class="field"><span>${t('key.field')}</span><input class="input" type="password" name="key" autocomplete="off" autofocus required /></label>
    <div><button class="button main">${t('key.use')}</button></div>
  </form></div>`;
}

/** The views that do not fit into the bar of a narrow page. */
function more() {
  void openDialog({
    title: t('more'),
    body: (close) => html`<ul class="column tight">${VIEWS.filter((each) => each.more).map(({ name }) => html`<li key=${name}><a class="place" href=${href(name)} onClick=${() => close()}><${Icon} name=${name} size=${20} /><span>${t(`view.${name}`)}</span></a></li>`)}
      <li><button type="button" class="place button plain" onClick=${() => (close(), preferences())}><${Icon} name="gear" size=${20} /><span>${t('settings')}</span></button></li></ul>`,
  });
}

function preferences() {
  void openDialog({ title: t('settings'), body: (close) => html`<${Preferences} close=${close} />` });
}

/** @param {{close: () => void}} props */
function Preferences({ close }) {
  const chosenTheme = useCell(theme);
  useCell(language);
  const spaces = useLoad((signal) => api.namespaces({}, { signal }), []);
  const current = namespace();
  const names = [...new Set([current, ...(spaces.data?.namespaces.map((/** @type {any} */ each) => each.namespace) ?? [])])];
  return html`
    <label class="field"><span>${t('settings.namespace')}</span><select class="select" value=${current} onChange=${(/** @type {any} */ event) => (change({ ns: event.target.value === 'default' ? '' : event.target.value, id: '' }), close())}>
      ${names.map((name) => html`<option key=${name} value=${name} selected=${name === current}>${name}</option>`)}</select></label>
    <fieldset class="field"><legend>${t('settings.theme')}</legend><div class="segments">
      ${['', 'light', 'dark'].map((value) => html`<button type="button" key=${value} aria-pressed=${String(chosenTheme === value)} onClick=${() => theme.set(value)}>${t(`theme.${value || 'system'}`)}</button>`)}</div></fieldset>
    <fieldset class="field"><legend>${t('settings.language')}</legend><div class="segments">
      ${Object.entries(LANGUAGES).map(([code, { name }]) => html`<button type="button" key=${code} lang=${code} aria-pressed=${String(language.get() === code)} onClick=${() => chosenLanguage.set(code)}>${name}</button>`)}</div></fieldset>
    ${key.get() && html`<div><button type="button" class="button" onClick=${() => (key.set(''), close(), noteWrite(), location.reload())}>${t('key.forget')}</button></div>`}
    <h3>${t('keys')}</h3>
    <dl class="facts keys"><dt><kbd>/</kbd></dt><dd>${t('keys.ask')}</dd><dt><kbd>g</kbd> <kbd>m</kbd></dt><dd>${t('keys.go')}</dd><dt><kbd>Esc</kbd></dt><dd>${t('keys.close')}</dd><dt><kbd>j</kbd> <kbd>k</kbd></dt><dd>${t('keys.move')}</dd></dl>
    <p class="quiet"><a href="/docs">${t('settings.api')}</a></p>`;
}

takeProof();
dress();
await speak();
render(html`<${App} />`, /** @type {HTMLElement} */ (document.getElementById('app')));
