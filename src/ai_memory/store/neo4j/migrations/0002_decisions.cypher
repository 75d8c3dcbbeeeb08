// Who is who, as people decided it, is read before every walk.
CREATE INDEX ai_memory_relation_type IF NOT EXISTS FOR (l:Relation) ON (l.namespace, l.type);
