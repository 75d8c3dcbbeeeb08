// The types and methods of the operations. Written by scripts/generate.py from the operations; do not edit.

import { Caller, type CallOptions, type Route } from "./client.js";

/** A memory that is about it. */
export interface AboutMemory {
  id: string;
  /** The beginning of its text; None once it is erased. */
  text: string | null;
  /** How the memory names it; empty for one that only goes on about it. */
  written: string;
  /** `name`, another `spelling`, a `part` of the name, `follows` from the memory before it by a pronoun, or `also` by request. */
  how: string;
  /** The field that names it. */
  where: string;
  /** Only an earlier revision names it. */
  earlier: boolean;
}

/** The generation being built becomes active. It must be complete, unless `incomplete` is given. */
export interface ActivateGenerationRequest {
  /** Switch even if vectors are missing; memories without one are found only lexically until they have it. */
  incomplete?: boolean;
}

/** Who wrote something, by the way it came in: never by what it says of itself. */
export type Actor = "agent" | "extraction" | "import" | "person" | "policy" | "unknown";

/** The whole answer to a question. `answer_hash` is equal for equal state and question, across restarts and processes. */
export interface Answer {
  question: string;
  hits: Hit[];
  /** True if there are no hits, or none that should be trusted; `reason` says why. */
  abstained: boolean;
  /** Why there are no hits, or why they should not be trusted. */
  reason: string | null;
  notices: Notice[];
  searched: Searched;
  /** Estimated number of tokens of the texts in this answer. */
  tokens: number;
  /** How the question was understood; only with `explain`. */
  asked: Asked | null;
  /** The answer as one text block for a prompt; only with `format` context. */
  context: string | null;
  recipe: string;
  answer_hash: string;
  /** Milliseconds that the search took. */
  took_ms: number;
}

/** How a question was understood, and where its candidates came from. */
export interface Asked {
  words: AskedWord[];
  /** Quoted phrases, which must occur exactly. */
  phrases: string[];
  /** When the event asked about happened; used as evidence, not as a filter. */
  times: AskedTime[];
  /** The filters of the request, by field name. */
  filters: Record<string, string>;
  /** Passages that were scored by all stages. */
  candidates: number;
  /** How many candidates each search found, by its name in `Trace.candidates`; several may find the same one. */
  origins: Record<string, number>;
  /** Why the answer can be trusted; None where it should not be (`Answer.reason` says why). */
  trusted: string | null;
}

/** A time that the question names, from `since` to `until` (exclusive); None where it is open on that side. Both have the offset of the zone whose days they are: that of the request's `now`, else of the setting `timezone`. */
export interface AskedTime {
  since: string | null;
  until: string | null;
}

/** A word of the question and its share of the question's idf mass, in [0, 1]: how rare it is among these memories. */
export interface AskedWord {
  text: string;
  share: number;
}

/** One copy of the whole store that this service made. */
export interface Backup {
  name: string;
  bytes: number;
  made_at: string;
  /** How its last check is or ended; None where it was never checked. */
  verified: JobStatus | null;
  /** What that check found. */
  problems: Problem[];
}

/** The backups that this service made, the newest first. */
export interface Backups {
  backups: Backup[];
  /** Where they are, on the machine of the service. */
  folder: string;
}

/** No arguments. */
export interface BackupsRequest {

}

/** One day, week, month or year: how many memories happened in it, and the newest of them. `start` is inclusive and has the zone of the request's `now`, else of the setting `timezone`. */
export interface Bucket {
  start: string;
  count: number;
  memories: MemoryRecord[];
}

/** The latest build of a generation: how far it is, or how it ended. */
export interface Build {
  generation: number;
  embedder: EmbedderIdentity;
  state: "cancelled" | "done" | "failed" | "ready" | "running" | "waiting";
  /** Whether the generation becomes the active one as soon as it is complete. */
  switch: boolean;
  /** The generation that was active when the build began; `take_back` switches back to it. */
  former: number | null;
  /** Revisions that have their vectors. */
  done: number;
  /** Revisions that need vectors. */
  total: number;
  /** At most this many revisions per second; None means no limit. */
  rate: number | null;
  /** Revisions per second, as measured in this run. */
  per_second: number | null;
  /** The estimated time until all revisions have their vectors, in seconds; None while it is not known. */
  seconds_left: number | null;
  /** Why the build failed. */
  error: string | null;
  started_at: string;
  updated_at: string;
}

/** No arguments. */
export interface CancelReembedRequest {

}

/** One change of one memory, or one decision about who is who. */
export interface Change {
  /** `began` and `ended` where it became or stopped being true; `decided` for a merge or a split, or its end. */
  kind: "began" | "decided" | "ended" | "expired" | "new" | "retired" | "revised" | "superseded";
  /** When the service learned it; on the axis `valid`, when it happened in the world. */
  at: string;
  /** Who wrote it; nobody where it happened by itself. */
  actor: Actor;
  /** The memory as the change left it; None for a decision. */
  memory: MemoryRecord | null;
  /** The memory before the change, with the reason that was given as its `retired_reason`; None where there was none. */
  before: MemoryRecord | null;
  /** The fields that the change gave another value. */
  differs: string[];
  /** The memory that replaced it. */
  superseded_by: string | null;
  /** The decision that was made, or with `retired_at` undone. */
  decision: Relation | null;
}

/** One value of a fact that changed. */
export interface ChangedValue {
  id: string;
  text: string;
  since: string;
  /** When the next value began; None for the one that holds. */
  until: string | null;
}

/** A page of changes, the earliest first. Of memories that are forgotten by now nothing is shown. */
export interface Changes {
  since: string;
  until: string;
  axis: string;
  /** How many of each kind this page has; with `forgotten`, of which nothing else is known, where no filter is given. */
  counts: Record<string, number>;
  changes: Change[];
  cursor: string | null;
}

/** The two instants, and the memories that are meant. A memory is meant if it matches after the change or before it. */
export interface ChangesRequest {
  /** Only memories of this namespace. */
  namespace?: string;
  /** Only memories of one of these users. */
  user?: string[];
  /** Only memories of one of these agents. */
  agent?: string[];
  /** Only memories of one of these sessions. */
  session?: string[];
  /** Only memories of one of these types. */
  types?: MemoryType[];
  /** Only memories in this context path, such as work/projects, or below it, in any letter case. */
  context?: string;
  /** Only memories with all of these tags, in any letter case. */
  tags?: string[];
  /** Only memories with at least one of these tags, in any letter case. */
  any_tags?: string[];
  /** Only memories with none of these tags, in any letter case. */
  without_tags?: string[];
  /** Only memories written or said by one of these people. */
  author?: string[];
  /** Only memories with one of these keys. */
  keys?: string[];
  /** Only memories with one of these ids. */
  ids?: string[];
  /** Only memories that are pinned, or only those that are not. */
  pinned?: boolean | null;
  /** From when on: an instant, or how long ago, such as 1 week, 36h or 30d. */
  since?: string;
  /** Until just before when, as an instant or how long ago. Default: now. */
  until?: string | null;
  /** known: what was stored, revised, superseded, ended, retired, expired, forgotten or decided in that time. valid: how what was true at `until` differs from what was true at `since`, as it is known now. */
  axis?: "known" | "valid";
  /** At most this many changes per page, the earliest first. */
  limit?: number;
  /** The cursor from the previous page; the other fields must be the same. */
  cursor?: string | null;
}

/** Whether to repair first. The answer is the job; `findings` has what came of it. */
export interface CheckRequest {
  /** Make all derived parts again first: pending lists, the index, the graph, the vectors. */
  repair?: boolean;
}

/** What to sum up: a session, a topic or a context. Nothing is written unless dry_run is false. */
export interface ConsolidateRequest {
  /** The memories of this session. */
  session?: string | null;
  /** The memories that answer this, a question or a few words. */
  topic?: string | null;
  /** The memories in this context path or below it. */
  context?: string | null;
  /** Only memories of this user. Default: those of each user apart. */
  user?: string | null;
  /** At most this many sentences in a digest. */
  sentences?: number;
  /** Only show what would be written and proposed. */
  dry_run?: boolean;
  /** The namespace to work in; nothing is read or written across namespaces. */
  namespace?: string;
}

/** What some memories come to: a digest for each user, what repeats what, and the facts that changed. */
export interface Consolidated {
  dry_run: boolean;
  /** How many were looked at. Those that expire are left out, and so are digests. */
  memories: number;
  digests: Digest[];
  repeated: Repeated[];
  /** For each fact its values, the oldest first. */
  changed: ChangedValue[][];
}

/** One path: how many memories are directly in it, and how many in it and below. */
export interface ContextCount {
  path: string;
  memories: number;
  total: number;
}

/** Every context path in use and its parents, sorted by path. */
export interface Contexts {
  contexts: ContextCount[];
}

/** The namespace, and the path below which to list. Parents of a path are listed with it. */
export interface ContextsRequest {
  /** The namespace to work in; nothing is read or written across namespaces. */
  namespace?: string;
  /** Only this path and the paths below it. Default: all paths. */
  under?: string;
}

/** The memories that say the same as a hit; they were folded into it and are no hits themselves. Most say it in the same words; those that surely say the same in other words are among them. */
export interface Copies {
  /** How many memories say it, the hit included. */
  count: number;
  /** When it was said first (`valid_from`, else `created_at`). */
  first: string;
  /** When it was said last. */
  last: string;
  /** The other memories, those that happened last first; at most 20. */
  ids: string[];
  /** Who said it, each once. */
  authors: string[];
  /** The agents that remembered it, each once. */
  agents: string[];
  /** In how many sessions it was said. */
  sessions: number;
}

/** The proposal, and what is decided. Accepting may correct its kind and when the memory ended. */
export interface DecideRequest {
  /** The proposal's id (pro_…). */
  id: string;
  /** accept carries it out; reject keeps it from coming back, also for the same texts stored again; later puts it off; undo takes the last decision back, and all is as it was before. */
  decision: "accept" | "later" | "reject" | "undo";
  /** The namespace to work in; nothing is read or written across namespaces. */
  namespace?: string;
  /** With accept: another kind than the one proposed. */
  kind?: ProposalKind | null;
  /** With accept: when the memory stopped being true. Default: when the other one began, or now. */
  valid_to?: string | null;
  /** With later: until when, in the future. */
  until?: string | null;
  /** Why, in your own words; erased when a memory that it is about is forgotten. */
  note?: string | null;
}

/** One merge or split. `things` are the entities merged into `into`, or those that `memories` name but mean `into`. */
export interface Decision {
  id: string;
  namespace: string;
  kind: "merge" | "split";
  into: Entity;
  things: Entity[];
  memories: string[];
  decided_at: string;
  undone_at: string | null;
}

