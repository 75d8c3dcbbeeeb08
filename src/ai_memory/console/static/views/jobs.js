// @ts-check
/** Background jobs: how far they are, what the brake stopped, and the switch for all that decide by themselves. */
import { api } from '../core/api.js';
import { useCell } from '../core/cell.js';
import { noteWrite, worked } from '../core/changed.js';
import { html } from '../core/html.js';
import { useLoad } from '../core/load.js';
import { ago, has, moment, number, t } from '../core/words.js';
import { Note, Shown } from '../parts/basics.js';
import { attempt, confirmed, say } from '../parts/dialog.js';
import { Icon } from '../parts/icons.js';

/** What can be done to a job in a state. @type {Record<string, string[]>} */
const ACTIONS = { running: ['pause', 'cancel'], waiting: ['pause', 'cancel'], paused: ['resume', 'cancel'], held: ['allow', 'cancel'] };
/** Work that somebody asked for, which is cancelled or ends. */
const TASKS = new Set(['check', 'backup', 'verify_backup', 'fetch_model']);
/** @type {Record<string, string>} */
const COLOURS = { running: 'accent', waiting: '', held: 'warn', paused: '', done: 'good', failed: 'bad', cancelled: '' };

/** @param {{turn: number}} props */
export function Jobs({ turn }) {
  const step = useCell(worked);
  const found = useLoad((signal) => api.jobs({ limit: 20 }, { signal }), [turn, step]);
  const steer = async (/** @type {string} */ id, /** @type {string} */ action) => {
    if (await attempt(() => api.steerJob(id, action))) (noteWrite(), say(t(`job.did.${action}`)));
  };
  return html`<section class="panel"><div class="row between"><h2>${t('jobs')}</h2>
      ${found.data && html`<button type="button" class="button small" aria-pressed=${String(found.data.paused)} onClick=${() => steer('all', found.data?.paused ? 'resume' : 'pause')}><${Icon} name=${found.data.paused ? 'play' : 'pause'} size=${14} />${found.data.paused ? t('jobs.resume.all') : t('jobs.pause.all')}</button>`}</div>
    <${Shown} from=${found} bones=${1}>${(/** @type {any} */ data) => html`<div class="column">
      ${data.paused && html`<${Note} kind="warn">${t('jobs.paused')}<//>`}
      ${data.jobs.length ? html`<ul class="column">${data.jobs.map((/** @type {any} */ job) => html`<${One} key=${job.id} job=${job} steer=${steer} />`)}</ul>` : html`<p class="quiet">${t('jobs.none')}</p>`}</div>`}<//></section>`;
}

/** @param {{job: any, steer: (id: string, action: string) => Promise<void>}} props */
function One({ job, steer }) {
  const name = has(`job.${job.kind}`) ? t(`job.${job.kind}`) : job.kind;
  const act = (/** @type {string} */ action) =>
    action === 'allow' ? void confirmed({ title: t('job.allow.title'), action: t('job.allow'), body: html`<p>${job.message}</p><p>${t('job.allow.what', { n: job.due ?? 0 })}</p>`, act: () => api.steerJob(job.id, action) }).then((done) => done && noteWrite()) : void steer(job.id, action);
  return html`<li class="part"><div class="grow column tight">
    <div class="row between"><div class="row"><b>${name}</b><span class=${`chip ${COLOURS[job.state] ?? ''}`}>${t(`job.state.${job.state}`)}</span>${job.namespace && html`<bdi class="quiet">${job.namespace}</bdi>`}${job.about && html`<span class="quiet mono">${job.about}</span>`}</div>
      <div class="row tight">${(TASKS.has(job.kind) ? (job.state === 'running' ? ['cancel'] : []) : ACTIONS[job.state] ?? []).map((action) => html`<button type="button" key=${action} class="button small" onClick=${() => act(action)}>${t(`job.${action}`)}</button>`)}</div></div>
    ${job.due > 0 && html`<div class="meter" role="progressbar" aria-label=${name} aria-valuemin="0" aria-valuemax=${job.due} aria-valuenow=${job.done ?? 0}><i style=${{ width: `${Math.min(100, (100 * (job.done ?? 0)) / job.due)}%` }}></i></div>`}
    <p class="quiet numbers">${job.due !== null && t('job.done', { n: job.done ?? 0, of: job.due })} <span title=${moment(job.updated_at)}>${ago(job.updated_at)}</span></p>
    ${job.message && html`<p>${job.message}</p>`}${job.mend && html`<p class="quiet">${job.mend}</p>`}
    ${job.total > 0 && html`<p class="quiet numbers">${t('job.total', { n: number(job.total) })}</p>`}</div></li>`;
}
