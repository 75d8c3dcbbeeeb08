// @ts-check
/** Inbox: what the service proposes and does not do by itself, for a person to decide. */
import { api } from '../core/api.js';
import { useCell } from '../core/cell.js';
import { noteWrite, written } from '../core/changed.js';
import { html, useEffect, useState } from '../core/html.js';
import { useLoad } from '../core/load.js';
import { change, namespace, usePlace } from '../core/route.js';
import { day, moment, named, percent, t } from '../core/words.js';
import { edit } from '../parts/acts.js';
import { Empty, Segments, Shown, useKeys } from '../parts/basics.js';
import { Diff } from '../parts/diff.js';
import { attempt, openDialog, say } from '../parts/dialog.js';
import { Icon } from '../parts/icons.js';
import { About, memoryHref } from '../parts/memory.js';

const KINDS = ['update', 'contradiction', 'copy', 'retirement', 'expiry'];
const LATER_DAYS = 7;

export function View() {
  const { params } = usePlace();
  const turn = useCell(written);
  const decided = params.show === 'decided';
  const kinds = params.kind ? [params.kind] : [];
  const found = useLoad((signal) => listed(decided, kinds, signal), [turn, params.show, params.kind, namespace()]);
  const [at, setAt] = useState(0);
  const [picked, setPicked] = useState(/** @type {Set<string>} */ (new Set()));
  const list = found.data?.proposals ?? [];
  const current = Math.min(at, list.length - 1);
  useEffect(() => {
    if (at > 0) document.getElementById(`proposal-${current}`)?.scrollIntoView({ block: 'nearest' });
  }, [current]);
  useKeys((event) => {
    const each = list[current];
    if (event.key === 'j') setAt(Math.min(current + 1, list.length - 1));
    else if (event.key === 'k') setAt(Math.max(current - 1, 0));
    else if (event.key === 'u') void undoLast();
    else if (!each || decided) return;
    else if (event.key === 'a') void decide([each], 'accept');
    else if (event.key === 'r') void decide([each], 'reject');
    else if (event.key === 'l') void decide([each], 'later');
    else if (event.key === 'x') toggle(each.proposal.id);
  });
  const toggle = (/** @type {string} */ id) => {
    const next = new Set(picked);
    if (!next.delete(id)) next.add(id);
    setPicked(next);
  };
  const chosen = list.filter((/** @type {any} */ each) => picked.has(each.proposal.id));
  const many = async (/** @type {string} */ decision) => {
    const done = await openDialog({
      title: t(`inbox.many.${decision}`, { n: chosen.length }), action: t(`inbox.${decision}`), bad: decision === 'accept',
      body: () => html`<ul class="column">${chosen.slice(0, 5).map((/** @type {any} */ each) => html`<li class="quiet" key=${each.proposal.id}>${each.accepting}</li>`)}</ul>${chosen.length > 5 && html`<p class="quiet">${t('and.more', { n: chosen.length - 5 })}</p>`}`,
      act: () => decide(chosen, decision),
    });
    if (done) setPicked(new Set());
  };
  return html`<div class="view"><header><div class="grow"><h1>${t('view.inbox')}</h1><p>${t('inbox.lead')}</p></div>
      <${Segments} label=${t('inbox.show')} value=${decided ? 'decided' : 'open'} options=${['open', 'decided'].map((value) => ({ value, label: t(`inbox.${value}`) }))} choose=${(/** @type {string} */ value) => change({ show: value === 'open' ? '' : value })} /></header>
    <div class="column">
      <div class="row between"><label class="row tight"><span class="quiet">${t('inbox.kind')}</span><select class="select fit" value=${params.kind ?? ''} onChange=${(/** @type {any} */ event) => change({ kind: event.target.value })}><option value="">${t('inbox.all')}</option>${KINDS.map((kind) => html`<option key=${kind} value=${kind} selected=${kind === params.kind}>${t(`proposal.${kind}`)}</option>`)}</select></label>
        ${!decided && html`<p class="quiet keys-line">${[['j', 'next'], ['k', 'previous'], ['a', 'accept'], ['r', 'reject'], ['l', 'later'], ['u', 'undo'], ['x', 'choose']].map(([key, name]) => html`<span key=${key} class="nowrap"><kbd>${key}</kbd> ${t(`inbox.key.${name}`)}</span>`)}</p>`}</div>
      ${chosen.length > 0 && html`<div class="row chosen-bar" role="toolbar" aria-label=${t('memories.chosen', { n: chosen.length })}><b class="grow">${t('memories.chosen', { n: chosen.length })}</b>
        ${['accept', 'reject', 'later'].map((decision) => html`<button type="button" key=${decision} class="button small" onClick=${() => many(decision)}>${t(`inbox.${decision}`)}</button>`)}
        <button type="button" class="button plain small" onClick=${() => setPicked(new Set())}>${t('memories.clear')}</button></div>`}
      <${Shown} from=${found}>${() => (list.length ? html`<ol class="column">${list.map((/** @type {any} */ each, /** @type {number} */ place) => html`<${One} key=${each.proposal.id} proposed=${each} place=${place} current=${place === current && !decided} choose=${() => setAt(place)} picked=${picked.has(each.proposal.id)} toggle=${() => toggle(each.proposal.id)} decided=${decided} />`)}</ol>` : html`<${Empty} icon="inbox" title=${t(decided ? 'inbox.none.decided' : 'inbox.none')}><p>${t('inbox.none.hint')}</p><//>`)}<//>
    </div></div>`;
}

/** Those that wait, and those whose acceptance was undone: they can be decided again. @param {boolean} decided @param {string[]} kinds @param {AbortSignal} signal */
async function listed(decided, kinds, signal) {
  const shared = { namespace: namespace(), kinds, limit: 200 };
  if (decided) return api.proposals({ ...shared, states: ['accepted', 'rejected', 'later'] }, { signal });
  const [waiting, undone] = await Promise.all([api.proposals(shared, { signal }), api.proposals({ ...shared, states: ['undone'] }, { signal })]);
  return { proposals: [...waiting.proposals, ...undone.proposals], total: waiting.total + undone.total };
}

/** @type {any[]} */
let last = [];

/** @param {any[]} proposed @param {string} decision @param {Record<string, unknown>} [more] */
export async function decide(proposed, decision, more = {}) {
  const until = decision === 'later' ? new Date(Date.now() + LATER_DAYS * 86_400_000).toISOString() : undefined;
  /** @type {any[]} */
  const done = [];
  for (const { proposal } of proposed) {
    const answer = await attempt(() => api.decide(proposal.id, { namespace: proposal.namespace, decision, until, ...more }));
    if (answer) done.push(answer);
  }
  if (!done.length) return false;
  last = decision === 'undo' ? [] : done;
  noteWrite();
  say(t(`inbox.done.${decision}`, { n: done.length }), decision === 'undo' ? {} : { action: { label: t('undo'), act: () => void decide(done, 'undo') } });
  return true;
}

const undoLast = () => (last.length ? decide(last, 'undo') : Promise.resolve(false));

/** @param {{proposed: any, place: number, current: boolean, choose: () => void, picked: boolean, toggle: () => void, decided: boolean}} props */
function One({ proposed, place, current, choose, picked, toggle, decided }) {
  const { proposal, memory, other, accepting } = proposed;
  return html`<li id=${`proposal-${place}`} class=${`panel proposal ${current ? 'current' : ''}`} aria-current=${current ? 'true' : null} onFocusCapture=${choose}>
    <div class="row between"><div class="row">${!decided && html`<label class="check"><input type="checkbox" checked=${picked} onChange=${toggle} /><span class="sr">${t('memories.choose')}</span></label>`}
        <span class="chip accent">${t(`proposal.${proposal.kind}`)}</span><span class="row tight" title=${t('inbox.sure')}><span class="meter confidence"><i style=${{ width: `${proposal.confidence * 100}%` }}></i></span><span class="quiet small numbers">${percent(proposal.confidence)}</span></span>
        ${proposal.state !== 'open' && html`<span class="chip">${t(`inbox.state.${proposal.state}`)}${proposal.decided_by ? ` · ${named('actor', proposal.decided_by)}` : ''}</span>`}</div>
      <span class="quiet">${named('actor', proposal.made_by)} · ${moment(proposal.decided_at ?? proposal.made_at)}</span></div>
    <div class="sides">
      <${Side} memory=${memory} other=${other} side="before" label=${t('inbox.changes')} />
      ${other && html`<${Side} memory=${other} other=${memory} side="after" label=${t('inbox.against')} />`}
    </div>
    <p class="quiet">${[proposal.reason, proposal.note].filter(Boolean).join(' · ')}</p>
    <div class="row between"><p class="grow" title=${accepting}><b>${t('inbox.accepting')}</b> ${does(proposed)}</p>
      <div class="row tight">${decided
        ? proposal.state !== 'undone' && html`<button type="button" class="button small" onClick=${() => decide([proposed], 'undo')}><${Icon} name="undo" size=${15} />${t('undo')}</button>`
        : html`<button type="button" class="button main small" onClick=${() => decide([proposed], 'accept')}><${Icon} name="check" size=${15} />${t('inbox.accept')}</button>
          <button type="button" class="button small" onClick=${() => decide([proposed], 'reject')}>${t('inbox.reject')}</button>
          <button type="button" class="button small" onClick=${() => correct(proposed)}>${t('inbox.correct')}</button>
          <button type="button" class="button plain small" onClick=${() => edit(memory)}>${t('edit')}</button>
          <button type="button" class="button plain small" onClick=${() => decide([proposed], 'later')}>${t('inbox.later')}</button>`}</div></div>
  </li>`;
}

/** @param {{memory: any, other: any, side: 'before' | 'after', label: string}} props */
function Side({ memory, other, side, label }) {
  return html`<section class="column tight"><h3>${label}</h3>
    <a class="plain-link" href=${memoryHref(memory.id)}>${other ? html`<${Diff} before=${side === 'before' ? memory.text : other.text} after=${side === 'before' ? other.text : memory.text} side=${side} />` : html`<p class="text" dir="auto">${memory.text}</p>`}</a>
    <${About} memory=${memory} /></section>`;
}

/** What accepting does, in the words of this page. @param {any} proposed */
function does({ proposal, other }) {
  return t(`inbox.does.${proposal.kind}`, { when: other?.valid_from ? day(other.valid_from) : t('now') });
}

/** Accepting with another kind, or another end. @param {any} proposed */
async function correct(proposed) {
  const { proposal } = proposed;
  await openDialog({
    title: t('inbox.correct.title'), action: t('inbox.accept'),
    body: () => html`<label class="field"><span>${t('inbox.kind')}</span><select class="select" name="kind">${KINDS.filter((kind) => proposed.other || kind === 'retirement' || kind === 'expiry').map((kind) => html`<option key=${kind} value=${kind} selected=${kind === proposal.kind}>${t(`proposal.${kind}`)}</option>`)}</select></label>
      <label class="field"><span>${t('field.valid_to')}</span><input class="input" type="date" name="valid_to" /><small>${t('inbox.until', { when: day(proposed.other?.valid_from ?? new Date()) })}</small></label>
      <label class="field"><span>${t('reason')}</span><input class="input" name="note" /></label>`,
    act: (form) => decide([proposed], 'accept', { kind: form.get('kind') || undefined, valid_to: form.get('valid_to') || undefined, note: form.get('note') || undefined }),
  });
}
