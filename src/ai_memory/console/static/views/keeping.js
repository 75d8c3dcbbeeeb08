// @ts-check
/** What keeps the store sound: its check, its backups, and the models of this machine. All of it needs a key that opens every namespace. */
import { api } from '../core/api.js';
import { useCell } from '../core/cell.js';
import { noteWork, worked, written } from '../core/changed.js';
import { html, useState } from '../core/html.js';
import { useLoad } from '../core/load.js';
import { namespace } from '../core/route.js';
import { ago, bytes, moment, named, t } from '../core/words.js';
import { Note, Shown } from '../parts/basics.js';
import { attempt, confirmed, say } from '../parts/dialog.js';
import { Icon } from '../parts/icons.js';
import { memoryHref } from '../parts/memory.js';
import { save } from '../parts/save.js';

/** Models that are shown first; all others on request. */
const FEW = 4;

/** Begins work in the background; the jobs say how far it is. @param {() => Promise<any>} work */
async function begin(work) {
  if (await attempt(work)) (noteWork(), say(t('task.begun')));
}

/** @param {{problems: any[]}} props */
const Problems = ({ problems }) => html`${problems.map((problem) => html`<${Note} key=${problem.check} kind="warn" title=${problem.message}>${problem.count > 1 && html`<p class="numbers">${t('keeping.count', { n: problem.count })}</p>`}${problem.mend && html`<code>${problem.mend}</code>`}<//>`)}`;

export function Check() {
  const step = useCell(worked);
  const found = useLoad((signal) => api.findings({}, { signal }), [step]);
  const repair = () =>
    confirmed({ title: t('check.repair.title'), action: t('check.repair'), body: html`<p>${t('check.repair.what')}</p>`, act: () => api.check({ repair: true }) }).then((done) => done && (noteWork(), say(t('task.begun'))));
  return html`<section class="panel"><div class="row between"><h2>${t('check')}</h2>
      <div class="row tight"><button type="button" class="button small" disabled=${found.data?.state === 'running'} onClick=${() => begin(() => api.check({}))}><${Icon} name="check" size=${14} />${t('check.now')}</button><button type="button" class="button small" disabled=${found.data?.state === 'running'} onClick=${repair}>${t('check.repair')}</button></div></div>
    <${Shown} from=${found} bones=${1}>${(/** @type {any} */ data) => html`<div class="column">
      ${!data.state && html`<p class="quiet">${t('check.never')}</p>`}
      ${data.state && data.state !== 'done' && html`<p class="row tight"><${State} state=${data.state} /><span class="quiet" title=${moment(data.at)}>${ago(data.at)}</span></p>`}
      ${data.state === 'done' && !data.problems.length && html`<${Note} kind="good" title=${t('check.sound')}><span title=${moment(data.at)}>${t('check.sound.what', { when: ago(data.at) })}</span><//>`}
      <${Problems} problems=${data.problems} /></div>`}<//></section>`;
}

const COLOURS = { running: 'accent', done: 'good', failed: 'bad', cancelled: '' };
/** @param {{state: string, words?: string}} props */
const State = ({ state, words }) => html`<span class=${`chip ${COLOURS[/** @type {'done'} */ (state)] ?? ''}`}>${words ?? t(`job.state.${state}`)}</span>`;

export function Backups() {
  const step = useCell(worked);
  const found = useLoad((signal) => api.backups({}, { signal }), [step]);
  const remove = (/** @type {string} */ name) =>
    confirmed({ title: t('backup.delete.title'), action: t('backup.delete'), body: html`<p>${t('backup.delete.what', { name })}</p>`, act: () => api.deleteBackup(name) }).then((left) => left && found.put(left));
  const download = async (/** @type {string} */ name) => {
    const response = await attempt(() => api.backupFile(name));
    if (response) save(await response.blob(), `${name}.zip`);
  };
  return html`<section class="panel"><div class="row between"><h2>${t('backups')}</h2><button type="button" class="button small" onClick=${() => begin(() => api.makeBackup({}))}><${Icon} name="plus" size=${14} />${t('backup.make')}</button></div>
    <${Shown} from=${found} bones=${1}>${(/** @type {any} */ data) => (data.backups.length
      ? html`<div class="column"><ul class="column">${data.backups.map((/** @type {any} */ each) => html`<li key=${each.name} class="part"><div class="grow column tight">
          <div class="row between"><div class="row"><b class="mono">${each.name}</b>${each.verified && html`<${State} state=${each.problems.length ? 'failed' : each.verified} words=${each.problems.length ? t('backup.damaged') : each.verified === 'done' ? t('backup.sound') : undefined} />`}</div>
            <div class="row tight"><button type="button" class="button small" disabled=${each.verified === 'running'} onClick=${() => begin(() => api.verifyBackup(each.name))}>${t('backup.verify')}</button><button type="button" class="button small" onClick=${() => download(each.name)}><${Icon} name="download" size=${14} />${t('backup.download')}</button><button type="button" class="button small bad" onClick=${() => remove(each.name)}>${t('backup.delete')}</button></div></div>
          <p class="quiet numbers"><span title=${moment(each.made_at)}>${ago(each.made_at)}</span> · ${bytes(each.bytes)}</p><${Problems} problems=${each.problems} /></div></li>`)}</ul>
          <p class="quiet">${t('backup.where')} <code>${data.folder}</code></p></div>`
      : html`<p class="quiet">${t('backup.none')}</p>`)}<//></section>`;
}

