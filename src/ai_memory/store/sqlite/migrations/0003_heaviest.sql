-- A walk wants the heaviest relations of its frontier: the indexes alone say which those are, without reading a row.

DROP INDEX relations_by_source;
DROP INDEX relations_by_target;
CREATE INDEX relations_by_source ON relations (namespace, source, retired_at, weight);
CREATE INDEX relations_by_target ON relations (namespace, target, retired_at, weight);
