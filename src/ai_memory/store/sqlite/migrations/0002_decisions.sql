-- Who is who, as people decided it, is read before every walk. And `mentions` was never written: what memories name is
-- derived, and stored in the graph file next to the store.

CREATE INDEX relations_by_decision ON relations (namespace) WHERE type IN ('MERGED_INTO', 'SPLIT_INTO');

DROP TABLE mentions;