/** The decisions to list, the newest first. */
export interface DecisionsRequest {
  /** The namespace to work in; nothing is read or written across namespaces. */
  namespace?: string;
  /** Only decisions about this entity: its id (ent_…), entity:NAME or entity:KIND/NAME. */
  about?: string | null;
  /** Also decisions that were undone. */
  undone?: boolean;
  /** At most this many decisions, the newest. */
  limit?: number;
}

/** The backup to delete. */
export interface DeleteBackupRequest {
  /** The name of a backup, as `backups` lists it. */
  backup: string;
}

/** The evidence behind a hit: all its revisions, oldest first, and its relations. */
export interface Detail {
  history: MemoryRecord[];
  relations: Relation[];
}

/** What some memories say, in sentences of their own, in order of time, each with the number of its source. */
export interface Digest {
  user: string | null;
  title: string;
  text: string;
  /** The ids of the memories that are cited, by number from 1. */
  sources: string[];
  /** What became of it; None in a dry run. */
  outcome: "duplicate_of" | "rejected" | "stored" | "superseded" | null;
  /** The insight that holds it. */
  memory_id: string | null;
  /** Of one that was refused: why. */
  reason: string | null;
}

/** A memory to store: its text and what is known about it. */
export interface Draft {
  /** The text to remember, up to 200,000 characters. Long texts are split into passages. */
  text: string;
  /** What kind of memory it is. */
  type: MemoryType;
  /** A heading; it is searched like the text. */
  title: string | null;
  /** Who wrote or said it. */
  author: string | null;
  /** A name of your own for the fact, such as `user.home.city`. A user has one value of a key at any moment: the same key again ends the value before it, in the order of valid_from. */
  key: string | null;
  /** The user that it belongs to. */
  user: string | null;
  /** The agent that it belongs to. */
  agent: string | null;
  /** The conversation that it is part of. Recall also considers the memories before and after it there. */
  session: string | null;
  /** A path of topics, such as work/projects/atlas. */
  context: string;
  /** Short labels to filter by. */
  tags: string[];
  /** How much it matters, from 0 to 1. */
  importance: number;
  /** How certain it is, from 0 to 1. */
  confidence: number;
  /** More about it, at most 64 KiB of JSON. The attributes that its type defines are checked for their type; any others are stored as given. */
  attributes: Record<string, unknown>;
  /** Where it came from, such as a URL, a file or a message id. */
  source: string | null;
  /** When it happened or became true. */
  valid_from: string | null;
  /** When it stopped being true. */
  valid_to: string | null;
  /** When it lapses: answers leave it out from then on, and nothing is erased by that. Default: what the setting expire_after says of its context or type (working memories: a day), else never. */
  expires_at: string | null;
  /** In place of expires_at, how long from now it is kept: a number of seconds, or 12h, 7d, 1 week; never for good. */
  ttl: string | null;
  /** Whether the settings that make memories lapse or erase them by themselves pass it over; an expires_at that is given counts all the same. */
  pinned: boolean;
  /** The memories that this one replaces: ids, `key:NAME`, or words that only the memory answers to. They stop being true when this one becomes true. */
  supersedes: string[];
}

/** All that decides a vector: two embedders with an equal identity give equal vectors (up to rounding). `revision` is a sha256 over the weights, tokenizer and configuration; `prompts` a sha256 over the prompt table. */
export interface EmbedderIdentity {
  model: string;
  revision: string;
  prompts: string;
  dtype: string;
  dimension: number;
}

/** Entities, those named by the most memories first; `total` counts all that match. */
export interface Entities {
  entities: NamedThing[];
  total: number;
  /** Changes in the store that have not been searched for names yet. */
  unread: number;
}

/** The entities to list, those named by the most memories first. */
export interface EntitiesRequest {
  /** The namespace to work in; nothing is read or written across namespaces. */
  namespace?: string;
  /** Only entities whose name or alias contains this; case is ignored. */
  search?: string;
  /** Only entities of these kinds, in any letter case: person, organisation, product, place, … */
  kinds?: string[];
  /** At most this many entities. */
  limit?: number;
}

/** Something with a name that memories mention, within one namespace. */
export interface Entity {
  id: string;
  namespace: string;
  name: string;
  kind: string;
  aliases: string[];
  created_at: string;
}

/** One change, without any text of a memory. A job that runs has one whenever it was seen to be further. */
export interface Event {
  /** To go on behind this event. */
  cursor: string;
  kind: EventKind;
  /** What was done, as `remembered`, `revised`, `retired`, `forgotten`, `restored`, `undone`, `related`, `unrelated`, `proposed`, `decided`, `judged` or `excluded`; of a job its state. */
  action: string;
  at: string;
  namespace: string | null;
  actor: Actor;
  /** Of the memory, relation, proposal, feedback or job; None for a tombstone. */
  id: string | null;
  /** The memory that a proposal or feedback is about, or the memory itself. */
  memory_id: string | null;
  /** Of a proposal that was decided: its new state. */
  state: string | null;
  job: JobView | null;
}

/** What an event is about. */
export type EventKind = "feedback" | "job" | "memory" | "proposal" | "relation" | "tombstone";

/** Events, the earliest first, and the cursor to go on from, also where there are none. */
export interface Events {
  events: Event[];
  cursor: string;
}

/** From where on to read, and what. Without a cursor: from now on, or with `last` from a little before. Where nothing has happened since, the answer comes after `wait` seconds, empty and with a cursor to go on from. */
export interface EventsRequest {
  /** Only what happens in this namespace. Default: in all, with the jobs of the whole store. */
  namespace?: string | null;
  /** Only events of these kinds: memory, relation, proposal, feedback, tombstone or job. */
  kinds?: EventKind[];
  /** The cursor of an event or of an answer: what happened behind it. `start` is the first change of the store. */
  cursor?: string | null;
  /** Without a cursor: begin with this many of the newest writes. */
  last?: number;
  /** Wait so many seconds where nothing has happened yet. */
  wait?: number;
  /** At most this many events, the earliest first. */
  limit?: number;
}

/** What to export: one namespace, or all of them. The export has one JSON object per line. */
export interface ExportRequest {
  /** Export only this namespace. Default: all namespaces. */
  namespace?: string | null;
  /** Export only current revisions, without history, relations, retired memories and tombstones. */
  current_only?: boolean;
  /** Also export what another store needs to refuse the texts that were forgotten here. No text can be read from it, but short ones can be guessed. */
  tombstones?: boolean;
}

/** A verdict on a memory, and the confidence that the memory had by it. */
export interface Feedback {
  id: string;
  namespace: string;
  memory_id: string;
  verdict: Verdict;
  note: string | null;
  at: string;
  actor: Actor;
  /** The memory's confidence as it was given, before any feedback, in [0, 1]. */
  given: number;
  /** Its confidence after this feedback, in [0, 1]. */
  confidence: number;
}

/** The memory, and what is said of it. Its confidence moves a little, within bounds; its text stays. */
export interface FeedbackRequest {
  /** The memory's id (mem_…), `key:NAME` for the value that this key has now, or words that only this memory answers to. */
  id: string;
  /** useful, irrelevant, outdated (also proposes that it ends), wrong (also proposes to retire it) or withdrawn (takes back all that was said before). */
  verdict: Verdict;
  /** Why, in your own words; erased when a memory that it is about is forgotten. */
  note?: string | null;
  /** The namespace to work in; nothing is read or written across namespaces. */
  namespace?: string;
}

/** The model to fetch: one of those that `models` lists. `reembed` switches to it. */
export interface FetchModelRequest {
  /** The name of a known model. */
  model: string;
}

/** What the last check found. The audit chain, every digest and every reference are part of a check. */
export interface Findings {
  /** Of the last check; None where there was none. */
  state: JobStatus | null;
  /** When it ended, or how far it is. */
  at: string | null;
  /** Empty where everything agrees, or before the first check has ended. */
  problems: Problem[];
}

/** No arguments. */
export interface FindingsRequest {

}

/** Whom or what to forget: every memory that names it, in any spelling, form or script. `dry_run` is on by default. */
export interface ForgetAboutRequest {
  /** The person, project or identifier, as fully as it is known: `Anna Schmidt`, `AB-1234`, `a@example.org`. */
  about: string;
  /** The namespace to work in; nothing is read or written across namespaces. */
  namespace?: string;
  /** Only this user's memories. */
  user?: string | null;
  /** Ids of memories to erase as well, such as some of those that are `left`. */
  also?: string[];
  /** Ids of memories to keep, although they are about it. */
  keep?: string[];
  /** Why it is erased. The log keeps the reason forever, so one that has the name, or repeats one of these memories, is refused. */
  reason?: string | null;
  /** Erase nothing; only show what would be erased and what would be left. */
  dry_run?: boolean;
  /** The largest share of the namespace that may be erased, from 0 to 1; 20 memories or fewer may always be. Default: the setting forget_share. */
  allow_share?: number | null;
}

/** The memories to erase, by filter. At least one filter must be given, or `everything`; `dry_run` is on by default. A memory is erased with its whole history where its latest revision matches, whether it is current, has ended, was superseded or was retired: `user` alone means all of a person. */
export interface ForgetManyRequest {
  /** Only memories of this namespace. */
  namespace?: string;
  /** Only memories of one of these users. */
  user?: string[];
  /** Only memories of one of these agents. */
  agent?: string[];
  /** Only memories of one of these sessions. */
  session?: string[];
  /** Only memories of one of these types. */
  types?: MemoryType[];
  /** Only memories in this context path, such as work/projects, or below it, in any letter case. */
  context?: string;
  /** Only memories with all of these tags, in any letter case. */
  tags?: string[];
  /** Only memories with at least one of these tags, in any letter case. */
  any_tags?: string[];
  /** Only memories with none of these tags, in any letter case. */
  without_tags?: string[];
  /** Only memories written or said by one of these people. */
  author?: string[];
  /** Only memories with one of these keys. */
  keys?: string[];
  /** Only memories with one of these ids. */
  ids?: string[];
  /** Only memories that are pinned, or only those that are not. */
  pinned?: boolean | null;
  /** Only what happened (valid_from, else created_at) at or after this instant. */
  occurred_after?: string | null;
  /** Only what happened (valid_from, else created_at) before this instant. */
  occurred_before?: string | null;
  /** Only what was recorded at or after this instant. */
  recorded_after?: string | null;
  /** Only what was recorded before this instant. */
  recorded_before?: string | null;
  /** Only memories of at least this importance, from 0 to 1. */
  min_importance?: number;
  /** Only memories of at least this confidence, from 0 to 1. */
  min_confidence?: number;
  /** Only memories for which this condition holds: on attributes by their paths, such as {"attributes.city": "Riga"} or {"attributes.price": {"$lt": 10}}, on the other filters by their names, joined by $and, $or and $not. */
  where?: Record<string, unknown> | null;
  /** Only what was true in the world at this instant: valid_from <= as_of < valid_to. */
  as_of?: string | null;
  /** Only what the service knew at this instant: recorded_at <= known_at < retired_at. Default: now. */
  known_at?: string | null;
  /** Only memories whose expires_at is before this instant, past ones too. */
  expires_before?: string | null;
  /** Also memories whose valid_to is before now. */
  include_ended?: boolean;
  /** Also memories whose expires_at has passed. */
  include_expired?: boolean;
  /** The instant to treat as now; its offset says whose days *yesterday* means. Default: the service's clock, in the zone of the setting `timezone`. */
  now?: string | null;
  /** Why they are erased. The log keeps the reason forever, so one that repeats the text or title of any of these memories, or a revealing part of it, is refused. */
  reason?: string | null;
  /** Also memories that were retired. */
  retired?: boolean;
  /** Erase nothing; only count what would be erased. */
  dry_run?: boolean;
  /** The largest share of the namespace that may be erased, from 0 to 1; 20 memories or fewer may always be. Default: the setting forget_share. */
  allow_share?: number | null;
  /** Allow any share, and allow no filter, which means the whole namespace. */
  everything?: boolean;
}

