// @ts-check
/** Import and export: a file is looked at before anything is stored, and what was refused is said line by line. */
import { api } from '../core/api.js';
import { noteWrite } from '../core/changed.js';
import { read } from '../core/formats.js';
import { html, useRef, useState } from '../core/html.js';
import { namespace, usePlace } from '../core/route.js';
import { bytes, number, t } from '../core/words.js';
import { Failure, Note } from '../parts/basics.js';
import { attempt } from '../parts/dialog.js';
import { FilterBar, fieldsOf } from '../parts/filters.js';
import { Icon } from '../parts/icons.js';
import { save } from '../parts/save.js';

const BATCH = 400;
const PREVIEW = 5;

export function View() {
  return html`<div class="view"><header><div class="grow"><h1>${t('view.transfer')}</h1><p>${t('transfer.lead')}</p></div></header>
    <div class="panels wide"><${Import} /><${Export} /></div></div>`;
}

function Import() {
  const [file, setFile] = useState(/** @type {any} */ (null));
  const [state, setState] = useState(/** @type {any} */ ({}));
  const [over, setOver] = useState(false);
  const stop = useRef(new AbortController());
  const picker = useRef(/** @type {HTMLInputElement | null} */ (null));
  const take = async (/** @type {File | undefined} */ given) => {
    if (!given) return;
    setState({});
    try {
      const found = read(given.name, await given.text());
      setFile({ name: given.name, size: given.size, ...found });
    } catch (error) {
      setFile(null);
      setState({ error: { message: t('transfer.unreadable', { name: given.name }), hint: String(/** @type {Error} */ (error).message) } });
    }
  };
  const run = async () => {
    stop.current = new AbortController();
    const report = { done: 0, counts: /** @type {Record<string, number>} */ ({}), rejected: /** @type {any[]} */ ([]), warnings: /** @type {any[]} */ ([]) };
    setState({ running: true, ...report });
    try {
      for (let at = 0; at < file.lines.length; at += BATCH) {
        const answer = await api.importLines(`${file.lines.slice(at, at + BATCH).join('\n')}\n`, { namespace: namespace() }, { signal: stop.current.signal });
        report.done = Math.min(at + BATCH, file.lines.length);
        for (const [outcome, count] of Object.entries(answer.counts)) report.counts[outcome] = (report.counts[outcome] ?? 0) + Number(count);
        report.rejected.push(...answer.rejected.map((each) => ({ ...each, line: each.line + at })));
        report.warnings.push(...answer.warnings.map((each) => ({ ...each, line: each.line + at })));
        setState({ running: true, ...report });
      }
      setState({ finished: true, ...report });
    } catch (error) {
      setState({ ...report, stopped: stop.current.signal.aborted, error: stop.current.signal.aborted ? null : error });
    }
    noteWrite();
  };
  return html`<section class="panel column"><h2>${t('transfer.import')}</h2>
    <div class=${`drop ${over ? 'over' : ''}`} onDragOver=${(/** @type {Event} */ event) => (event.preventDefault(), setOver(true))} onDragLeave=${() => setOver(false)} onDrop=${(/** @type {DragEvent} */ event) => (event.preventDefault(), setOver(false), void take(event.dataTransfer?.files[0]))}>
      <${Icon} name="file" size=${28} /><p>${t('transfer.drop')}</p>
      <button type="button" class="button" onClick=${() => picker.current?.click()}>${t('transfer.choose')}</button>
      <input ref=${picker} type="file" hidden aria-label=${t('transfer.choose')} accept=".jsonl,.ndjson,.json,.csv,.tsv,.md,.markdown,.txt" onChange=${(/** @type {any} */ event) => (void take(event.target.files[0]), (event.target.value = ''))} />
      <p class="quiet">${t('transfer.formats')}</p></div>
    ${file && html`<div class="column"><div class="row between"><b class="cut"><bdi>${file.name}</bdi></b><span class="quiet">${t(`format.${file.format}`)} · ${bytes(file.size)}</span></div>
      <p role="status">${t('transfer.found', { n: file.lines.length })}${file.skipped.length > 0 ? ` ${t('transfer.skipped', { n: file.skipped.length })}` : ''}</p>
      <ol class="column tight preview">${file.lines.slice(0, PREVIEW).map((/** @type {string} */ line, /** @type {number} */ at) => html`<li key=${at} class="quiet clamp" dir="auto">${preview(line)}</li>`)}</ol>
      ${state.running
        ? html`<div class="column tight"><div class="meter" role="progressbar" aria-label=${t('transfer.import')} aria-valuenow=${state.done} aria-valuemax=${file.lines.length}><i style=${{ width: `${(100 * state.done) / Math.max(file.lines.length, 1)}%` }}></i></div><div class="row between"><span class="quiet numbers">${number(state.done)} / ${number(file.lines.length)}</span><button type="button" class="button small" onClick=${() => stop.current.abort()}>${t('transfer.stop')}</button></div></div>`
        : !state.finished && html`<div class="row"><button type="button" class="button main" onClick=${run} disabled=${!file.lines.length}>${t('transfer.run', { n: file.lines.length })}</button><span class="quiet">${t('transfer.into', { name: namespace() })}</span></div>`}</div>`}
    ${state.error && html`<${Failure} error=${state.error} />`}
    ${state.stopped && html`<${Note} kind="warn">${t('transfer.stopped', { n: state.done })}<//>`}
    ${state.counts && Object.keys(state.counts).length > 0 && html`<div class="figures" role="status">${Object.entries(state.counts).map(([outcome, count]) => html`<div class="figure" key=${outcome}><b>${number(Number(count))}</b><span>${t(`count.${outcome}`)}</span></div>`)}</div>`}
    ${state.rejected?.length > 0 && html`<${Lines} title=${t('transfer.rejected', { n: state.rejected.length })} rows=${state.rejected.map((/** @type {any} */ each) => [each.line, each.reason])} />`}
    ${state.warnings?.length > 0 && html`<${Lines} title=${t('transfer.warnings', { n: state.warnings.length })} rows=${state.warnings.map((/** @type {any} */ each) => [each.line, each.message])} />`}
  </section>`;
}

/** @param {string} line */
function preview(line) {
  try {
    const found = JSON.parse(line);
    return String(found.text ?? found.content ?? found.memory?.text ?? line);
  } catch {
    return line;
  }
}

/** @param {{title: string, rows: [number, string][]}} props */
const Lines = ({ title, rows }) => html`<details class="fold" open><summary>${title}</summary><div class="table-scroll tall" tabindex="0"><table class="table"><thead><tr><th class="number">${t('transfer.line')}</th><th>${t('transfer.why')}</th></tr></thead><tbody>${rows.slice(0, 200).map(([line, why]) => html`<tr key=${`${line} ${why}`}><td class="number">${number(line)}</td><td>${why}</td></tr>`)}</tbody></table></div></details>`;

function Export() {
  const { params } = usePlace();
  const [busy, setBusy] = useState(0);
  const { namespace: space, ...filters } = fieldsOf(params, 'memories');
  const filtered = Object.keys(filters).length > 0;
  const whole = async (/** @type {boolean} */ current) => {
    setBusy(1);
    const response = await attempt(() => api.export({ namespace: space, current_only: current }));
    if (response) save(await response.blob(), `${space}${current ? '-current' : ''}.jsonl`);
    setBusy(0);
  };
  const some = async () => {
    /** @type {string[]} */
    const lines = [];
    let cursor = /** @type {string | null} */ (null);
    do {
      setBusy(lines.length + 1);
      const page = /** @type {any} */ (await attempt(() => api.list({ ...filters, namespace: space, limit: 1000, cursor })));
      if (!page) return setBusy(0);
      for (const memory of page.memories) lines.push(JSON.stringify(draft(memory)));
      ({ cursor } = page);
    } while (cursor);
    save(new Blob([lines.join('\n'), '\n'], { type: 'application/x-ndjson' }), `${space}-filtered.jsonl`);
    return setBusy(0);
  };
  return html`<section class="panel column"><h2>${t('transfer.export')}</h2>
    <p class="quiet">${t('transfer.export.what')}</p>
    <div class="row"><button type="button" class="button" disabled=${busy > 0} onClick=${() => whole(false)}><${Icon} name="download" size=${16} />${t('transfer.all')}</button>
      <button type="button" class="button" disabled=${busy > 0} onClick=${() => whole(true)}>${t('transfer.current')}</button></div>
    <h3>${t('transfer.some')}</h3><${FilterBar} view="memories" />
    <div class="row"><button type="button" class="button" disabled=${!filtered || busy > 0} onClick=${some}><${Icon} name="download" size=${16} />${t('transfer.filtered')}</button>${busy > 1 && html`<span class="quiet numbers" role="status"><span class="spin"></span> ${number(busy - 1)}</span>`}</div>
    <p class="quiet">${t('transfer.privacy')}</p></section>`;
}

const FIELDS = ['text', 'type', 'title', 'author', 'key', 'user', 'agent', 'session', 'context', 'tags', 'importance', 'confidence', 'attributes', 'source', 'valid_from', 'valid_to', 'expires_at', 'pinned'];
/** @param {any} memory */
const draft = (memory) => Object.fromEntries(FIELDS.filter((name) => memory[name] !== null && memory[name] !== '').map((name) => [name, memory[name]]));
