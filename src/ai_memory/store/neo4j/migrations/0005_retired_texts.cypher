// A text that comes back is known to have been retired by the look-up that finds what is current.
DROP INDEX ai_memory_current_dedup IF EXISTS;
CREATE INDEX ai_memory_dedup IF NOT EXISTS FOR (r:Revision) ON (r.dedup_key);

// Answers of earlier versions, which are kept for a day, have the text of their idempotency key and a digest of their request.
MATCH (a:Answer) DELETE a;
