// @ts-check
/** The first steps in an empty memory: each is really done here. */
import { api } from '../core/api.js';
import { noteWrite } from '../core/changed.js';
import { html, useState } from '../core/html.js';
import { useEvery, useLoad } from '../core/load.js';
import { change, namespace } from '../core/route.js';
import { t } from '../core/words.js';
import { Failure } from '../parts/basics.js';
import { Icon } from '../parts/icons.js';

/** @param {{stats: any}} props */
export function FirstSteps({ stats }) {
  const health = useLoad((signal) => api.health({}, { signal }), []);
  useEvery(health.reload, 3);
  const embedder = health.data?.parts.find((/** @type {any} */ part) => part.name === 'embedder');
  const [error, setError] = useState(/** @type {any} */ (null));
  const [stored, setStored] = useState('');
  const [busy, setBusy] = useState(false);
  const remember = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const text = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get('text'));
    setBusy(true);
    setError(null);
    try {
      await api.remember({ namespace: namespace(), text, wait: embedder?.state === 'ok' });
      setStored(text);
    } catch (failed) {
      setError(failed);
    }
    setBusy(false);
  };
  const ask = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const question = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get('q')).trim();
    if (!question) return;
    noteWrite();
    change({ q: question });
  };
  const ready = embedder?.state === 'ok';
  return html`<section class="steps" aria-label=${t('start.title')}>
    <h2>${t('start.title')}</h2><p class="quiet">${t('start.lead')}</p>
    <ol>
      <li class=${ready ? 'done' : ''}><span class="step">${ready ? html`<${Icon} name="check" size=${16} />` : '1'}</span><div class="grow column"><h3>${t('start.model')}</h3>
        <p>${ready ? t('start.model.ok') : embedder?.message ?? t('loading')}</p>${!ready && embedder?.mend && html`<pre class="code" tabindex="0">${embedder.mend}</pre>`}
        ${!ready && html`<p class="quiet">${t('start.model.without')}</p>`}</div></li>
      <li class=${stored ? 'done' : ''}><span class="step">${stored ? html`<${Icon} name="check" size=${16} />` : '2'}</span><form class="grow column" onSubmit=${remember}><h3><label for="first">${t('start.memory')}</label></h3>
        <textarea id="first" class="area" name="text" rows="3" required dir="auto" defaultValue=${t('start.memory.example')} readonly=${Boolean(stored)}></textarea>
        ${error && html`<${Failure} error=${error} />`}
        ${stored ? html`<p class="quiet">${t('start.memory.done')}</p>` : html`<div><button class="button main" disabled=${busy}>${t('add.action')}</button></div>`}</form></li>
      <li><span class="step">3</span><form class="grow column" onSubmit=${ask}><h3><label for="first-question">${t('start.ask')}</label></h3>
        <div class="row"><input id="first-question" class="input grow" name="q" required dir="auto" defaultValue=${t('start.ask.example')} disabled=${!stored} /><button class="button main" disabled=${!stored}>${t('view.ask')}</button></div>
      </form></li>
    </ol>
    ${stats.store && html`<p class="quiet small">${t('start.where', { store: stats.store })}</p>`}
  </section>`;
}
