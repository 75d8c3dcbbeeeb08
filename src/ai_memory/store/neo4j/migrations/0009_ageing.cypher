// When a memory lapses is a property of its revisions; changes are found by when they were made.
CREATE INDEX ai_memory_expiry IF NOT EXISTS FOR (r:Revision) ON (r.namespace, r.expires_at);
CREATE INDEX ai_memory_log_time IF NOT EXISTS FOR (g:LogEntry) ON (g.namespace, g.at);