/** The memory, or all values of a key, to erase from texts, revisions, vectors, indexes, relations and caches. Storing the same text again, in whatever dress, is refused without `reinstate`. */
export interface ForgetRequest {
  /** The memory's id (mem_…), or `key:NAME` for the value that this key has now. */
  id: string;
  /** The namespace to work in; nothing is read or written across namespaces. */
  namespace?: string;
  /** Why it is erased. The log keeps the reason forever, so one that repeats the memory's text or title, or a revealing part of it, is refused. */
  reason?: string | null;
  /** Proceed only if this is the memory's current revision; otherwise fail with the error stale_revision, which names the current one. */
  if_revision?: number | null;
  /** A string of 1 to 256 characters. A request repeated with the same key within 24 hours writes nothing and returns the first answer, unless its memory was forgotten since. */
  idempotency_key?: string | null;
}

/** How many memories were erased, or with `dry_run` would be, and the ids of the first 1,000. */
export interface Forgotten {
  forgotten: number;
  dry_run: boolean;
  ids: string[];
  /** How many of them were `current`, had `ended` (superseded ones among them), had `expired` or were `retired`; never 0. */
  states: Record<string, number>;
  /** What keeps their bytes in the service's files for now; they are wiped as soon as it ends. None where they are gone. */
  wipe_pending: WipePending | null;
}

/** What was erased, or with `dry_run` would be, and what is left; the first 1,000 memories of each. */
export interface ForgottenAbout {
  about: string;
  forgotten: number;
  dry_run: boolean;
  /** All spellings that were found. */
  names: string[];
  erased: AboutMemory[];
  left: LeftMemory[];
  /** How many of the erased ones were `current`, had `ended` or were `retired`; never 0. */
  states: Record<string, number>;
  /** What keeps their bytes in the service's files for now; they are wiped as soon as it ends. None where they are gone. */
  wipe_pending: WipePending | null;
}

/** Nodes from the source to the target, and the relation between each two of them, whichever way it points. */
export interface FoundPath {
  nodes: GraphNode[];
  relations: Relation[];
}

/** All vectors made by one embedder identity. A store has at most one active generation. */
export interface Generation {
  id: number;
  embedder: EmbedderIdentity;
  state: "active" | "building" | "retired";
  created_at: string;
}

/** All vector generations, oldest first, and the latest build. */
export interface Generations {
  generations: VectorGeneration[];
  build: Build | null;
}

/** No arguments. */
export interface GenerationsRequest {

}

/** The memory to return: its current revision, or with `known_at` the one known then. */
export interface GetRequest {
  /** The memory's id (mem_…), or `key:NAME` for the value that this key has now. */
  id: string;
  /** The namespace to work in; nothing is read or written across namespaces. */
  namespace?: string;
  /** Return it only if it was true in the world at this instant. */
  as_of?: string | null;
  /** Return it as the service knew it at this instant. Default: now. */
  known_at?: string | null;
}

/** Nodes and the relations among them, as node-link data that networkx reads (`node_link_graph`). */
export interface Graph {
  nodes: GraphNode[];
  edges: Relation[];
  directed: boolean;
  multigraph: boolean;
  /** Whether `limit` left nodes out. */
  truncated: boolean;
  /** Changes in the store that have not been read into the graph yet. */
  unread: number;
}

/** A memory or an entity: its id, its kind (`memory` for a memory), and its title or name. */
export interface GraphNode {
  id: string;
  kind: string;
  label: string;
}

/** The part of the graph to return. */
export interface GraphRequest {
  /** The namespace to work in; nothing is read or written across namespaces. */
  namespace?: string;
  /** Only relations of these types. */
  types?: string[];
  /** Only relations that were true at this instant. */
  as_of?: string | null;
  /** Only relations that were known at this instant. Default: now. */
  known_at?: string | null;
  /** The node at the centre: a memory's id (mem_…), an entity's id (ent_…), entity:NAME or entity:KIND/NAME. Default: the whole namespace. */
  id?: string | null;
  /** How many relations to follow from the centre. */
  depth?: number;
  /** Only nodes of these kinds, in any letter case: memory, person, organisation, product, place, … */
  kinds?: string[];
  /** At most this many nodes. */
  limit?: number;
}

/** `ready` is true when writes and lexical recall work; `degraded` names the parts that work only in part. */
export interface Health {
  live: boolean;
  ready: boolean;
  degraded: string[];
  parts: Part[];
  version: string;
}

/** No arguments. */
export interface HealthRequest {

}

/** All revisions of one memory, oldest first, and the reasons given for the changes; what was said of it, in that order. */
export interface History {
  id: string;
  revisions: MemoryRecord[];
  feedback: Feedback[];
}

/** The memory whose revisions to list, oldest first. */
export interface HistoryRequest {
  /** The memory's id (mem_…), or `key:NAME` for the value that this key has now. */
  id: string;
  /** The namespace to work in; nothing is read or written across namespaces. */
  namespace?: string;
}

/** One memory that answers the question, with its place among all hits. */
export interface Hit {
  /** 1 for the best hit. */
  rank: number;
  memory: MemoryRecord;
  /** The sum of the evidence in log odds (nats); comparable only within one answer. */
  score: number;
  /** The estimated probability that this hit is relevant, in [0, 1]; comparable between answers. */
  confidence: number;
  /** Whether it is true now, may have been replaced by a newer rival, has stopped being true, has lapsed, or is not true yet. */
  validity: "current" | "ended" | "expired" | "future" | "uncertain";
  /** When it happened or began to be true: `valid_from`, else `created_at`; of copies, the first one's. */
  since: string;
  /** When it stopped being true; None while it is not known to have ended. */
  until: string | null;
  /** The memory that replaced it; None where none did. */
  superseded_by: string | null;
  /** Other memories that may give the same attribute another value, the newest first. */
  rivals: Rival[];
  passage: PassageText;
  /** The words of the question that this memory contains. */
  matched: string[];
  /** The main reasons for its rank in plain English, strongest first. */
  reasons: string[];
  /** The memories that say the same and were folded into this hit; None where no other does. */
  copies: Copies | null;
  /** What feedback has made of the memory's confidence; None where it is as it was given. */
  moved: Moved | null;
  surroundings: Surrounding[];
  detail: Detail | null;
  trace: Trace | null;
}

/** What became of the lines. `counts` counts all of them by outcome; `rejected` and `warnings` have the first 1,000 each. */
export interface ImportReport {
  lines: number;
  counts: Record<string, number>;
  rejected: RejectedLine[];
  /** Lines that an earlier, interrupted run had already imported. */
  skipped: number;
  state: "done" | "interrupted";
  warnings: LineWarning[];
}

/** How to import JSON lines: an archive made by export, or one draft per line with the fields of remember. A draft's list may be a string as in "a, b", and null is read as not given. What is not understood becomes an attribute, and a text over the limit several memories; `warnings` of the report has both. A line with `"record": "draft"` may name itself in `ref`; later lines with `"record": "link"` and the fields of relate may mean it by `ref:NAME`. */
export interface ImportRequest {
  /** Import everything into this namespace. Default: the namespace that each line names, else default. */
  namespace?: string | null;
  /** A name for this import, up to 256 characters; a later call with the same name resumes where it ended. */
  resume_key?: string | null;
  /** Import memories even if the same texts were forgotten before. */
  reinstate?: boolean;
  /** Refuse from now on what was forgotten in the store that the archive is of. */
  tombstones?: boolean;
}

/** How a piece of background work is. */
export type JobStatus = "cancelled" | "done" | "failed" | "held" | "paused" | "running" | "waiting";

/** One job. `due` and `done` count decisions of its last run, `total` those since it was made. */
export interface JobView {
  id: string;
  kind: string;
  state: JobStatus;
  namespace: string | null;
  /** The backup that is checked, or the model that is fetched. */
  about: string | null;
  /** How much there was to do, or waits; None for a kind that does not say so. */
  due: number | null;
  done: number | null;
  total: number | null;
  /** Why it waits, or what makes it fail. */
  message: string | null;
  /** Of one that waits for a person: the ways out. */
  mend: string | null;
  /** Who paused, resumed, cancelled or allowed it last. */
  steered_by: Actor | null;
  /** When its last run began. */
  ran_at: string | null;
  created_at: string;
  updated_at: string;
}

/** The newest jobs first; `total` counts all that match. */
export interface Jobs {
  jobs: JobView[];
  total: number;
  /** Whether all that decide by themselves are paused, or switched off by the setting `background` of this service. */
  paused: boolean;
  /** Who paused them. */
  paused_by: Actor | null;
}

/** Which jobs to list, the newest first. */
export interface JobsRequest {
  /** Only jobs of this namespace. Default: those of the whole store. */
  namespace?: string | null;
  /** Only jobs of one of these kinds: erase_expired, lapse_proposals, reembed, import, check, backup, verify_backup or fetch_model. */
  kinds?: string[];
  /** Only jobs in one of these states. */
  states?: JobStatus[];
  /** Only the jobs with these ids. */
  ids?: string[];
  /** At most this many jobs, the newest. */
  limit?: number;
}

/** The feedback as it was kept, and what it made the service propose. */
export interface Judged {
  feedback: Feedback;
  proposal: Proposal | null;
}

/** How much to return with a match: the match itself, what surrounds it, or its history and relations. */
export type Layer = "contextual" | "detailed" | "semantic";

/** A memory that is left, although it looks like one of them or has something in common with one. */
export interface LeftMemory {
  id: string;
  /** The beginning of its text. */
  text: string;
  /** What it has: a longer name, another name, a part of the name, or what an erased memory mentions too. */
  written: string;
  /** `longer_name` and `other_name` mean something else, `unclear` may mean either, `shares` an attribute, `kept` by request. */
  why: string;
}

/** One imported line that was read otherwise than it was meant: its number (from 1), and how. */
export interface LineWarning {
  line: number;
  message: string;
}

