-- queue.db.  One row of message for each message that is not settled, and one
-- of recipient for each of its recipients that has met no fate yet; a message
-- without recipients does not exist.
--
-- message.row is the number whose base32 spelling is the queue id, so an id is
-- found without an index and is never used twice.  Times are milliseconds
-- since 1970, UTC.

CREATE TABLE message (
	row INTEGER PRIMARY KEY,
	sender TEXT NOT NULL,		-- reverse-path as given; '' is <>
	envid TEXT NOT NULL,
	ret INTEGER NOT NULL,		-- enum ret
	flags INTEGER NOT NULL,		-- 1: 8 bit, 2: SMTPUTF8, 4: ends with CRLF
	asker TEXT NOT NULL,		-- internet, user:a@b, system:NAME, local
	client TEXT NOT NULL,		-- address:port
	helo TEXT NOT NULL,
	arrived INTEGER NOT NULL,
	trace TEXT NOT NULL,		-- header lines put in front
	bytes INTEGER NOT NULL,		-- of the body
	spool TEXT			-- the body's file in spool/; NULL: in body
) STRICT;

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
	verdict INTEGER NOT NULL,	-- 1: an administrator wants it bounced
	attempts INTEGER NOT NULL,
	next_attempt INTEGER NOT NULL,
	code INTEGER NOT NULL,		-- the last reply; 0: none
	status TEXT NOT NULL,
	reply TEXT NOT NULL,
	remote TEXT NOT NULL,		-- who said it
	system TEXT NOT NULL,		-- the system it goes to
	delay_told INTEGER NOT NULL,
	PRIMARY KEY (message, row)
) STRICT, WITHOUT ROWID;

CREATE INDEX recipient_due ON recipient (next_attempt) WHERE held = 0;
CREATE INDEX recipient_domain ON recipient (domain);

-- Written after a commit that failed, to overwrite what it left in the log
-- (store.c, store_commit).
CREATE TABLE scar (
	row INTEGER PRIMARY KEY,
	n INTEGER NOT NULL
) STRICT;
INSERT INTO scar VALUES (1, 0);
