-- A seal covers all columns of its row: `doctor` finds what was changed behind the store's back. `seals.py` seals the rows that
-- are there; what was changed in them before cannot be seen any more, but for what the log's chain and its commitments show.

ALTER TABLE meta ADD COLUMN seal BLOB;
ALTER TABLE namespaces ADD COLUMN seal BLOB;
ALTER TABLE revisions ADD COLUMN seal BLOB;
ALTER TABLE entities ADD COLUMN seal BLOB;
ALTER TABLE aliases ADD COLUMN seal BLOB;
ALTER TABLE relations ADD COLUMN seal BLOB;
ALTER TABLE tombstones ADD COLUMN seal BLOB;
ALTER TABLE generations ADD COLUMN seal BLOB;
ALTER TABLE vectors ADD COLUMN seal BLOB;
ALTER TABLE jobs ADD COLUMN seal BLOB;
ALTER TABLE idempotency ADD COLUMN seal BLOB;