/** The filters and the page. Memories are listed in order of when they happened. */
export interface ListRequest {
  /** Only memories of this namespace. */
  namespace?: string;
  /** Only memories of one of these users. */
  user?: string[];
  /** Only memories of one of these agents. */
  agent?: string[];
  /** Only memories of one of these sessions. */
  session?: string[];
  /** Only memories of one of these types. */
  types?: MemoryType[];
  /** Only memories in this context path, such as work/projects, or below it, in any letter case. */
  context?: string;
  /** Only memories with all of these tags, in any letter case. */
  tags?: string[];
  /** Only memories with at least one of these tags, in any letter case. */
  any_tags?: string[];
  /** Only memories with none of these tags, in any letter case. */
  without_tags?: string[];
  /** Only memories written or said by one of these people. */
  author?: string[];
  /** Only memories with one of these keys. */
  keys?: string[];
  /** Only memories with one of these ids. */
  ids?: string[];
  /** Only memories that are pinned, or only those that are not. */
  pinned?: boolean | null;
  /** Only what happened (valid_from, else created_at) at or after this instant. */
  occurred_after?: string | null;
  /** Only what happened (valid_from, else created_at) before this instant. */
  occurred_before?: string | null;
  /** Only what was recorded at or after this instant. */
  recorded_after?: string | null;
  /** Only what was recorded before this instant. */
  recorded_before?: string | null;
  /** Only memories of at least this importance, from 0 to 1. */
  min_importance?: number;
  /** Only memories of at least this confidence, from 0 to 1. */
  min_confidence?: number;
  /** Only memories for which this condition holds: on attributes by their paths, such as {"attributes.city": "Riga"} or {"attributes.price": {"$lt": 10}}, on the other filters by their names, joined by $and, $or and $not. */
  where?: Record<string, unknown> | null;
  /** Only what was true in the world at this instant: valid_from <= as_of < valid_to. */
  as_of?: string | null;
  /** Only what the service knew at this instant: recorded_at <= known_at < retired_at. Default: now. */
  known_at?: string | null;
  /** Only memories whose expires_at is before this instant, past ones too. */
  expires_before?: string | null;
  /** Also memories whose valid_to is before now. */
  include_ended?: boolean;
  /** Also memories that have expired, marked as expired. Without it, what had not expired yet at as_of or known_at is shown. */
  include_expired?: boolean;
  /** The instant to treat as now; its offset says whose days *yesterday* means. Default: the service's clock, in the zone of the setting `timezone`. */
  now?: string | null;
  /** At most this many memories per page. */
  limit?: number;
  /** The cursor from the previous page; the filters must be the same. */
  cursor?: string | null;
  /** Which memories come first. */
  order?: "newest" | "oldest";
  /** Also memories that were retired, as they were when they were. The filters look at the latest revision. */
  retired?: boolean;
  /** Only memories that lapse within this time from now, such as 7d; those that have already only with include_expired. */
  expiring?: string | null;
  /** Only memories that nothing has confirmed for this long, such as 90d: neither stored or revised since, nor said again elsewhere, not pinned and not ended. When an answer last had them is not recorded. */
  stale?: string | null;
}

/** The newest decisions first; `total` counts all that match. */
export interface MadeDecisions {
  decisions: Decision[];
  total: number;
}

/** No arguments: the service names the backup, and keeps it in its own folder. */
export interface MakeBackupRequest {

}

/** One memory as it was at one revision: its content, with its identity and times. `recorded_at` to `retired_at` is when the service held this revision to be true; `valid_from` to `valid_to` is when what it says was true in the world. `created_at` is the first revision's `recorded_at`. */
export interface MemoryRecord {
  id: string;
  namespace: string;
  user: string | null;
  agent: string | null;
  session: string | null;
  /** What kind of memory this is. */
  type: MemoryType;
  /** A name of the caller's own for the fact, such as `user.home.city`. At any moment a user has one value for a key. */
  key: string | null;
  /** A path such as `work/projects/atlas`; empty for none. */
  context: string;
  /** A heading; it is searched too. */
  title: string | null;
  /** Who wrote or said it. */
  author: string | null;
  /** What is remembered. */
  text: string;
  /** Short labels to filter by, each once. */
  tags: string[];
  /** How much it matters, in [0, 1]. */
  importance: number;
  /** How sure it is, in [0, 1]. */
  confidence: number;
  /** Typed attributes of the memory's type, and any others. */
  attributes: Record<string, unknown>;
  /** Where it came from: an address, a file, the id of a message. */
  source: string | null;
  /** When it happened or began to be true. */
  valid_from: string | null;
  /** When it stopped being true. */
  valid_to: string | null;
  /** When it lapses: from then on answers leave it out. Nothing is erased by that alone. */
  expires_at: string | null;
  /** Whether the rules that make memories lapse or erase them by themselves pass it over. */
  pinned: boolean;
  created_at: string;
  recorded_at: string;
  retired_at: string | null;
  retired_reason: string | null;
  revision: number;
  content_hash: string;
  /** Who wrote this revision, as the log has it. `author` is what they say; this is how it came in. */
  actor: Actor;
}

/** What kind of memory it is: four cognitive types, then six of everyday agent work. */
export type MemoryType = "code" | "conversation" | "documentation" | "episodic" | "insight" | "preference" | "problem_solution" | "procedural" | "semantic" | "working";

/** The entities to merge. All of them, whatever their kinds, become `into` and take its kind. */
export interface MergeRequest {
  /** The entity that they all become: its id (ent_…), entity:NAME or entity:KIND/NAME. It is created if it is new. */
  into: string;
  /** The entities that are the same, each by its id (ent_…), entity:NAME or entity:KIND/NAME. */
  things: string[];
  /** The namespace to work in; nothing is read or written across namespaces. */
  namespace?: string;
}

/** One message, as programs that talk to language models have it; fields that are not named here are ignored. */
export interface Message {
  /** Who speaks: user or assistant (or human, ai, model). What system, developer, tool and function say is left out. */
  role: string;
  /** The text, or a list of parts, of which those of type text, input_text and output_text are kept. */
  content: string | (string | Record<string, unknown>)[] | null;
  /** The speaker's name. Default: the role. */
  name: string | null;
  /** When it was said: a date and time, or seconds since 1970. */
  time: string | null;
}

/** One embedding model that this version knows. */
export interface Model {
  name: string;
  present: boolean;
  /** What is wrong with its files. */
  problem: string | null;
  /** Whether the vectors that answer now are its. */
  active: boolean;
  runnable: boolean;
  dimensions: number[];
  max_tokens: number;
  licence: string;
  /** The address of terms that using it accepts. */
  terms: string;
  /** How its download is, or ended. */
  job: JobView | null;
}

/** The models that this version knows, the best for most uses first. */
export interface Models {
  models: Model[];
}

/** No arguments. */
export interface ModelsRequest {

}

/** What feedback has made of a memory's confidence; `memory.confidence` is what it is now. */
export interface Moved {
  /** The confidence as it was given, in [0, 1]. */
  given: number;
  /** How often each verdict was given since it was last withdrawn. */
  verdicts: Record<string, number>;
  /** When the last one was given. */
  last: string;
}

/** An entity, and in how many current memories its name was found. */
export interface NamedThing {
  entity: Entity;
  memories: number;
}

/** One namespace and its number of memories, without the retired ones. */
export interface NamespaceCount {
  namespace: string;
  memories: number;
}

/** The namespaces that the caller may see, sorted. */
export interface Namespaces {
  namespaces: NamespaceCount[];
}

/** No arguments. */
export interface NamespacesRequest {

}

/** One step of a walk: the node reached, the relation it was reached by, and how many steps from the start. */
export interface Neighbour {
  id: string;
  kind: "entity" | "memory";
  /** A memory's title or the beginning of its text; an entity's name. */
  label: string;
  relation: Relation;
  depth: number;
}

/** The nodes reached, nearest first, each once. */
export interface Neighbours {
  id: string;
  neighbours: Neighbour[];
}

/** Where to start and how far to go. The nearest nodes come first. */
export interface NeighboursRequest {
  /** The namespace to work in; nothing is read or written across namespaces. */
  namespace?: string;
  /** Only relations of these types. */
  types?: string[];
  /** Only relations that were true at this instant. */
  as_of?: string | null;
  /** Only relations that were known at this instant. Default: now. */
  known_at?: string | null;
  /** Where to start: a memory's id (mem_…), an entity's id (ent_…), entity:NAME or entity:KIND/NAME. */
  id: string;
  /** How many relations to follow, one after another. */
  depth?: number;
  /** Only nodes of these kinds, in any letter case: memory, person, organisation, product, place, … */
  kinds?: string[];
  /** At most this many neighbours. */
  limit?: number;
}

/** Something the reader must know about this answer: a degraded part or what was left out, and how to fix it. Codes: `words_only`, `vectors_pending`, `ended_left_out`, `budget_cut`, `phrase_limit`, `phrase_nowhere`, `no_filter_match`, `below_least`, `recipe_left_out`, `graph_unread`, `graph_failed`. */
export interface Notice {
  code: string;
  message: string;
  mend: string | null;
}

/** What happens where a new memory seems to give another value of what is stored. */
export type OnConflict = "keep" | "propose" | "supersede";

/** What became of one write. */
export type Outcome = "duplicate_of" | "rejected" | "stored" | "superseded";

/** One page of a listing; `cursor` is None on the last one. A cursor stays right while others write. */
export interface Page {
  memories: MemoryRecord[];
  cursor: string | null;
}

/** One part of the service: `ok`, `loading`, `degraded` (it works in part) or `failed`, and how to fix it. */
export interface Part {
  name: string;
  state: "degraded" | "failed" | "loading" | "ok";
  message: string;
  mend: string | null;
}

/** The passage that matched best; `start` and `end` (exclusive) are character offsets into `memory.text`. */
export interface PassageText {
  text: string;
  start: number;
  end: number;
}

/** The two nodes to connect. Only the shortest paths are returned. */
export interface PathRequest {
  /** The namespace to work in; nothing is read or written across namespaces. */
  namespace?: string;
  /** Only relations of these types. */
  types?: string[];
  /** Only relations that were true at this instant. */
  as_of?: string | null;
  /** Only relations that were known at this instant. Default: now. */
  known_at?: string | null;
  /** Where the path starts: a memory's id (mem_…), an entity's id (ent_…), entity:NAME or entity:KIND/NAME. */
  source: string;
  /** Where the path ends: a memory's id (mem_…), an entity's id (ent_…), entity:NAME or entity:KIND/NAME. */
  target: string;
  /** At most this many relations on a path. */
  max_length?: number;
  /** At most this many paths. */
  limit?: number;
}

/** The shortest paths, all of the same length; empty where there is none of at most `max_length` relations. */
export interface Paths {
  paths: FoundPath[];
  /** Changes in the store that have not been read into the graph yet. */
  unread: number;
}

