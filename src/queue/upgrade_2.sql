-- queue.db of version 1 becomes version 2.
ALTER TABLE message ADD COLUMN entered INTEGER NOT NULL DEFAULT 0;
-- What lies in the future was written by a clock that was ahead.
UPDATE message SET entered = min(arrived, unixepoch() * 1000);
CREATE INDEX message_entered ON message (entered);
-- One text said where a recipient goes.  A host or an address has a dot, colon
-- or bracket, the name of a system has none.
ALTER TABLE recipient ADD COLUMN next_hop INTEGER NOT NULL DEFAULT 0;
UPDATE recipient SET next_hop = CASE
	WHEN system = '' THEN 0
	WHEN system = 'hosted' THEN 1
	WHEN system = 'internet' THEN 4
	WHEN system GLOB '*[.:[]*' THEN 3
	ELSE 2 END;
UPDATE recipient SET system = '' WHERE next_hop IN (1, 4);
ALTER TABLE recipient ADD COLUMN ours INTEGER NOT NULL DEFAULT 0;
DROP INDEX recipient_due;
CREATE INDEX recipient_due ON recipient (next_hop,
	(CASE next_hop WHEN 4 THEN domain ELSE system END), next_attempt)
	WHERE held = 0;
CREATE INDEX recipient_deadly ON recipient (message) WHERE verdict = 2;
CREATE TABLE clock (
	row INTEGER PRIMARY KEY,
	queue INTEGER NOT NULL,
	wall INTEGER NOT NULL,
	boot INTEGER NOT NULL,
	boot_id TEXT NOT NULL
) STRICT;
CREATE TABLE followed (
	row INTEGER PRIMARY KEY,
	change INTEGER NOT NULL		-- of the directory (change_log)
) STRICT;
CREATE TABLE identity (
	row INTEGER PRIMARY KEY,
	id TEXT NOT NULL
) STRICT;
INSERT INTO identity VALUES (1, lower(hex(randomblob(8))));
