// @ts-check
/** What can be done to memories: each asks for what it needs, says what it did, and offers the way back where there is one. */
import { api } from '../core/api.js';
import { noteWrite } from '../core/changed.js';
import { html } from '../core/html.js';
import { namespace } from '../core/route.js';
import { day, named, t } from '../core/words.js';
import { attempt, confirmed, openDialog, say } from './dialog.js';
import { TYPES, listed } from './filters.js';

/** @typedef {any} Memory */

/** @param {string} text */
const short = (text) => (Array.from(text).length > 140 ? `${Array.from(text).slice(0, 140).join('')}…` : text);

/** @param {{memory: Memory}} props */
export const Quoted = ({ memory }) => html`<blockquote class="panel text" dir="auto">${short(memory.text)}</blockquote>`;

/** @param {{memory?: any}} props */
function Fields({ memory = {} }) {
  const date = (/** @type {string | null} */ value) => value?.slice(0, 10) ?? '';
  return html`<label class="field wide"><span>${t('field.text')}</span><textarea class="area" name="text" rows="6" required autofocus dir="auto" defaultValue=${memory.text ?? ''}></textarea></label>
    <div class="fields">
      <label class="field"><span>${t('field.type')}</span><select class="select" name="type" defaultValue=${memory.type ?? 'semantic'}>${TYPES.map((type) => html`<option key=${type} value=${type} selected=${type === (memory.type ?? 'semantic')}>${named('type', type)}</option>`)}</select></label>
      <label class="field"><span>${t('field.title')}</span><input class="input" name="title" defaultValue=${memory.title ?? ''} /></label>
      <label class="field"><span>${t('field.author')}</span><input class="input" name="author" defaultValue=${memory.author ?? ''} /></label>
      <label class="field"><span>${t('field.context')}</span><input class="input" name="context" placeholder="work/projects" defaultValue=${memory.context ?? ''} /></label>
      <label class="field"><span>${t('field.tags')}</span><input class="input" name="tags" placeholder=${t('filter.many')} defaultValue=${(memory.tags ?? []).join(', ')} /></label>
      <label class="field"><span>${t('field.importance')}</span><input class="input" name="importance" type="number" min="0" max="1" step="0.05" defaultValue=${memory.importance ?? 0.5} /></label>
      <label class="field"><span>${t('field.valid_from')}</span><input class="input" name="valid_from" type="date" defaultValue=${date(memory.valid_from)} /></label>
      <label class="field"><span>${t('field.valid_to')}</span><input class="input" name="valid_to" type="date" defaultValue=${date(memory.valid_to)} /></label>
    </div>`;
}

/** The fields of the form. @param {FormData} form */
function read(form) {
  const value = (/** @type {string} */ name) => String(form.get(name) ?? '').trim();
  return {
    text: value('text'), type: value('type'), title: value('title') || null, author: value('author') || null, context: value('context'),
    tags: listed(value('tags')), importance: Number(value('importance') || 0.5), valid_from: value('valid_from') || null, valid_to: value('valid_to') || null,
  };
}

export async function add() {
  const receipt = await openDialog({
    title: t('add.title'),
    action: t('add.action'),
    wide: true,
    body: () => html`<${Fields} />`,
    act: (form) => api.remember({ namespace: namespace(), ...read(form) }),
  });
  if (!receipt) return;
  noteWrite();
  say(t(`outcome.${receipt.outcome}`));
  for (const each of receipt.similar ?? []) if (each.proposal) say(t('add.proposed'));
}

/** @param {Memory} memory */
export async function edit(memory) {
  const receipt = await openDialog({
    title: t('edit.title'),
    action: t('save'),
    wide: true,
    body: () => html`<${Fields} memory=${memory} />
      <label class="field"><span>${t('edit.reason')}</span><input class="input" name="reason" /></label>
      <p class="quiet">${t('edit.kept', { revision: memory.revision })}</p>`,
    act: (form) => {
      const fields = read(form);
      // A date that was not touched keeps its time of day.
      for (const name of /** @type {const} */ (['valid_from', 'valid_to'])) if ((memory[name]?.slice(0, 10) ?? null) === fields[name]) fields[name] = memory[name];
      return api.revise(memory.id, { namespace: memory.namespace, ...fields, context: fields.context || '/', reason: String(form.get('reason') || '') || undefined, if_revision: memory.revision });
    },
  });
  if (!receipt) return;
  noteWrite();
  say(t('edit.done'), { action: { label: t('undo'), act: () => void restore(memory) } });
}

/** Makes a memory what it was at an earlier revision, by a new one. @param {Memory} earlier */
export async function restore(earlier) {
  const { text, type, title, author, context, tags, importance, confidence, valid_from, valid_to, attributes, pinned } = earlier;
  const done = await attempt(() =>
    api.revise(earlier.id, { namespace: earlier.namespace, text, type, title, author, context: context || '/', tags, importance, confidence, valid_from, valid_to, attributes, pinned, reason: t('restore.reason', { revision: earlier.revision }) }),
  );
  if (!done) return;
  noteWrite();
  say(t('restore.done'));
}