/** One finding of `doctor`: what does not agree, how much of it, and the command that fixes it. */
export interface Problem {
  check: string;
  message: string;
  count: number;
  mend: string | null;
}

/** What the service would change about a memory and does not by itself. Holds no text of a memory; `note` is the decider's. */
export interface Proposal {
  id: string;
  namespace: string;
  kind: ProposalKind;
  /** The memory that accepting changes. */
  memory_id: string;
  /** The memory that speaks against it, or says the same; None where there is none. */
  other_id: string | null;
  /** How sure it is that the kind is right, in [0, 1]. */
  confidence: number;
  /** Why, in words that repeat neither text. */
  reason: string;
  state: ProposalState;
  made_at: string;
  made_by: Actor;
  /** Of one put off: until when. */
  until: string | null;
  decided_at: string | null;
  /** Who decided last, by the way the decision came in. */
  decided_by: Actor | null;
  /** Why it was decided so. */
  note: string | null;
  /** Of an accepted one: the revision of the memory that accepting made, or retired; None where nothing had to change. */
  revision: number | null;
  /** Of an accepted one: the relation that accepting added. */
  relation_id: string | null;
}

/** What a proposal says of a memory, and so what accepting it does. */
export type ProposalKind = "contradiction" | "copy" | "expiry" | "retirement" | "update";

/** What was decided about a proposal. */
export type ProposalState = "accepted" | "lapsed" | "later" | "open" | "rejected" | "undone";

/** The newest proposals first; `total` counts all that match. */
export interface Proposals {
  proposals: Proposed[];
  total: number;
}

/** Which proposals to list, the newest first. Without `states` those that wait for a decision now. */
export interface ProposalsRequest {
  /** The namespace to work in; nothing is read or written across namespaces. */
  namespace?: string;
  /** Only proposals in one of these states. Default: open ones, and those put off until now. */
  states?: ProposalState[];
  /** Only proposals of one of these kinds. */
  kinds?: ProposalKind[];
  /** Only proposals about this memory: its id, or key:NAME. */
  about?: string | null;
  /** Only the proposals with these ids. */
  ids?: string[];
  /** At most this many proposals, the newest. */
  limit?: number;
}

/** The memory that should change, and why; a person decides. */
export interface ProposeRequest {
  /** The memory's id (mem_…), `key:NAME` for the value that this key has now, or words that only this memory answers to. */
  id: string;
  /** update or contradiction (the other memory supersedes it), copy (the other says the same: it is retired), retirement (it is wrong: it is retired) or expiry (it is outdated: it ends). */
  kind: ProposalKind;
  /** The memory that speaks against it, or says the same: its id, key:NAME, or words that only it answers to. */
  other?: string | null;
  /** Why, in words that do not repeat either text. */
  reason?: string | null;
  /** How sure it is, from 0 to 1. */
  confidence?: number;
  /** The namespace to work in; nothing is read or written across namespaces. */
  namespace?: string;
}

/** A proposal with the memories that it is about, and what accepting it does. */
export interface Proposed {
  proposal: Proposal;
  memory: MemoryRecord;
  other: MemoryRecord | null;
  /** What accepting does, or did, as a sentence. */
  accepting: string;
}

/** The retired generations to delete; the active one and one being built are never deleted. */
export interface PruneGenerationsRequest {
  /** Delete only this generation. Default: all retired ones. */
  generation?: number | null;
}

/** A question, and the filters for the memories that may answer it. Filters apply before ranking. */
export interface RecallRequest {
  /** Only memories of this namespace. */
  namespace?: string;
  /** Only memories of one of these users. */
  user?: string[];
  /** Only memories of one of these agents. */
  agent?: string[];
  /** Only memories of one of these sessions. */
  session?: string[];
  /** Only memories of one of these types. */
  types?: MemoryType[];
  /** Only memories in this context path, such as work/projects, or below it, in any letter case. */
  context?: string;
  /** Only memories with all of these tags, in any letter case. */
  tags?: string[];
  /** Only memories with at least one of these tags, in any letter case. */
  any_tags?: string[];
  /** Only memories with none of these tags, in any letter case. */
  without_tags?: string[];
  /** Only memories written or said by one of these people. */
  author?: string[];
  /** Only memories with one of these keys. */
  keys?: string[];
  /** Only memories with one of these ids. */
  ids?: string[];
  /** Only memories that are pinned, or only those that are not. */
  pinned?: boolean | null;
  /** Only what happened (valid_from, else created_at) at or after this instant. */
  occurred_after?: string | null;
  /** Only what happened (valid_from, else created_at) before this instant. */
  occurred_before?: string | null;
  /** Only what was recorded at or after this instant. */
  recorded_after?: string | null;
  /** Only what was recorded before this instant. */
  recorded_before?: string | null;
  /** Only memories of at least this importance, from 0 to 1. */
  min_importance?: number;
  /** Only memories of at least this confidence, from 0 to 1. */
  min_confidence?: number;
  /** Only memories for which this condition holds: on attributes by their paths, such as {"attributes.city": "Riga"} or {"attributes.price": {"$lt": 10}}, on the other filters by their names, joined by $and, $or and $not. */
  where?: Record<string, unknown> | null;
  /** Only what was true in the world at this instant: valid_from <= as_of < valid_to. */
  as_of?: string | null;
  /** Only what the service knew at this instant: recorded_at <= known_at < retired_at. Default: now. */
  known_at?: string | null;
  /** Only memories whose expires_at is before this instant, past ones too. */
  expires_before?: string | null;
  /** Also memories whose valid_to is before now, marked as ended. as_of implies it. */
  include_ended?: boolean;
  /** Also memories that have expired, marked as expired. Without it, what had not expired yet at as_of or known_at is shown. */
  include_expired?: boolean;
  /** The instant to treat as now; its offset says whose days *yesterday* means. Default: the service's clock, in the zone of the setting `timezone`. */
  now?: string | null;
  /** The question, in any language. A "quoted phrase" must occur exactly, unless the question ends in "?". */
  query: string;
  /** At most this many memories; only the layer contextual, where it is asked for, adds what surrounds them. */
  limit?: number;
  /** Only hits of at least this score, in nats; scores compare within one answer only. Default: no limit. */
  min_score?: number | null;
  /** Only hits whose own confidence, the estimated probability that they are relevant, is at least this, from 0 to 1. min_confidence is about the memory's confidence. */
  min_relevance?: number;
  /** At most this many tokens, as estimated, of memory text in the answer; the weakest hits are left out first. Default: no limit. */
  max_tokens?: number | null;
  /** What to return: semantic (the matches), contextual (also up to seven memories around each: before and after it in its session, and related ones), detailed (also their history and relations). */
  layers?: Layer[];
  /** Return how the question was understood, and the scores of each hit in every stage. */
  explain?: boolean;
  /** How to search and rank: balanced (lexically, semantically and by the memories around a match), fast (without the memories around it), thorough (more candidates, the best compared token by token), linked (balanced, and what the graph reaches from the question and the best hits), words (lexically only) or meaning (semantically only). */
  recipe?: "balanced" | "fast" | "linked" | "meaning" | "thorough" | "words";
  /** hits, or context: the hits and one text block for a prompt, dated, with ids as citations, fenced and within max_tokens. */
  format?: "context" | "hits";
}

/** What became of one write, and why. `stored`: a new memory or revision is on disk. `duplicate_of`: the same scope has the same text already and `memory_id` names it. `superseded`: stored, and the memories in `supersedes` have ended. `rejected`: nothing was written. */
export interface Receipt {
  outcome: Outcome;
  memory_id: string | null;
  revision: number | null;
  /** As whose the memory's current revision is recorded; None where there is none. */
  actor: Actor | null;
  /** The memories that this write ended. */
  supersedes: string[];
  /** Of a rejected write: the stable code of the refusal, such as `forgotten`, `not_found`, `conflict`, `invalid_input`. */
  code: string | null;
  /** A sentence for people. */
  reason: string | null;
  searchable: Searchable;
  /** When the memory lapses, by the request or by the setting `expire_after`; None for never. */
  expires_at: string | null;
  /** For a duplicate: the fields whose given value differs from the stored one; nothing was changed (use revise). */
  differs: string[];
  /** A warning: ids of forgotten memories whose text is in what was stored, also as its title, source or an attribute. */
  contains_forgotten: string[];
  /** Of a stored text that the same scope had before and retired: the newest of those memories. It stays retired, with its history; the text is current again, as `memory_id`. */
  was_retired: Retirement | null;
  /** The stored memories that it copies, restates, updates, contradicts or extends, the surest first; only of those that words find. Empty for a memory of a large batch or of an import. */
  similar: Similar[];
}

/** One receipt per memory, in the order given, and how many had each outcome. */
export interface Receipts {
  receipts: Receipt[];
  counts: Record<string, number>;
}

/** The embedder that re-creates all vectors. Without arguments: continue the build in progress, else use the settings. */
export interface ReembedRequest {
  /** The name of a known model, or a model folder. Default: the setting model; where that is auto and a dimension or dtype is given, the model of the store. */
  model?: string | null;
  /** The length of the vectors, one that the model supports. Default: the model's full length. */
  dimension?: number | null;
  /** The number format of the embedder's arithmetic, as in the setting dtype. */
  dtype?: string | null;
  /** At most this many revisions per second, to leave time for other work. Default: no limit. */
  rate?: number | null;
  /** Switch to the new vectors as soon as they are complete; otherwise wait for activate_generation. */
  switch?: boolean;
}

/** One line that was not imported: its number (from 1), the error's code, and why. */
export interface RejectedLine {
  line: number;
  code: string;
  reason: string;
}

/** A typed, dated edge. If an equal relation is current, that one is returned. */
export interface RelateRequest {
  /** Where the relation starts: a memory's id (mem_…), an entity's id (ent_…), entity:NAME or entity:KIND/NAME. An entity of a new name is created. */
  source: string;
  /** Where the relation ends: a memory's id (mem_…), an entity's id (ent_…), entity:NAME or entity:KIND/NAME. An entity of a new name is created. */
  target: string;
  /** MENTIONS, SUPERSEDES, SUPPORTS, CONTRADICTS, CAUSES, REFERS_TO, or another name, which is kept in this form: `works at` is WORKS_AT. */
  type?: string;
  /** The namespace to work in; nothing is read or written across namespaces. */
  namespace?: string;
  /** How strong the relation is, from 0 to 1. */
  weight?: number;
  /** More about the relation, as JSON. */
  attributes?: Record<string, unknown>;
  /** The id of the memory that states the relation. */
  evidence?: string | null;
  /** When the relation began to hold. */
  valid_from?: string | null;
  /** When the relation stopped holding. */
  valid_to?: string | null;
  /** A string of 1 to 256 characters. A request repeated with the same key within 24 hours writes nothing and returns the first answer, unless its memory was forgotten since. */
  idempotency_key?: string | null;
}

