// @ts-check
/** Graph: the best known entities first; open one to see what names it, find the path between two, say who is who. */
import { api } from '../core/api.js';
import { useCell } from '../core/cell.js';
import { noteWrite, written } from '../core/changed.js';
import { html, useEffect, useMemo, useRef, useState } from '../core/html.js';
import { useLoad } from '../core/load.js';
import { change, href, namespace, usePlace } from '../core/route.js';
import { day, moment, named, number, t } from '../core/words.js';
import { Canvas, colourOf } from '../graph/canvas.js';
import { Layout } from '../graph/layout.js';
import { overview } from '../graph/overview.js';
import { Empty, Failure, Note, Segments, Waiting } from '../parts/basics.js';
import { attempt, openDialog, say } from '../parts/dialog.js';
import { Icon } from '../parts/icons.js';
import { memoryHref } from '../parts/memory.js';
import { save } from '../parts/save.js';

const START = 36;
const READ = 4000;
const MOST = 5000;
const AROUND = 28;

export function View() {
  const { params } = usePlace();
  const turn = useCell(written);
  const space = namespace();
  const layout = useMemo(() => new Layout(), [space, params.as_of, params.all, params.kinds]);
  const [version, setVersion] = useState(0);
  const [path, setPath] = useState(/** @type {Set<string>} */ (new Set()));
  const control = useRef(/** @type {any} */ (null));
  const redraw = () => (layout.warm(0.6), setVersion((before) => before + 1));
  const kinds = params.kinds ? params.kinds.split(',') : [];
  const found = useLoad((signal) => api.graph({ namespace: space, limit: params.all ? MOST : READ, as_of: params.as_of }, { signal }), [space, params.as_of, params.all, turn]);
  useEffect(() => {
    if (!found.data) return;
    const graph = params.all ? everything(found.data) : overview(found.data, START);
    const nodes = graph.nodes.filter((/** @type {any} */ node) => !kinds.length || kinds.includes(node.kind));
    for (const id of [...layout.nodes.keys()]) if (!nodes.some((/** @type {any} */ node) => node.id === id) && params.all) layout.remove(id);
    for (const node of nodes) layout.add(node);
    for (const edge of graph.edges) layout.join(edge);
    redraw();
    if (params.focus) void expand(params.focus);
  }, [found.data, layout]);

  const expand = async (/** @type {string} */ id) => {
    const around = await attempt(() => api.graph({ namespace: space, id, depth: 1, limit: AROUND, as_of: params.as_of }));
    if (!around) return;
    const near = layout.add(around.nodes.find((/** @type {any} */ node) => node.id === id) ?? { id, kind: 'memory', label: id });
    for (const node of around.nodes) if (!kinds.length || kinds.includes(node.kind) || node.id === id) layout.add(node, near);
    for (const edge of around.edges) layout.join({ id: edge.id, source: edge.source, target: edge.target, type: edge.type, relation: edge });
    redraw();
  };
  const collapse = (/** @type {string} */ id) => {
    const beside = [...layout.edges.values()].filter((edge) => edge.source.id === id || edge.target.id === id).map((edge) => (edge.source.id === id ? edge.target : edge.source));
    for (const node of beside) {
      const others = [...layout.edges.values()].filter((edge) => (edge.source === node || edge.target === node) && edge.source.id !== id && edge.target.id !== id);
      if (!others.length) layout.remove(node.id);
    }
    redraw();
  };
  const choose = (/** @type {string} */ id) => change({ focus: id }, { replace: true });
  const chosen = params.focus && layout.nodes.get(params.focus);
  const showPath = async (/** @type {string} */ source, /** @type {string} */ target) => {
    const paths = await attempt(() => api.path({ namespace: space, source, target, as_of: params.as_of }));
    if (!paths) return;
    if (!paths.paths.length) return void say(t('graph.path.none'));
    const lit = new Set();
    for (const { nodes, relations } of paths.paths) {
      let near = layout.nodes.get(nodes[0].id);
      for (const node of nodes) (near = layout.add(node, near)), lit.add(node.id);
      for (const edge of relations) layout.join({ id: edge.id, source: edge.source, target: edge.target, type: edge.type, relation: edge }), lit.add(edge.id);
    }
    setPath(lit);
    redraw();
    say(t('graph.path.found', { n: paths.paths[0].relations.length }));
  };
  const counts = new Map();
  for (const node of layout.nodes.values()) counts.set(node.kind, (counts.get(node.kind) ?? 0) + 1);
  const empty = found.data && !found.data.nodes.length;
  return html`<div class="view full graph-view">
    <h1 class="sr">${t('view.graph')}</h1>
    <div class="graph-tools row">
      <${Find} found=${(/** @type {string} */ id) => (choose(id), void expand(id).then(() => { const node = layout.nodes.get(id); if (node) control.current?.centre(node); }))} />
      <${Segments} label=${t('graph.how')} value=${params.all ? 'all' : 'best'} options=${[{ value: 'best', label: t('graph.best') }, { value: 'all', label: t('graph.all') }]} choose=${(/** @type {string} */ value) => change({ all: value === 'all' ? '1' : '', focus: '' })} />
      <label class="row tight"><span class="quiet">${t('filter.as_of')}</span><input class="input fit small" type="date" value=${params.as_of ?? ''} onChange=${(/** @type {any} */ event) => change({ as_of: event.target.value })} /></label>
      <label class="row tight"><span class="quiet">${t('graph.labels')}</span><select class="select fit small" value=${params.labels || 'short'} onChange=${(/** @type {any} */ event) => change({ labels: event.target.value === 'short' ? '' : event.target.value }, { replace: true })}>${['short', 'full', 'none'].map((each) => html`<option key=${each} value=${each} selected=${each === (params.labels || 'short')}>${t(`graph.labels.${each}`)}</option>`)}</select></label>
    </div>
    <div class="graph-body">
      <div class="graph-stage">
        ${found.error && html`<${Failure} error=${found.error} retry=${found.reload} />`}
        ${empty ? html`<${Empty} icon="graph" title=${t('graph.empty')}><p>${t('graph.empty.hint')}</p><//>` : html`<${Canvas} layout=${layout} version=${version} chosen=${params.focus ?? ''} path=${path} labels=${params.labels || 'short'} label=${t('graph.label', { n: layout.nodes.size })} choose=${choose} expand=${(/** @type {string} */ id) => void expand(id)} control=${control} />`}
        ${found.loading && !found.data && html`<div class="graph-wait"><${Waiting} count=${1} slow=${found.slow} /></div>`}
        <ul class="graph-legend row tight">${[...counts].sort((one, other) => other[1] - one[1]).slice(0, 7).map(([kind, n]) => html`<li key=${kind}><button type="button" class=${`chip ${kinds.includes(kind) ? 'accent' : 'line'}`} aria-pressed=${String(kinds.includes(kind))} onClick=${() => change({ kinds: (kinds.includes(kind) ? kinds.filter((each) => each !== kind) : [...kinds, kind]).join(',') })}><span class="swatch" style=${{ background: `var(${colourOf(kind)})`, borderRadius: kind === 'memory' ? '2px' : '50%' }}></span>${named('kind', kind)} ${n}</button></li>`)}</ul>
        <div class="graph-zoom">
          <button type="button" class="button icon" aria-label=${t('graph.zoom.in')} onClick=${() => control.current?.zoom(1.3)}><${Icon} name="plus" /></button>
          <button type="button" class="button icon" aria-label=${t('graph.zoom.out')} onClick=${() => control.current?.zoom(1 / 1.3)}>−</button>
          <button type="button" class="button icon" aria-label=${t('graph.fit')} onClick=${() => control.current?.fit()}><${Icon} name="fit" /></button>
          <button type="button" class="button icon" aria-label=${t('graph.picture')} onClick=${() => void picture(control.current)}><${Icon} name="picture" /></button>
        </div>
      </div>
      <aside class="graph-side column">
        ${found.data?.truncated && html`<${Note}>${t('graph.truncated', { n: found.data.nodes.length })}<//>`}
        ${found.data && (found.data.unread ?? 0) > 0 && html`<${Note}>${t('graph.unread', { n: found.data.unread ?? 0 })}<//>`}
        ${chosen ? html`<${Chosen} key=${chosen.id} node=${chosen} layout=${layout} expand=${expand} collapse=${collapse} showPath=${showPath} choose=${choose} />` : html`<${Listed} layout=${layout} choose=${choose} expand=${expand} />`}
        ${path.size > 0 && html`<div><button type="button" class="button small" onClick=${() => setPath(new Set())}>${t('graph.path.clear')}</button></div>`}
        <${Decisions} turn=${turn} />
      </aside>
    </div>
  </div>`;
}

/** @param {any} graph */
function everything(graph) {
  const weight = new Map();
  for (const { source, target } of graph.edges) for (const id of [source, target]) weight.set(id, (weight.get(id) ?? 0) + 1);
  return { nodes: graph.nodes.map((/** @type {any} */ node) => ({ ...node, weight: weight.get(node.id) ?? 1 })), edges: graph.edges.map((/** @type {any} */ edge) => ({ id: edge.id, source: edge.source, target: edge.target, type: edge.type, relation: edge })) };
}

/** @param {any} control */
async function picture(control) {
  const blob = await control?.picture();
  if (blob) save(blob, 'graph.png');
}

/** @param {{found: (id: string) => void}} props */
function Find({ found }) {
  const [text, setText] = useState('');
  const list = useLoad(text ? (signal) => api.entities({ namespace: namespace(), search: text, limit: 8 }, { signal }) : null, [text], 120);
  const pick = (/** @type {string} */ id) => (setText(''), found(id));
  return html`<div class="graph-find"><label class="sr" for="find-entity">${t('graph.find')}</label>
    <input id="find-entity" class="input" type="search" dir="auto" autocomplete="off" placeholder=${t('graph.find')} value=${text} onInput=${(/** @type {any} */ event) => setText(event.target.value)} onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === 'Enter' && list.data?.entities[0] && pick(list.data.entities[0].entity.id)} />
    ${text && list.data && html`<ul class="graph-found panel">${list.data.entities.map((/** @type {any} */ each) => html`<li key=${each.entity.id}><button type="button" class="button plain" onClick=${() => pick(each.entity.id)}><span class="swatch" style=${{ background: `var(${colourOf(each.entity.kind)})` }}></span><bdi class="cut grow">${each.entity.name}</bdi><span class="quiet">${number(each.memories)}</span></button></li>`)}
      ${!list.data.entities.length && html`<li class="quiet">${t('graph.find.none')}</li>`}</ul>`}</div>`;
}

/** @param {{layout: Layout, choose: (id: string) => void, expand: (id: string) => Promise<void>}} props */
function Listed({ layout, choose, expand }) {
  const nodes = [...layout.nodes.values()].filter((node) => node.kind !== 'memory').sort((one, other) => other.weight - one.weight);
  return html`<section class="column"><h2>${t('graph.listed')}</h2><p class="quiet">${t('graph.listed.hint')}</p>
    <ul>${nodes.slice(0, 40).map((node) => html`<li key=${node.id}><button type="button" class="place button plain" onClick=${() => (choose(node.id), void expand(node.id))}><span class="swatch" style=${{ background: `var(${colourOf(node.kind)})`, borderRadius: '50%' }}></span><bdi class="cut">${node.label}</bdi><span class="quiet numbers grow end">${number(node.weight)}</span></button></li>`)}</ul></section>`;
}

/** @param {{node: any, layout: Layout, expand: any, collapse: any, showPath: any, choose: (id: string) => void}} props */
function Chosen({ node, layout, expand, collapse, showPath, choose }) {
  const { params } = usePlace();
  const space = namespace();
  const near = useLoad((signal) => api.neighbours(node.id, { namespace: space, limit: 40, as_of: params.as_of }, { signal }), [node.id, params.as_of]);
  const entity = node.kind !== 'memory';
  const others = [...layout.nodes.values()].filter((each) => each.id !== node.id).sort((one, other) => other.weight - one.weight);
  return html`<section class="column"><div class="row between"><span class="chip line"><span class="swatch" style=${{ background: `var(${colourOf(node.kind)})` }}></span>${named('kind', node.kind)}</span>
      <button type="button" class="button plain icon small" aria-label=${t('close')} onClick=${() => choose('')}><${Icon} name="close" size=${15} /></button></div>
    <h2 class="text" dir="auto">${node.label}</h2>
    <div class="row tight"><button type="button" class="button small" onClick=${() => void expand(node.id)}>${t('graph.expand')}</button><button type="button" class="button small" onClick=${() => collapse(node.id)}>${t('graph.collapse')}</button>
      ${!entity && html`<a class="button small" href=${memoryHref(node.id)}>${t('graph.open')}</a>`}
      ${entity && html`<button type="button" class="button small" onClick=${() => void merge(node)}>${t('graph.merge')}</button><button type="button" class="button small" onClick=${() => void split(node, near.data)}>${t('graph.split')}</button>`}</div>
    <label class="field"><span>${t('graph.path')}</span><select class="select" value="" onChange=${(/** @type {any} */ event) => event.target.value && showPath(node.id, event.target.value)}><option value="">${t('graph.path.choose')}</option>${others.slice(0, 200).map((each) => html`<option key=${each.id} value=${each.id}>${each.label.slice(0, 60)}</option>`)}</select></label>
    <h3>${t('graph.near')}</h3>
    ${near.error && html`<${Failure} error=${near.error} retry=${near.reload} />`}
    ${near.loading && !near.data && html`<${Waiting} count=${2} />`}
    <ul class="column">${near.data?.neighbours.map((/** @type {any} */ each) => html`<li key=${each.relation.id} class="column tight"><span class="quiet small"><span class="mono">${each.relation.type}</span>${each.relation.valid_from && html` · ${day(each.relation.valid_from)}`}</span>
      ${each.kind === 'memory' ? html`<a class="clamp" href=${memoryHref(each.id)} dir="auto">${each.label}</a>` : html`<a href=${href('graph', { ...params, focus: each.id })} onClick=${() => void expand(each.id)} dir="auto">${each.label}</a>`}</li>`)}</ul>
    ${near.data && !near.data.neighbours.length && html`<p class="quiet">${t('relations.none')}</p>`}</section>`;
}

/** @param {any} node */
async function merge(node) {
  const done = await openDialog({
    title: t('graph.merge.title', { name: node.label }),
    action: t('graph.merge'),
    body: () => html`<p>${t('graph.merge.what')}</p><label class="field"><span>${t('graph.merge.into')}</span><input class="input" name="into" required autofocus list="merge-names" placeholder="Ada Lovelace" /></label><${Names} id="merge-names" kind=${node.kind} />`,
    act: (form) => api.merge({ namespace: namespace(), into: `entity:${node.kind}/${String(form.get('into')).trim()}`, things: [node.id] }),
  });
  if (done) decided(done, t('graph.merge.done'));
}

/** @param {any} node @param {any} near */
async function split(node, near) {
  const memories = (near?.neighbours ?? []).filter((/** @type {any} */ each) => each.kind === 'memory');
  const done = await openDialog({
    title: t('graph.split.title', { name: node.label }),
    action: t('graph.split'),
    wide: true,
    body: () => html`<p>${t('graph.split.what')}</p><label class="field"><span>${t('graph.split.into')}</span><input class="input" name="into" required autofocus placeholder=${`${node.label} 2`} /></label>
      <fieldset class="field"><legend>${t('graph.split.memories')}</legend>${memories.map((/** @type {any} */ each) => html`<label class="check" key=${each.id}><input type="checkbox" name="ids" value=${each.id} /><span dir="auto">${each.label}</span></label>`)}</fieldset>`,
    act: (form) => api.split({ namespace: namespace(), thing: node.id, into: `entity:${node.kind}/${String(form.get('into')).trim()}`, ids: form.getAll('ids') }),
  });
  if (done) decided(done, t('graph.split.done'));
}

/** @param {{id: string, kind: string}} props */
function Names({ id, kind }) {
  const list = useLoad((signal) => api.entities({ namespace: namespace(), kinds: [kind], limit: 200 }, { signal }), [kind]);
  return html`<datalist id=${id}>${list.data?.entities.map((/** @type {any} */ each) => html`<option key=${each.entity.id} value=${each.entity.name} />`)}</datalist>`;
}

/** @param {any} decision @param {string} text */
function decided(decision, text) {
  noteWrite();
  say(text, { action: { label: t('undo'), act: () => void undo(decision.id) } });
}
/** @param {string} id */
async function undo(id) {
  if (await attempt(() => api.undo(id, { namespace: namespace() }))) (noteWrite(), say(t('undone')));
}

/** @param {{turn: number}} props */
function Decisions({ turn }) {
  const list = useLoad((signal) => api.decisions({ namespace: namespace(), limit: 20 }, { signal }), [turn, namespace()]);
  if (!list.data?.total) return null;
  return html`<details class="fold"><summary>${t('graph.decisions', { n: list.data.total })}</summary><ul class="column">${list.data.decisions.map((/** @type {any} */ each) => html`<li key=${each.id} class="row between"><span><b>${t(`graph.${each.kind}`)}</b> ${each.things.map((/** @type {any} */ thing) => thing.name).join(', ')} → ${each.into.name}<br /><span class="quiet">${moment(each.decided_at)}</span></span><button type="button" class="button small" onClick=${() => void undo(each.id)}>${t('undo')}</button></li>`)}</ul></details>`;
}
