// @ts-check
/** Follows the events of the service while the page is seen, so that what an agent writes is shown at once. */
import { ask } from './api.js';
import { noteWork, noteWrite } from './changed.js';
import { useEffect } from './html.js';

const AGAIN_MS = 2000;
const JOBS_MS = 4000;
/** Events that come together are shown together. */
const TOGETHER_MS = 250;

/** Has the views draw again when something happens in a namespace; `who` is the key, empty where none is needed. @param {string} space @param {string} who */
export function useFollowed(space, who) {
  useEffect(() => {
    const ended = new AbortController();
    /** @type {AbortController | null} */
    let stream = null;
    let cursor = '';
    let timer = 0;
    const look = () => {
      if (document.hidden) {
        stream?.abort(); // a hidden page would hold one of the few connections that a browser opens
        stream = null;
      } else if (!stream) void follow();
    };
    const follow = async () => {
      const mine = new AbortController();
      stream = mine;
      try {
        for await (const { id, event, data } of messages(who ? space : '', cursor, mine.signal)) {
          cursor = id;
          if (event === 'job' || (event && JSON.parse(data).namespace === space)) note(event);
        }
      } catch {
        // the state of the service says that it does not answer
      }
      if (stream !== mine) return;
      stream = null;
      timer = window.setTimeout(look, AGAIN_MS);
    };
    document.addEventListener('visibilitychange', look);
    look();
    // A key may open this namespace alone, and those events have no jobs of the whole store: what shows jobs asks for them then.
    const jobs = who ? setInterval(() => document.hidden || noteWork(), JOBS_MS) : 0;
    return () => {
      ended.abort();
      document.removeEventListener('visibilitychange', look);
      clearTimeout(timer);
      clearInterval(jobs);
      const last = stream;
      stream = ended;
      last?.abort();
    };
  }, [space, who]);
}

/** @type {Set<string>} */
const waiting = new Set();
/** @param {string} kind */
function note(kind) {
  if (!waiting.size) {
    setTimeout(() => {
      const kinds = [...waiting];
      waiting.clear();
      if (kinds.some((each) => each !== 'job')) noteWrite();
      if (kinds.includes('job')) noteWork();
    }, TOGETHER_MS);
  }
  waiting.add(kind);
}

/** The messages of the stream: the place to go on from, what kind of event it is, empty for none, and the event. @param {string} namespace @param {string} cursor @param {AbortSignal} signal */
async function* messages(namespace, cursor, signal) {
  const response = await ask('GET', '/v1/events', { query: { namespace, cursor }, accept: 'text/event-stream', signal });
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
  const decoder = new TextDecoder();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (rest + decoder.decode(value, { stream: true })).split('\n\n');
    rest = parts.pop() ?? '';
    for (const part of parts) {
      const fields = Object.fromEntries(part.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]));
      yield { id: fields.id ?? cursor, event: fields.event ?? '', data: fields.data ?? '' };
    }
  }
}