/** A typed, dated, sourced edge. `source` and `target` are ids of memories (`mem_…`) or entities (`ent_…`). */
export interface Relation {
  id: string;
  namespace: string;
  source: string;
  target: string;
  type: string;
  weight: number;
  attributes: Record<string, unknown>;
  /** The id of the memory that states this relation, if one does. */
  evidence: string | null;
  valid_from: string | null;
  valid_to: string | null;
  recorded_at: string;
  retired_at: string | null;
  /** Who related them, as the log has it; `extraction` where this service read it in a memory. */
  actor: Actor;
}

/** Up to 2,000 memories. Each gets its own receipt, and one that is rejected does not stop the others. */
export interface RememberManyRequest {
  /** The memories to store, in order. */
  memories: Draft[];
  /** The namespace to work in; nothing is read or written across namespaces. */
  namespace?: string;
  /** Store memories even if the same texts were forgotten before. */
  reinstate?: boolean;
  /** On a conflict: keep both, propose to supersede, or supersede. Default: the setting on_conflict. */
  on_conflict?: OnConflict | null;
  /** Wait, at most 30 seconds, until all can be found semantically too; the receipts say which can. */
  wait?: boolean;
  /** A string of 1 to 256 characters. A request repeated with the same key within 24 hours writes nothing and returns the first answer, unless its memory was forgotten since. */
  idempotency_key?: string | null;
}

/** Up to 2,000 messages of one conversation, in order. Each that says something becomes a memory of the session. */
export interface RememberMessagesRequest {
  /** The messages, in order. */
  messages: Message[];
  /** The namespace to work in; nothing is read or written across namespaces. */
  namespace?: string;
  /** The conversation. Default: a new name, which the receipts give. */
  session?: string | null;
  /** The user that the memories belong to. */
  user?: string | null;
  /** The agent that the memories belong to. */
  agent?: string | null;
  /** A path of topics for all of them. */
  context?: string;
  /** Short labels for all of them. */
  tags?: string[];
  /** More about each of them; role and turn are added. */
  attributes?: Record<string, unknown>;
  /** Where the conversation came from, such as a program and the id it has there. */
  source?: string | null;
  /** How long from now they are kept: a number of seconds, or 12h, 7d, 1 week; never for good. */
  ttl?: string | null;
  /** Store messages even if the same texts were forgotten before. */
  reinstate?: boolean;
  /** Wait, at most 30 seconds, until all can be found semantically too. */
  wait?: boolean;
  /** A string of 1 to 256 characters. A request repeated with the same key within 24 hours writes nothing and returns the first answer, unless its memory was forgotten since. */
  idempotency_key?: string | null;
}

/** The text and what is known about it. A text that the same scope already has is not stored again. */
export interface RememberRequest {
  /** The text to remember, up to 200,000 characters. Long texts are split into passages. */
  text: string;
  /** What kind of memory it is. */
  type?: MemoryType;
  /** A heading; it is searched like the text. */
  title?: string | null;
  /** Who wrote or said it. */
  author?: string | null;
  /** A name of your own for the fact, such as `user.home.city`. A user has one value of a key at any moment: the same key again ends the value before it, in the order of valid_from. */
  key?: string | null;
  /** The user that it belongs to. */
  user?: string | null;
  /** The agent that it belongs to. */
  agent?: string | null;
  /** The conversation that it is part of. Recall also considers the memories before and after it there. */
  session?: string | null;
  /** A path of topics, such as work/projects/atlas. */
  context?: string;
  /** Short labels to filter by. */
  tags?: string[];
  /** How much it matters, from 0 to 1. */
  importance?: number;
  /** How certain it is, from 0 to 1. */
  confidence?: number;
  /** More about it, at most 64 KiB of JSON. The attributes that its type defines are checked for their type; any others are stored as given. */
  attributes?: Record<string, unknown>;
  /** Where it came from, such as a URL, a file or a message id. */
  source?: string | null;
  /** When it happened or became true. */
  valid_from?: string | null;
  /** When it stopped being true. */
  valid_to?: string | null;
  /** When it lapses: answers leave it out from then on, and nothing is erased by that. Default: what the setting expire_after says of its context or type (working memories: a day), else never. */
  expires_at?: string | null;
  /** In place of expires_at, how long from now it is kept: a number of seconds, or 12h, 7d, 1 week; never for good. */
  ttl?: string | null;
  /** Whether the settings that make memories lapse or erase them by themselves pass it over; an expires_at that is given counts all the same. */
  pinned?: boolean;
  /** The memories that this one replaces: ids, `key:NAME`, or words that only the memory answers to. They stop being true when this one becomes true. */
  supersedes?: string[];
  /** The namespace to work in; nothing is read or written across namespaces. */
  namespace?: string;
  /** Store it even if the same text was forgotten: only when the user asks for that. */
  reinstate?: boolean;
  /** On a conflict: keep both, propose to supersede, or supersede. Default: the setting on_conflict. */
  on_conflict?: OnConflict | null;
  /** Wait, at most 30 seconds, until it can be found semantically too; the receipt says whether it can. */
  wait?: boolean;
  /** A string of 1 to 256 characters. A request repeated with the same key within 24 hours writes nothing and returns the first answer, unless its memory was forgotten since. */
  idempotency_key?: string | null;
}

/** One receipt per message, in the order given, and how many had each outcome. A message that is not kept is `rejected` with the code `left_out`, and the reason says why. */
export interface RememberedMessages {
  /** The session of the memories. */
  session: string;
  receipts: Receipt[];
  counts: Record<string, number>;
}

/** A memory that says what an earlier one says; it is proposed to retire it. */
export interface Repeated {
  id: string;
  /** The earlier one, which stays. */
  of: string;
  confidence: number;
  reason: string;
  /** None in a dry run. */
  proposal: Proposal | null;
}

/** The memory to retire. With `known_at` it can still be found as it was known before. */
export interface RetireRequest {
  /** The memory's id (mem_…), `key:NAME` for the value that this key has now, or words that only this memory answers to. */
  id: string;
  /** The namespace to work in; nothing is read or written across namespaces. */
  namespace?: string;
  /** Why it is retired; kept in the memory's history. */
  reason?: string | null;
  /** Proceed only if this is the memory's current revision; otherwise fail with the error stale_revision, which names the current one. */
  if_revision?: number | null;
  /** A string of 1 to 256 characters. A request repeated with the same key within 24 hours writes nothing and returns the first answer, unless its memory was forgotten since. */
  idempotency_key?: string | null;
}

/** That a text which is current again was retired before, as which memory, when and why. */
export interface Retirement {
  memory_id: string;
  retired_at: string;
  /** The reason that was given; None where none was, or where that memory was forgotten since. */
  reason: string | null;
}

/** The fields to change; a field that is not given keeps its value. `null` clears title, author, key, source and the dates. */
export interface ReviseRequest {
  /** The memory's id (mem_…), `key:NAME` for the value that this key has now, or words that only this memory answers to. */
  id: string;
  /** The namespace to work in; nothing is read or written across namespaces. */
  namespace?: string;
  /** The new text, in full. */
  text?: string;
  /** The new kind of memory. */
  type?: MemoryType;
  /** The new heading. */
  title?: string | null;
  /** The new author. */
  author?: string | null;
  /** The new key; refused where the key has another value at the same time. */
  key?: string | null;
  /** The new context path; / for none, where an empty string means that it is not given. */
  context?: string;
  /** Its new tags; they replace the old ones. */
  tags?: string[];
  /** The new importance, from 0 to 1. */
  importance?: number;
  /** The new confidence, from 0 to 1. */
  confidence?: number;
  /** Its new attributes; they replace the old ones. */
  attributes?: Record<string, unknown>;
  /** The new source. */
  source?: string | null;
  /** The new time at which it happened or became true. */
  valid_from?: string | null;
  /** The new time at which it stopped being true. */
  valid_to?: string | null;
  /** The new time at which it lapses; empty it for never. */
  expires_at?: string | null;
  /** In place of expires_at, how long from now on it is kept: seconds, or 12h, 7d, 1 week; never for good. */
  ttl?: string | null;
  /** Whether it is pinned. Pinning takes its expires_at away, unless another is given. */
  pinned?: boolean;
  /** Why it changes; kept in the memory's history. */
  reason?: string | null;
  /** Proceed only if this is the memory's current revision; otherwise fail with the error stale_revision, which names the current one. */
  if_revision?: number | null;
  /** Wait, at most 30 seconds, until the change can be found semantically too. */
  wait?: boolean;
  /** A string of 1 to 256 characters. A request repeated with the same key within 24 hours writes nothing and returns the first answer, unless its memory was forgotten since. */
  idempotency_key?: string | null;
}

/** Another memory that gives the same attribute of the same subject a value, or seems to; which of them is right, time says. */
export interface Rival {
  id: string;
  /** Whether it came after this hit or before it. */
  order: "newer" | "older";
  /** When it happened or began to be true (`valid_from`, else `created_at`). */
  since: string;
  /** The estimated probability that the two are about the same, in [0, 1]. */
  certainty: number;
}

/** Whether lexical search (`words`) and semantic search (`meaning`) find a stored memory yet; the latter needs its vector. */
export interface Searchable {
  words: boolean;
  meaning: boolean;
}

/** How much was searched. */
export interface Searched {
  /** Memories in the namespace that passed the filters. */
  memories: number;
  /** Of these, how many matched at least one word. */
  by_words: number;
  /** Of these, how many had a vector to compare with; 0 when recall was only lexical. */
  by_meaning: number;
}

/** A stored memory that a new one copies, restates, updates, contradicts or extends. */
export interface Similar {
  id: string;
  kind: SimilarKind;
  /** How sure the kind is, in [0, 1]. */
  confidence: number;
  /** Why, in words that repeat neither text. */
  reason: string;
  /** What the stored memory says; None where it was forgotten since. */
  text: string | null;
  /** The id of the proposal that this led to; None where it led to none. */
  proposal: string | null;
}

/** How a new memory relates to one that is stored. */
export type SimilarKind = "contradicts" | "copy" | "extends" | "restates" | "updates";

/** The memories, and what they mean: in these memories the name of `thing` means `into`. */
export interface SplitRequest {
  /** The entity found in the memories: its id (ent_…), entity:NAME or entity:KIND/NAME. */
  thing: string;
  /** The entity that they mean: its id (ent_…), entity:NAME or entity:KIND/NAME. It is created, of the same kind, if it is new. */
  into: string;
  /** The ids of the memories (mem_…). */
  ids: string[];
  /** The namespace to work in; nothing is read or written across namespaces. */
  namespace?: string;
}

/** One term of a hit's score: `contribution` = `weight` x `value`, and the contributions of a hit add up to its score. */
export interface Stage {
  name: string;
  value: number;
  weight: number;
  contribution: number;
}

