// What the service proposes and what was decided about it, and what people said of memories. `pair` finds a proposal again: a digest
// of the texts that it is about, sealed under the store's secret.
CREATE CONSTRAINT ai_memory_proposal IF NOT EXISTS FOR (p:Proposal) REQUIRE (p.namespace, p.id) IS UNIQUE;
CREATE INDEX ai_memory_proposal_pair IF NOT EXISTS FOR (p:Proposal) ON (p.namespace, p.pair);
CREATE CONSTRAINT ai_memory_proposal_key IF NOT EXISTS FOR (p:Proposal) REQUIRE p.key IS UNIQUE;
CREATE INDEX ai_memory_proposal_memory IF NOT EXISTS FOR (p:Proposal) ON (p.namespace, p.memory_id);
CREATE INDEX ai_memory_proposal_other IF NOT EXISTS FOR (p:Proposal) ON (p.namespace, p.other_id);
CREATE CONSTRAINT ai_memory_feedback IF NOT EXISTS FOR (f:Feedback) REQUIRE (f.namespace, f.id) IS UNIQUE;
CREATE CONSTRAINT ai_memory_feedback_key IF NOT EXISTS FOR (f:Feedback) REQUIRE f.key IS UNIQUE;
CREATE INDEX ai_memory_feedback_memory IF NOT EXISTS FOR (f:Feedback) ON (f.namespace, f.memory_id);