/** @param {{use: (model: string) => void}} props */
export function Models({ use }) {
  const [every, setEvery] = useState(false);
  const step = useCell(worked);
  const found = useLoad((signal) => api.models({}, { signal }), [step]);
  return html`<section class="panel"><h2>${t('models')}</h2>
    <${Shown} from=${found} bones=${1}>${(/** @type {any} */ data) => html`<ul class="column">${data.models.filter((/** @type {any} */ each, /** @type {number} */ at) => each.runnable && (every || at < FEW || each.present || each.job)).map((/** @type {any} */ each) => html`<li key=${each.name} class="part"><div class="grow column tight">
      <div class="row between"><div class="row"><b>${each.name}</b>${each.active ? html`<${State} state="done" words=${t('generation.active')} />` : each.present ? html`<${State} state="" words=${t('model.present')} />` : each.job?.state === 'running' ? html`<${State} state="running" words=${t('model.fetching')} />` : null}</div>
        <div class="row tight">${each.job?.state === 'running'
          ? html`<button type="button" class="button small" onClick=${() => begin(() => api.steerJob(each.job.id, 'cancel'))}>${t('job.cancel')}</button>`
          : each.present
            ? !each.active && html`<button type="button" class="button small" onClick=${() => use(each.name)}>${t('model.use')}</button>`
            : html`<button type="button" class="button small" onClick=${() => begin(() => api.fetchModel(each.name))}><${Icon} name="download" size=${14} />${t('model.fetch')}</button>`}</div></div>
      <p class="quiet numbers">${t('model.facts', { dimensions: each.dimensions.join(', '), tokens: each.max_tokens })} · ${each.licence}</p>
      ${each.job?.state === 'running' && each.job.due > 0 && html`<div class="meter" role="progressbar" aria-label=${each.name} aria-valuemin="0" aria-valuemax=${each.job.due} aria-valuenow=${each.job.done}><i style=${{ width: `${(100 * each.job.done) / each.job.due}%` }}></i></div><p class="quiet numbers">${bytes(each.job.done)} / ${bytes(each.job.due)}</p>`}
      ${each.job?.state === 'failed' && !each.present && html`<p class="bad-text">${each.job.message}</p>`}${each.problem && html`<p class="bad-text">${each.problem}</p>`}
      ${each.terms && !each.present && html`<p class="quiet">${t('model.terms')} <code>${each.terms}</code></p>`}</div></li>`)}</ul>${!every && html`<button type="button" class="button small plain" onClick=${() => setEvery(true)}>${t('models.every')}</button>`}`}<//></section>`;
}

/** The newest writes: what was done, by whom and when; no text. */
export function Recent() {
  const found = useLoad((signal) => api.events({ namespace: namespace(), last: 10, limit: 10 }, { signal }), [useCell(written), namespace()]);
  return html`<section class="panel"><h2>${t('recent')}</h2><${Shown} from=${found} bones=${1}>${(/** @type {any} */ data) => html`<div class="table-scroll" tabindex="0"><table class="table"><thead><tr><th>${t('recent.when')}</th><th>${t('recent.what')}</th><th>${t('field.namespace')}</th><th>${t('recent.who')}</th></tr></thead>
    <tbody>${[...data.events].reverse().map((/** @type {any} */ each) => html`<tr key=${each.cursor}><td class="nowrap" title=${moment(each.at)}>${ago(each.at)}</td><td>${each.memory_id && each.action !== 'forgotten' ? html`<a href=${memoryHref(each.memory_id)}>${named('event', each.kind)}</a>` : named('event', each.kind)} · ${named('event', each.state ? 'decided' : each.action)}</td><td><bdi>${each.namespace}</bdi></td><td>${named('actor', each.actor)}</td></tr>`)}</tbody></table></div>`}<//></section>`;
}

/** Whether the chain of the log was found whole. */
export function Audit() {
  const found = useLoad((signal) => api.findings({}, { signal }), [useCell(worked)]);
  const { data } = found;
  if (!data || data.state !== 'done') return html`<${Note}>${t('audit.unknown')}<//>`;
  const broken = data.problems.filter((/** @type {any} */ each) => each.check === 'chain');
  return broken.length ? html`<${Problems} problems=${broken} />` : html`<${Note} kind="good">${t('audit.whole', { when: ago(data.at ?? 0) })}<//>`;
}