/** Counts of what is stored, and of what background work has not processed yet. */
export interface Stats {
  namespace: string | null;
  /** Memories, without the retired ones. */
  memories: number;
  /** Revisions of all memories, the retired ones included. */
  revisions: number;
  /** Retired memories. */
  retired: number;
  relations: number;
  entities: number;
  /** Digests of forgotten texts, which keep them from coming back. */
  tombstones: number;
  /** Revisions that have no vector yet and cannot be found semantically. */
  pending: number;
  /** Changes in the store that have not been read into the graph yet; None where the graph is switched off or failed. */
  unread: number | null;
  by_type: Record<string, number>;
  /** The identity of the active vector generation. */
  embedder: EmbedderIdentity | null;
  /** All vector generations of the store, oldest first. */
  generations: Generation[];
  /** The latest build of a generation; None where there was none, or where only one namespace is counted. */
  build: Build | null;
  /** The store's path, or its address without secrets. */
  store: string;
  /** The number of the newest change in the store's log; 0 in an empty store. */
  sequence: number;
  /** Memory that the index takes in this process, in bytes. */
  index_bytes: number;
  /** What keeps memories from being found semantically, and the way out; empty where nothing does. */
  problems: Problem[];
}

/** The namespace to count, or the whole store. */
export interface StatsRequest {
  /** Count only this namespace. Default: the whole store. */
  namespace?: string | null;
}

/** The job, and what is to become of it. */
export interface SteerJobRequest {
  /** The job's id (job_…), or `all` to pause or resume all that decide. */
  id: string;
  /** pause stops it after what it is doing, until resume; cancel ends it, so that nothing waits for a person any longer; allow lets one that the brake has stopped do once what waits now. */
  action: "allow" | "cancel" | "pause" | "resume";
}

/** A memory next to a hit, and in what way: `previous` or `next` in its session, or the relation's type. */
export interface Surrounding {
  memory: MemoryRecord;
  how: string;
}

/** The generation to switch back to; what was written since it was retired is embedded first. */
export interface TakeBackRequest {
  /** The id of a retired generation. Default: the one before the last switch. */
  generation?: number | null;
}

/** Work that goes on in the background: `jobs` and `events` say how far it is, `steer_job` cancels it. */
export interface Task {
  job: JobView;
}

/** Buckets with at least one memory, newest first. */
export interface Timeline {
  bucket: string;
  buckets: Bucket[];
}

/** The memories to count, the length of a bucket, and how many memories to show of each. */
export interface TimelineRequest {
  /** Only memories of this namespace. */
  namespace?: string;
  /** Only memories of one of these users. */
  user?: string[];
  /** Only memories of one of these agents. */
  agent?: string[];
  /** Only memories of one of these sessions. */
  session?: string[];
  /** Only memories of one of these types. */
  types?: MemoryType[];
  /** Only memories in this context path, such as work/projects, or below it, in any letter case. */
  context?: string;
  /** Only memories with all of these tags, in any letter case. */
  tags?: string[];
  /** Only memories with at least one of these tags, in any letter case. */
  any_tags?: string[];
  /** Only memories with none of these tags, in any letter case. */
  without_tags?: string[];
  /** Only memories written or said by one of these people. */
  author?: string[];
  /** Only memories with one of these keys. */
  keys?: string[];
  /** Only memories with one of these ids. */
  ids?: string[];
  /** Only memories that are pinned, or only those that are not. */
  pinned?: boolean | null;
  /** Only what happened (valid_from, else created_at) at or after this instant. */
  occurred_after?: string | null;
  /** Only what happened (valid_from, else created_at) before this instant. */
  occurred_before?: string | null;
  /** Only what was recorded at or after this instant. */
  recorded_after?: string | null;
  /** Only what was recorded before this instant. */
  recorded_before?: string | null;
  /** Only memories of at least this importance, from 0 to 1. */
  min_importance?: number;
  /** Only memories of at least this confidence, from 0 to 1. */
  min_confidence?: number;
  /** Only memories for which this condition holds: on attributes by their paths, such as {"attributes.city": "Riga"} or {"attributes.price": {"$lt": 10}}, on the other filters by their names, joined by $and, $or and $not. */
  where?: Record<string, unknown> | null;
  /** Only what was true in the world at this instant: valid_from <= as_of < valid_to. */
  as_of?: string | null;
  /** Only what the service knew at this instant: recorded_at <= known_at < retired_at. Default: now. */
  known_at?: string | null;
  /** Only memories whose expires_at is before this instant, past ones too. */
  expires_before?: string | null;
  /** Also memories whose valid_to is before now. */
  include_ended?: boolean;
  /** Also memories that have expired, marked as expired. Without it, what had not expired yet at as_of or known_at is shown. */
  include_expired?: boolean;
  /** The instant to treat as now; its offset says whose days *yesterday* means. Default: the service's clock, in the zone of the setting `timezone`. */
  now?: string | null;
  /** The length of a bucket. */
  bucket?: "day" | "month" | "week" | "year";
  /** How many memories to show per bucket. */
  samples?: number;
  /** At most this many buckets, the newest. */
  limit?: number;
}

/** How a hit got its rank, recorded during the search itself. */
export interface Trace {
  /** Which searches found it: `dense`, `lexical`, `graph`, `time` (inside the time asked for); `session` where none did. */
  candidates: string[];
  /** Exact cosine similarity of the question and the best passage, in [-1, 1]; None where there is no vector. */
  cosine: number | null;
  /** BM25 score of the best passage; None where no word matched. */
  bm25: number | null;
  /** Its place in the semantic search, from 1; None where that did not find it. */
  dense_rank: number | null;
  /** Its place in the lexical search, from 1; None where that did not find it. */
  lexical_rank: number | null;
  stages: Stage[];
  /** The terms of the confidence's log odds, in the same form as `stages`. */
  certainty: Stage[];
  /** The path through the graph, nodes and relations in turn: from `question` or a hit's id to this memory's id, through `entity:NAME` where both name an entity. Empty where no path led here, and for recipes that do not use the graph. */
  path: string[];
}

/** The decision to undo. It is kept, marked as undone. */
export interface UndoRequest {
  /** The decision's id (dec_…). */
  id: string;
  /** The namespace to work in; nothing is read or written across namespaces. */
  namespace?: string;
}

/** The relation to end. With `known_at` it can still be found. */
export interface UnrelateRequest {
  /** The relation's id (rel_…). */
  id: string;
  /** The namespace to work in; nothing is read or written across namespaces. */
  namespace?: string;
}

/** One vector generation: all vectors made by one embedder. */
export interface VectorGeneration {
  id: number;
  embedder: EmbedderIdentity;
  state: "active" | "building" | "retired";
  created_at: string;
  /** Revisions that have no vector in it yet; None for a retired generation, which gets no new vectors. */
  pending: number | null;
}

/** What somebody says of a memory that they were given. */
export type Verdict = "irrelevant" | "outdated" | "useful" | "withdrawn" | "wrong";

/** The backup to check as `check` checks the store. */
export interface VerifyBackupRequest {
  /** The name of a backup, as `backups` lists it. */
  backup: string;
}

/** Forgotten memories whose bytes are still on disk: no answer shows them, but a reader of the files could find them. */
export interface WipePending {
  /** When the first of them was forgotten; None where an earlier version forgot it. */
  since: string | null;
  /** What they wait for, in words. */
  why: string;
}

/** A client of a running service: one method for each operation, with the fields of REST. */
export class MemoryClient extends Caller {
  /** Store one memory. */
  remember(request: RememberRequest, options: CallOptions = {}): Promise<Receipt> {
    const route: Route = { method: "POST", path: "/memories", reads: false, refusal: true, scoped: true };
    return this.call(route, request, options);
  }

  /** Store many memories at once. */
  rememberMany(request: RememberManyRequest, options: CallOptions = {}): Promise<Receipts> {
    const route: Route = { method: "POST", path: "/memories/batch", reads: false, refusal: false, scoped: true };
    return this.call(route, request, options);
  }

  /** Store a conversation as memories of one session. */
  rememberMessages(request: RememberMessagesRequest, options: CallOptions = {}): Promise<RememberedMessages> {
    const route: Route = { method: "POST", path: "/memories/messages", reads: false, refusal: false, scoped: true };
    return this.call(route, request, options);
  }

  /** Find the memories that answer a question. */
  recall(request: RecallRequest, options: CallOptions = {}): Promise<Answer> {
    const route: Route = { method: "POST", path: "/recall", reads: true, refusal: false, scoped: true };
    return this.call(route, request, options);
  }

  /** Get one memory by its id. */
  get(request: GetRequest, options: CallOptions = {}): Promise<MemoryRecord> {
    const route: Route = { method: "GET", path: "/memories/{id}", reads: true, refusal: false, scoped: true };
    return this.call(route, request, options);
  }

  /** List memories by filter. */
  list(request: ListRequest = {}, options: CallOptions = {}): Promise<Page> {
    const route: Route = { method: "GET", path: "/memories", reads: true, refusal: false, scoped: true };
    return this.call(route, request, options);
  }

  /** Change a memory by adding a revision. */
  revise(request: ReviseRequest, options: CallOptions = {}): Promise<Receipt> {
    const route: Route = { method: "PATCH", path: "/memories/{id}", reads: false, refusal: false, scoped: true };
    return this.call(route, request, options);
  }

  /** Mark a memory as no longer true, keeping its history. */
  retire(request: RetireRequest, options: CallOptions = {}): Promise<Receipt> {
    const route: Route = { method: "POST", path: "/memories/{id}/retire", reads: false, refusal: false, scoped: true };
    return this.call(route, request, options);
  }

  /** Erase a memory permanently. */
  forget(request: ForgetRequest, options: CallOptions = {}): Promise<Forgotten> {
    const route: Route = { method: "DELETE", path: "/memories/{id}", reads: false, refusal: false, scoped: true };
    return this.call(route, request, options);
  }

  /** Erase all memories that match a filter. */
  forgetMany(request: ForgetManyRequest = {}, options: CallOptions = {}): Promise<Forgotten> {
    const route: Route = { method: "POST", path: "/memories/forget", reads: false, refusal: false, scoped: true };
    return this.call(route, request, options);
  }

  /** Erase everything about a person, project or identifier. */
  forgetAbout(request: ForgetAboutRequest, options: CallOptions = {}): Promise<ForgottenAbout> {
    const route: Route = { method: "POST", path: "/memories/forget-about", reads: false, refusal: false, scoped: true };
    return this.call(route, request, options);
  }

  /** Relate two memories, or a memory and an entity. */
  relate(request: RelateRequest, options: CallOptions = {}): Promise<Relation> {
    const route: Route = { method: "POST", path: "/relations", reads: false, refusal: false, scoped: true };
    return this.call(route, request, options);
  }

