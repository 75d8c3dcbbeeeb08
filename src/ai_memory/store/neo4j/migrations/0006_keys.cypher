// The values of one key of one user share `line`, by which a new one finds its neighbours in time; `fact_key` is the field `key`.
CREATE INDEX ai_memory_line IF NOT EXISTS FOR (r:Revision) ON (r.line);
CREATE INDEX ai_memory_fact_key IF NOT EXISTS FOR (r:Revision) ON (r.namespace, r.fact_key);
