-- queue.db.  One row of message for each message that is not settled, and one
-- of recipient for each of its recipients that has met no fate yet; a message
-- without recipients does not exist.
--
-- message.row is the number whose base32 spelling is the queue id, so an id is
-- found without an index and is never used twice.  Times are milliseconds:
-- arrived since 1970, UTC; entered and next_attempt by the queue's own clock
-- (queue/clock.h).
--
-- Version 3.  What it has more than version 1 is in upgrade_2.sql and
-- connection.c, too.

CREATE TABLE message (
	row INTEGER PRIMARY KEY,
	sender TEXT NOT NULL,		-- reverse-path as given; '' is <>
	envid TEXT NOT NULL,
	ret INTEGER NOT NULL,		-- enum ret
	flags INTEGER NOT NULL,		-- 1: 8 bit, 2: SMTPUTF8, 4: ends with CRLF,
					-- 8: nothing vouches for the sender
	asker TEXT NOT NULL,		-- internet, user:a@b, system:NAME, local
	client TEXT NOT NULL,		-- address:port
	helo TEXT NOT NULL,
	arrived INTEGER NOT NULL,
	entered INTEGER NOT NULL DEFAULT (unixepoch() * 1000),	-- when it was
					-- kept
	trace TEXT NOT NULL,		-- header lines put in front
	bytes INTEGER NOT NULL,		-- of the body
	spool TEXT			-- the body's file in spool/; NULL: in body
) STRICT;
CREATE INDEX message_entered ON message (entered);

-- Apart from message, so that lists do not read bodies.
CREATE TABLE body (
	message INTEGER PRIMARY KEY,
	bytes BLOB NOT NULL
) STRICT;

CREATE TABLE recipient (
	message INTEGER NOT NULL,
	row INTEGER NOT NULL,		-- 1, 2, ... in each message
	address TEXT NOT NULL,		-- as given
	domain TEXT NOT NULL,		-- canonical
	orcpt TEXT NOT NULL,
	notify INTEGER NOT NULL,
	trail TEXT NOT NULL,
	part INTEGER NOT NULL,		-- enum recipient_part
	is_member INTEGER NOT NULL,
	held INTEGER NOT NULL,
	verdict INTEGER NOT NULL,	-- 1: an administrator wants it bounced,
					-- 2: held because it killed the engine
	attempts INTEGER NOT NULL,
	next_attempt INTEGER NOT NULL,	-- 0: now, by an order
	code INTEGER NOT NULL,		-- the last reply; 0: none
	status TEXT NOT NULL,
	reply TEXT NOT NULL,
	remote TEXT NOT NULL,		-- who said it
	system TEXT NOT NULL,		-- the system or relay it goes to; or ''
	delay_told INTEGER NOT NULL,
	next_hop INTEGER NOT NULL DEFAULT 0,	-- enum next_hop_kind
	ours INTEGER NOT NULL DEFAULT 0,	-- its domain was ours once
	sender TEXT NOT NULL DEFAULT '',	-- instead of the message's, on
					-- the way to the Internet; '': that
	PRIMARY KEY (message, row)
) STRICT, WITHOUT ROWID;

-- Each next hop has its own order; the Internet is one for each domain.
CREATE INDEX recipient_due ON recipient (next_hop,
	(CASE next_hop WHEN 4 THEN domain ELSE system END), next_attempt)
	WHERE held = 0;
CREATE INDEX recipient_domain ON recipient (domain);
CREATE INDEX recipient_deadly ON recipient (message) WHERE verdict = 2;

-- One instant by every clock, and this file's name for itself.
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

-- Written after a commit that failed, to overwrite what it left in the log
-- (store.c, store_commit).
CREATE TABLE scar (
	row INTEGER PRIMARY KEY,
	n INTEGER NOT NULL
) STRICT;
INSERT INTO scar VALUES (1, 0);
