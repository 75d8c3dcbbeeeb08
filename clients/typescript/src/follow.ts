// Following what happens in a service, as it happens.

import type { CallOptions } from "./client.js";
import type { Event, EventKind, MemoryClient } from "./operations.js";

/** Seconds that one request waits for an event. */
const WAIT = 20;

/**
 * What happens from now on, or behind a cursor: `for await (const event of follow(client)) …`.
 * Where it is cut off by an error, go on with the cursor of the last event; `options.signal` ends it.
 */
export async function* follow(
  client: MemoryClient,
  request: { namespace?: string; kinds?: EventKind[]; cursor?: string } = {},
  options: CallOptions = {},
): AsyncGenerator<Event> {
  let cursor = request.cursor;
  for (;;) {
    const page = await client.events({ ...request, ...(cursor === undefined ? {} : { cursor }), wait: WAIT }, options);
    yield* page.events;
    cursor = page.cursor;
  }
}