/** @param {Memory} memory */
export async function pin(memory) {
  const done = await attempt(() => api.revise(memory.id, { namespace: memory.namespace, pinned: !memory.pinned }));
  if (!done) return;
  noteWrite();
  say(memory.pinned ? t('pin.undone') : t('pin.done'));
}

/** @param {Memory[]} memories */
export async function retire(memories) {
  const done = await openDialog({
    title: t('retire.title', { n: memories.length }),
    action: t('retire.action', { n: memories.length }),
    body: () => html`<p>${t('retire.what')}</p>${memories.slice(0, 3).map((memory) => html`<${Quoted} key=${memory.id} memory=${memory} />`)}
      ${memories.length > 3 && html`<p class="quiet">${t('and.more', { n: memories.length - 3 })}</p>`}
      <label class="field"><span>${t('reason')}</span><input class="input" name="reason" autofocus /></label>`,
    act: async (form) => {
      const reason = String(form.get('reason') || '') || undefined;
      for (const memory of memories) await api.retire(memory.id, { namespace: memory.namespace, reason });
      return true;
    },
  });
  if (!done) return;
  noteWrite();
  say(t('retire.done', { n: memories.length }));
}

/** @param {Memory[]} memories */
export async function forget(memories) {
  const space = memories[0].namespace;
  const revisions = memories.reduce((sum, memory) => sum + memory.revision, 0);
  const done = await confirmed({
    title: t('forget.title', { n: memories.length }),
    action: t('forget.action', { n: memories.length }),
    body: html`<p>${t('forget.what', { n: revisions })}</p>${memories.slice(0, 3).map((memory) => html`<${Quoted} key=${memory.id} memory=${memory} />`)}
      ${memories.length > 3 && html`<p class="quiet">${t('and.more', { n: memories.length - 3 })}</p>`}<p>${t('forget.never')}</p>`,
    act: async () => {
      if (memories.length === 1) return api.forget(memories[0].id, { namespace: space });
      return api.forgetMany({ namespace: space, ids: memories.map((memory) => memory.id), dry_run: false });
    },
  });
  if (!done) return false;
  noteWrite();
  say(t('forget.done', { n: done.forgotten ?? memories.length }));
  return true;
}

/** @param {Memory[]} memories */
export async function tag(memories) {
  const done = await openDialog({
    title: t('tag.title', { n: memories.length }),
    action: t('save'),
    body: () => html`<label class="field"><span>${t('tag.add')}</span><input class="input" name="add" autofocus placeholder=${t('filter.many')} /></label>
      <label class="field"><span>${t('tag.remove')}</span><input class="input" name="remove" placeholder=${t('filter.many')} /></label>`,
    act: async (form) => {
      const more = listed(String(form.get('add') ?? ''));
      const less = listed(String(form.get('remove') ?? '')).map((each) => each.toLowerCase());
      for (const memory of memories) {
        const tags = [...new Set([...memory.tags, ...more])].filter((each) => !less.includes(each.toLowerCase()));
        await api.revise(memory.id, { namespace: memory.namespace, tags });
      }
      return true;
    },
  });
  if (!done) return;
  noteWrite();
  say(t('tag.done', { n: memories.length }), { action: { label: t('undo'), act: () => void attempt(async () => {
    for (const memory of memories) await api.revise(memory.id, { namespace: memory.namespace, tags: memory.tags });
    noteWrite();
  }) } });
}

const RELATIONS = ['REFERS_TO', 'SUPPORTS', 'CONTRADICTS', 'CAUSES', 'SUPERSEDES', 'MENTIONS'];

/** @param {Memory} memory */
export async function relate(memory) {
  const done = await openDialog({
    title: t('relate.title'),
    action: t('relate.action'),
    body: () => html`<${Quoted} memory=${memory} />
      <label class="field"><span>${t('relate.type')}</span><input class="input" name="type" list="relation-types" defaultValue="REFERS_TO" required /></label>
      <datalist id="relation-types">${RELATIONS.map((each) => html`<option key=${each} value=${each} />`)}</datalist>
      <label class="field"><span>${t('relate.target')}</span><input class="input" name="target" required autofocus placeholder="entity:person/Ada" /><small>${t('relate.hint')}</small></label>`,
    act: (form) => api.relate({ namespace: memory.namespace, source: memory.id, target: String(form.get('target')).trim(), type: String(form.get('type')) }),
  });
  if (!done) return;
  noteWrite();
  say(t('relate.done'), { action: { label: t('undo'), act: () => void attempt(async () => {
    await api.unrelate(done.id, { namespace: memory.namespace });
    noteWrite();
  }) } });
}

/** @param {Memory} memory @param {string} verdict */
export async function judge(memory, verdict) {
  const judged = await attempt(() => api.feedback(memory.id, { namespace: memory.namespace, verdict }));
  if (!judged) return null;
  noteWrite();
  const { given, confidence } = judged.feedback;
  say(judged.proposal ? t('judge.proposed') : t('judge.done', { before: given, after: confidence }), {
    action: { label: t('undo'), act: () => void attempt(async () => {
      await api.feedback(memory.id, { namespace: memory.namespace, verdict: 'withdrawn' });
      noteWrite();
    }) },
  });
  return judged;
}

/** When something was written, for a list of dates. @param {string} value */
export const dated = (value) => day(value);
