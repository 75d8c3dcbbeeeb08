// The whole memory model. Instants are integers, microseconds since the Unix epoch; digests are hexadecimal strings; the bytes
// of a vector are little-endian float32. Every statement may run again.

CREATE CONSTRAINT ai_memory_store IF NOT EXISTS FOR (s:Store) REQUIRE s.only IS UNIQUE;

// Memories and entities, between which the relations are; what a memory says is in its revisions.
CREATE CONSTRAINT ai_memory_node IF NOT EXISTS FOR (n:Node) REQUIRE (n.namespace, n.id) IS UNIQUE;
CREATE CONSTRAINT ai_memory_memory_number IF NOT EXISTS FOR (m:Memory) REQUIRE m.number IS UNIQUE;
CREATE CONSTRAINT ai_memory_entity_name IF NOT EXISTS FOR (e:Entity) REQUIRE (e.namespace, e.folded, e.kind) IS UNIQUE;
CREATE CONSTRAINT ai_memory_entity_number IF NOT EXISTS FOR (e:Entity) REQUIRE e.number IS UNIQUE;
CREATE INDEX ai_memory_alias IF NOT EXISTS FOR (a:Alias) ON (a.namespace, a.folded);

// Revisions; `Current` are those that are not retired.
CREATE CONSTRAINT ai_memory_revision IF NOT EXISTS FOR (r:Revision) REQUIRE r.key IS UNIQUE;
CREATE INDEX ai_memory_revision_time IF NOT EXISTS FOR (r:Revision) ON (r.namespace, r.occurred, r.memory_id);
CREATE INDEX ai_memory_current_dedup IF NOT EXISTS FOR (r:Current) ON (r.dedup_key);
CREATE INDEX ai_memory_current_time IF NOT EXISTS FOR (r:Current) ON (r.namespace, r.occurred, r.memory_id);
CREATE INDEX ai_memory_current_session IF NOT EXISTS FOR (r:Current) ON (r.namespace, r.session);
CREATE FULLTEXT INDEX ai_memory_words IF NOT EXISTS FOR (r:Revision) ON EACH [r.terms]
OPTIONS {indexConfig: {`fulltext.analyzer`: 'whitespace', `fulltext.eventually_consistent`: true}};

// One node for each change, in commit order, chained by digest.
CREATE CONSTRAINT ai_memory_log IF NOT EXISTS FOR (g:LogEntry) REQUIRE g.sequence IS UNIQUE;

// Where the native relationship of a relation is, by the relation's id: types are the user's own, so that no index covers them.
CREATE CONSTRAINT ai_memory_relation IF NOT EXISTS FOR (l:Relation) REQUIRE (l.namespace, l.id) IS UNIQUE;
CREATE CONSTRAINT ai_memory_relation_key IF NOT EXISTS FOR (l:Relation) REQUIRE l.key IS UNIQUE;
CREATE INDEX ai_memory_relation_evidence IF NOT EXISTS FOR (l:Relation) ON (l.namespace, l.evidence);

CREATE CONSTRAINT ai_memory_tombstone IF NOT EXISTS FOR (t:Tombstone) REQUIRE (t.namespace, t.value_digest) IS UNIQUE;

// Vectors, and the revisions that are owed one.
CREATE CONSTRAINT ai_memory_generation IF NOT EXISTS FOR (g:Generation) REQUIRE g.number IS UNIQUE;
CREATE CONSTRAINT ai_memory_vector IF NOT EXISTS FOR (v:Vector) REQUIRE (v.generation, v.key, v.passage) IS UNIQUE;
CREATE INDEX ai_memory_vector_position IF NOT EXISTS FOR (v:Vector) ON (v.generation, v.position);
CREATE CONSTRAINT ai_memory_owed IF NOT EXISTS FOR (o:Owed) REQUIRE (o.generation, o.key) IS UNIQUE;
CREATE INDEX ai_memory_owed_key IF NOT EXISTS FOR (o:Owed) ON (o.key);

CREATE CONSTRAINT ai_memory_job IF NOT EXISTS FOR (j:Job) REQUIRE j.id IS UNIQUE;
CREATE CONSTRAINT ai_memory_answer IF NOT EXISTS FOR (a:Answer) REQUIRE a.key IS UNIQUE;
CREATE INDEX ai_memory_answer_age IF NOT EXISTS FOR (a:Answer) ON (a.at);