  /** End a relation. */
  unrelate(request: UnrelateRequest, options: CallOptions = {}): Promise<Relation> {
    const route: Route = { method: "DELETE", path: "/relations/{id}", reads: false, refusal: false, scoped: true };
    return this.call(route, request, options);
  }

  /** List what is related to a memory or an entity. */
  neighbours(request: NeighboursRequest, options: CallOptions = {}): Promise<Neighbours> {
    const route: Route = { method: "GET", path: "/neighbours/{id}", reads: true, refusal: false, scoped: true };
    return this.call(route, request, options);
  }

  /** List the entities that memories name. */
  entities(request: EntitiesRequest = {}, options: CallOptions = {}): Promise<Entities> {
    const route: Route = { method: "GET", path: "/entities", reads: true, refusal: false, scoped: true };
    return this.call(route, request, options);
  }

  /** Find how two memories or entities are connected. */
  path(request: PathRequest, options: CallOptions = {}): Promise<Paths> {
    const route: Route = { method: "GET", path: "/path", reads: true, refusal: false, scoped: true };
    return this.call(route, request, options);
  }

  /** Return the graph around a memory or an entity, or of a namespace. */
  graph(request: GraphRequest = {}, options: CallOptions = {}): Promise<Graph> {
    const route: Route = { method: "GET", path: "/graph", reads: true, refusal: false, scoped: true };
    return this.call(route, request, options);
  }

  /** Merge entities that are the same. */
  merge(request: MergeRequest, options: CallOptions = {}): Promise<Decision> {
    const route: Route = { method: "POST", path: "/decisions/merge", reads: false, refusal: false, scoped: true };
    return this.call(route, request, options);
  }

  /** Split off memories in which the name of an entity means another one. */
  split(request: SplitRequest, options: CallOptions = {}): Promise<Decision> {
    const route: Route = { method: "POST", path: "/decisions/split", reads: false, refusal: false, scoped: true };
    return this.call(route, request, options);
  }

  /** List which entities were merged and split, and when. */
  decisions(request: DecisionsRequest = {}, options: CallOptions = {}): Promise<MadeDecisions> {
    const route: Route = { method: "GET", path: "/decisions", reads: true, refusal: false, scoped: true };
    return this.call(route, request, options);
  }

  /** Undo a merge or a split. */
  undo(request: UndoRequest, options: CallOptions = {}): Promise<Decision> {
    const route: Route = { method: "DELETE", path: "/decisions/{id}", reads: false, refusal: false, scoped: true };
    return this.call(route, request, options);
  }

  /** List what the service proposes, with both texts and what accepting does. */
  proposals(request: ProposalsRequest = {}, options: CallOptions = {}): Promise<Proposals> {
    const route: Route = { method: "GET", path: "/proposals", reads: true, refusal: false, scoped: true };
    return this.call(route, request, options);
  }

  /** Propose a change of a memory, for a person to decide. */
  propose(request: ProposeRequest, options: CallOptions = {}): Promise<Proposed> {
    const route: Route = { method: "POST", path: "/proposals", reads: false, refusal: false, scoped: true };
    return this.call(route, request, options);
  }

  /** Accept or reject a proposal, put it off, or undo that. */
  decide(request: DecideRequest, options: CallOptions = {}): Promise<Proposed> {
    const route: Route = { method: "POST", path: "/proposals/{id}", reads: false, refusal: false, scoped: true };
    return this.call(route, request, options);
  }

  /** Say whether a memory was useful, wrong, outdated or irrelevant. */
  feedback(request: FeedbackRequest, options: CallOptions = {}): Promise<Judged> {
    const route: Route = { method: "POST", path: "/memories/{id}/feedback", reads: false, refusal: false, scoped: true };
    return this.call(route, request, options);
  }

  /** Sum up a session, a topic or a context: a digest with citations, copies, facts that changed. */
  consolidate(request: ConsolidateRequest = {}, options: CallOptions = {}): Promise<Consolidated> {
    const route: Route = { method: "POST", path: "/consolidate", reads: false, refusal: false, scoped: true };
    return this.call(route, request, options);
  }

  /** List background jobs, how far they are, and which wait for a person. */
  jobs(request: JobsRequest = {}, options: CallOptions = {}): Promise<Jobs> {
    const route: Route = { method: "GET", path: "/jobs", reads: true, refusal: false, scoped: true };
    return this.call(route, request, options);
  }

  /** Pause, resume, cancel or allow a background job. */
  steerJob(request: SteerJobRequest, options: CallOptions = {}): Promise<Jobs> {
    const route: Route = { method: "POST", path: "/jobs/{id}", reads: false, refusal: false, scoped: false };
    return this.call(route, request, options);
  }

  /** List all revisions of a memory. */
  history(request: HistoryRequest, options: CallOptions = {}): Promise<History> {
    const route: Route = { method: "GET", path: "/memories/{id}/history", reads: true, refusal: false, scoped: true };
    return this.call(route, request, options);
  }

  /** Count and sample memories by day, week, month or year. */
  timeline(request: TimelineRequest = {}, options: CallOptions = {}): Promise<Timeline> {
    const route: Route = { method: "GET", path: "/timeline", reads: true, refusal: false, scoped: true };
    return this.call(route, request, options);
  }

  /** List the context paths in use. */
  contexts(request: ContextsRequest = {}, options: CallOptions = {}): Promise<Contexts> {
    const route: Route = { method: "GET", path: "/contexts", reads: true, refusal: false, scoped: true };
    return this.call(route, request, options);
  }

  /** Show what changed between two instants. */
  changes(request: ChangesRequest = {}, options: CallOptions = {}): Promise<Changes> {
    const route: Route = { method: "GET", path: "/changes", reads: true, refusal: false, scoped: true };
    return this.call(route, request, options);
  }

  /** List the namespaces in use. */
  namespaces(request: NamespacesRequest = {}, options: CallOptions = {}): Promise<Namespaces> {
    const route: Route = { method: "GET", path: "/namespaces", reads: true, refusal: false, scoped: false };
    return this.call(route, request, options);
  }

  /** Count what is stored. */
  stats(request: StatsRequest = {}, options: CallOptions = {}): Promise<Stats> {
    const route: Route = { method: "GET", path: "/stats", reads: true, refusal: false, scoped: true };
    return this.call(route, request, options);
  }

  /** Report which parts of the service work. */
  health(request: HealthRequest = {}, options: CallOptions = {}): Promise<Health> {
    const route: Route = { method: "GET", path: "/health", reads: true, refusal: false, scoped: false };
    return this.call(route, request, options);
  }

  /** Follow what happens: writes, proposals and background jobs. */
  events(request: EventsRequest = {}, options: CallOptions = {}): Promise<Events> {
    const route: Route = { method: "GET", path: "/events", reads: true, refusal: false, scoped: true };
    return this.call(route, request, options);
  }

  /** Check the store and all that is derived from it, and repair it. */
  check(request: CheckRequest = {}, options: CallOptions = {}): Promise<Task> {
    const route: Route = { method: "POST", path: "/check", reads: false, refusal: false, scoped: false };
    return this.call(route, request, options);
  }

  /** Show what the last check found. */
  findings(request: FindingsRequest = {}, options: CallOptions = {}): Promise<Findings> {
    const route: Route = { method: "GET", path: "/check", reads: true, refusal: false, scoped: false };
    return this.call(route, request, options);
  }

  /** List the backups that the service has made. */
  backups(request: BackupsRequest = {}, options: CallOptions = {}): Promise<Backups> {
    const route: Route = { method: "GET", path: "/backups", reads: true, refusal: false, scoped: false };
    return this.call(route, request, options);
  }

  /** Copy the store while it is in use. */
  makeBackup(request: MakeBackupRequest = {}, options: CallOptions = {}): Promise<Task> {
    const route: Route = { method: "POST", path: "/backups", reads: false, refusal: false, scoped: false };
    return this.call(route, request, options);
  }

  /** Check a backup as the store is checked. */
  verifyBackup(request: VerifyBackupRequest, options: CallOptions = {}): Promise<Task> {
    const route: Route = { method: "POST", path: "/backups/{backup}/verify", reads: false, refusal: false, scoped: false };
    return this.call(route, request, options);
  }

  /** Delete a backup. */
  deleteBackup(request: DeleteBackupRequest, options: CallOptions = {}): Promise<Backups> {
    const route: Route = { method: "DELETE", path: "/backups/{backup}", reads: false, refusal: false, scoped: false };
    return this.call(route, request, options);
  }

  /** List the embedding models that this version knows, and which are installed. */
  models(request: ModelsRequest = {}, options: CallOptions = {}): Promise<Models> {
    const route: Route = { method: "GET", path: "/embedding-models", reads: true, refusal: false, scoped: false };
    return this.call(route, request, options);
  }

  /** Download an embedding model to the machine of the service. */
  fetchModel(request: FetchModelRequest, options: CallOptions = {}): Promise<Task> {
    const route: Route = { method: "POST", path: "/embedding-models/{model}/fetch", reads: false, refusal: false, scoped: false };
    return this.call(route, request, options);
  }

  /** List the vector generations, and the latest build. */
  generations(request: GenerationsRequest = {}, options: CallOptions = {}): Promise<Generations> {
    const route: Route = { method: "GET", path: "/generations", reads: true, refusal: false, scoped: false };
    return this.call(route, request, options);
  }

  /** Re-create all vectors in the background, then switch to them. */
  reembed(request: ReembedRequest = {}, options: CallOptions = {}): Promise<Generations> {
    const route: Route = { method: "POST", path: "/generations", reads: false, refusal: false, scoped: false };
    return this.call(route, request, options);
  }

  /** Stop re-creating vectors; those made so far are kept until they are pruned. */
  cancelReembed(request: CancelReembedRequest = {}, options: CallOptions = {}): Promise<Generations> {
    const route: Route = { method: "POST", path: "/generations/cancel", reads: false, refusal: false, scoped: false };
    return this.call(route, request, options);
  }

  /** Switch to the generation that was built. */
  activateGeneration(request: ActivateGenerationRequest = {}, options: CallOptions = {}): Promise<Generations> {
    const route: Route = { method: "POST", path: "/generations/activate", reads: false, refusal: false, scoped: false };
    return this.call(route, request, options);
  }

  /** Switch back to a retired generation. */
  takeBack(request: TakeBackRequest = {}, options: CallOptions = {}): Promise<Generations> {
    const route: Route = { method: "POST", path: "/generations/back", reads: false, refusal: false, scoped: false };
    return this.call(route, request, options);
  }

  /** Delete retired generations and their vectors. */
  pruneGenerations(request: PruneGenerationsRequest = {}, options: CallOptions = {}): Promise<Generations> {
    const route: Route = { method: "POST", path: "/generations/prune", reads: false, refusal: false, scoped: false };
    return this.call(route, request, options);
  }
}
