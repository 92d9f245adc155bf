-- directory.db: everything an administrator decides.
--
-- Each "-- version N" begins a migration; database.c runs those above the
-- file's user_version, each in one transaction.  A version that was released
-- is never changed: add the next one.
--
-- Words (home, routed, holder, relay...) are those of ARCHITECTURE.md.  Local
-- parts are folded to lower case and unquoted, domain names are A-labels in
-- lower case; "spelling" is what the administrator wrote and what is relayed.

-- version 1

-- This node, for the loop trail.
CREATE TABLE node (
	only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
	id TEXT NOT NULL,		-- 16 hex digits
	key TEXT NOT NULL		-- 64 hex digits
);

-- ---- systems ----

CREATE TABLE system (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	name TEXT NOT NULL UNIQUE,
	hosts TEXT NOT NULL,
	tls INTEGER NOT NULL,		-- enum system_tls
	user TEXT NOT NULL DEFAULT '',
	password TEXT NOT NULL DEFAULT '',	-- clear: it has to be shown
	may_relay INTEGER NOT NULL DEFAULT 0,
	smart_host INTEGER NOT NULL DEFAULT 0,
	when_down INTEGER NOT NULL	-- enum when_down
);
CREATE UNIQUE INDEX system_smart_host ON system (smart_host)
	WHERE smart_host = 1;

CREATE TABLE trust (
	block TEXT PRIMARY KEY,		-- of addresses, as it was written
	system INTEGER NOT NULL REFERENCES system ON DELETE CASCADE
);
CREATE INDEX trust_system ON trust (system);

-- ---- domains ----

CREATE TABLE domain (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	name TEXT NOT NULL UNIQUE,
	description TEXT NOT NULL DEFAULT '',
	relay TEXT NOT NULL DEFAULT '',
	forward_unknown INTEGER NOT NULL DEFAULT 0,
	catch_all TEXT NOT NULL DEFAULT '',	-- spelling
	postmaster TEXT NOT NULL DEFAULT '',	-- spelling
	own_senders INTEGER NOT NULL DEFAULT 0,	-- enum own_senders
	max_message_bytes INTEGER NOT NULL DEFAULT 0,
	CHECK (NOT forward_unknown OR relay <> ''),
	CHECK (NOT forward_unknown OR catch_all = '')
);

-- Its first name and its aliases.
CREATE TABLE domain_name (
	name TEXT PRIMARY KEY,
	domain INTEGER NOT NULL REFERENCES domain ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX domain_name_domain ON domain_name (domain);

-- ---- who holds addresses: users, groups, shared mailboxes ----

-- The id is never given twice inside one file (AUTOINCREMENT).
CREATE TABLE holder (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	kind INTEGER NOT NULL,		-- enum holder_kind
	domain INTEGER NOT NULL REFERENCES domain ON DELETE CASCADE,
	login TEXT NOT NULL UNIQUE,	-- the default address
	name TEXT NOT NULL DEFAULT '',
	enabled INTEGER NOT NULL DEFAULT 1,
	builtin INTEGER NOT NULL DEFAULT 0,	-- postmaster's, made with the
						-- domain: yields to others
	-- users
	mail_system INTEGER NOT NULL DEFAULT 0,	-- enum home: never BOTH
	system INTEGER REFERENCES system,	-- NULL: the domain's relay
	password TEXT NOT NULL DEFAULT '',	-- {SCHEME}hash; '': no login
	quota_bytes INTEGER NOT NULL DEFAULT 0,	-- 0: unlimited
	forward_keeps_copy INTEGER NOT NULL DEFAULT 1,
	changed_at INTEGER NOT NULL DEFAULT (unixepoch())
);
CREATE INDEX holder_domain ON holder (domain, kind);
CREATE INDEX holder_system ON holder (system) WHERE system IS NOT NULL;
-- Who depends on a domain's relay.
CREATE INDEX holder_elsewhere ON holder (domain, mail_system)
	WHERE kind = 0 AND mail_system <> 0;

CREATE TABLE address (
	id INTEGER PRIMARY KEY,
	domain INTEGER NOT NULL REFERENCES domain ON DELETE CASCADE,
	local TEXT NOT NULL,
	name TEXT NOT NULL,		-- one name of the domain, or '*': all
	builtin INTEGER NOT NULL DEFAULT 0,
	holder INTEGER NOT NULL REFERENCES holder ON DELETE CASCADE,
	is_default INTEGER NOT NULL DEFAULT 0,
	-- The two settings are remembered apart.
	routed INTEGER NOT NULL DEFAULT 1,	-- counts for an alternate user
	home INTEGER NOT NULL DEFAULT 0,	-- enum home; for a hosted user
	UNIQUE (domain, local, name, builtin)
);
CREATE INDEX address_holder ON address (holder);
CREATE INDEX address_elsewhere ON address (domain, holder) WHERE home <> 0;

CREATE TABLE forward (
	id INTEGER PRIMARY KEY,
	holder INTEGER NOT NULL REFERENCES holder ON DELETE CASCADE,
	spelling TEXT NOT NULL,
	local TEXT NOT NULL,
	domain TEXT NOT NULL,
	UNIQUE (holder, local, domain)
);

-- Members are addresses, ours or not; what they mean is decided when mail
-- comes.
CREATE TABLE member (
	id INTEGER PRIMARY KEY,
	holder INTEGER NOT NULL REFERENCES holder ON DELETE CASCADE,
	spelling TEXT NOT NULL,
	local TEXT NOT NULL,
	domain TEXT NOT NULL,
	UNIQUE (holder, local, domain)
);
CREATE INDEX member_address ON member (local, domain);

-- ---- administrators: never a mailbox ----

CREATE TABLE admin (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	name TEXT NOT NULL UNIQUE,
	role INTEGER NOT NULL,		-- enum admin_role
	domain INTEGER REFERENCES domain ON DELETE CASCADE,
	password TEXT NOT NULL DEFAULT '',
	CHECK ((role = 0) = (domain IS NULL))
);

-- ---- what happened ----

CREATE TABLE change_log (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	at INTEGER NOT NULL DEFAULT (unixepoch()),
	who TEXT NOT NULL,
	noun TEXT NOT NULL,		-- user, domain, ...
	subject TEXT NOT NULL,		-- its login or name
	field TEXT NOT NULL,		-- 'created', 'deleted', or the key
	old TEXT NOT NULL,
	new TEXT NOT NULL		-- never a password
);
CREATE INDEX change_log_subject ON change_log (subject, id);

-- Logins whose open sessions have to end; the supervisor takes them.
CREATE TABLE session_end (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	at INTEGER NOT NULL DEFAULT (unixepoch()),
	holder INTEGER NOT NULL,
	login TEXT NOT NULL
);

-- ---- what Dovecot sees ----

-- Who may log in.  A user who is not hosted here is not in it, on purpose:
-- that is how he can use nothing.
CREATE VIEW dovecot_password AS
	SELECT login AS user, password, id
	FROM holder
	WHERE kind = 0 AND enabled = 1 AND mail_system = 0 AND password <> '';

-- Which mailboxes exist: where LMTP delivers, what userdb looks up.
CREATE VIEW dovecot_mailbox AS
	SELECT login AS user, id, '*:bytes=' || quota_bytes AS quota_rule
	FROM holder
	WHERE enabled = 1 AND mail_system = 0 AND kind IN (0, 2);

-- version 2

-- People are looked up by name, too.
CREATE INDEX holder_name ON holder (name COLLATE NOCASE, login);

-- What scripts sign in with, with the rights of an administrator.
CREATE TABLE token (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	admin INTEGER NOT NULL REFERENCES admin ON DELETE CASCADE,
	name TEXT NOT NULL,
	hash TEXT NOT NULL UNIQUE,	-- the token itself is nowhere
	may_write INTEGER NOT NULL,
	created_at INTEGER NOT NULL DEFAULT (unixepoch()),
	expires_at INTEGER NOT NULL
);
CREATE INDEX token_admin ON token (admin);

-- version 3

-- An administrator's second factor.  Codes are computed with the secret, so
-- it is here in clear: this file is the server's alone (database.c).
CREATE TABLE totp (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	admin INTEGER NOT NULL UNIQUE REFERENCES admin ON DELETE CASCADE,
	secret TEXT NOT NULL,		-- base32
	confirmed_at INTEGER,		-- NULL: begun, not on yet
	last_step INTEGER NOT NULL DEFAULT 0	-- of the last code taken
);

-- For who has lost his phone; each is deleted when it is used.
CREATE TABLE recovery_code (
	totp INTEGER NOT NULL REFERENCES totp ON DELETE CASCADE,
	hash TEXT NOT NULL,		-- the code itself is nowhere
	PRIMARY KEY (totp, hash)
);

-- version 4

-- Work on many things, done chunk by chunk (jobs.h).
CREATE TABLE job (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	kind INTEGER NOT NULL,		-- enum job_kind
	what TEXT NOT NULL,		-- JSON: the settings of a change
	undoes INTEGER NOT NULL DEFAULT 0,	-- the job it puts back
	-- Who asked, and with which rights.
	admin INTEGER REFERENCES admin ON DELETE SET NULL,
	asked_by TEXT NOT NULL,		-- his name, for when he is gone
	who TEXT NOT NULL,		-- for the change log
	role INTEGER NOT NULL,		-- enum admin_role
	domain INTEGER NOT NULL,	-- 0: all
	state INTEGER NOT NULL DEFAULT 0,	-- enum job_state
	-- Why it failed: a refusal, its id (refusals.def) and values (JSON).
	sentence TEXT NOT NULL DEFAULT '',
	reason TEXT NOT NULL DEFAULT '',
	vals TEXT NOT NULL DEFAULT '{}',
	total INTEGER NOT NULL DEFAULT 0,
	done INTEGER NOT NULL DEFAULT 0,	-- items 1..done are
	changed INTEGER NOT NULL DEFAULT 0,
	refused INTEGER NOT NULL DEFAULT 0,
	created_at INTEGER NOT NULL DEFAULT (unixepoch()),
	started_at INTEGER NOT NULL DEFAULT 0,	-- 0: not yet
	ended_at INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX job_open ON job (id) WHERE state < 2;

-- What is still to be done; to be put back: lines log_first..log_last of the
-- change log.
CREATE TABLE job_item (
	job INTEGER NOT NULL REFERENCES job ON DELETE CASCADE,
	n INTEGER NOT NULL,
	holder INTEGER NOT NULL,	-- whose it was; 0: nobody's
	address TEXT NOT NULL,
	log_first INTEGER NOT NULL DEFAULT 0,
	log_last INTEGER NOT NULL DEFAULT 0,
	PRIMARY KEY (job, n)
) WITHOUT ROWID;

-- What was changed, and where the change log says from what to what.
CREATE TABLE job_done (
	job INTEGER NOT NULL REFERENCES job ON DELETE CASCADE,
	n INTEGER NOT NULL,
	holder INTEGER NOT NULL,	-- he may be gone by now
	address TEXT NOT NULL,		-- his login
	log_first INTEGER NOT NULL,
	log_last INTEGER NOT NULL,
	PRIMARY KEY (job, n)
) WITHOUT ROWID;

-- What could not be done, and why.
CREATE TABLE job_refusal (
	job INTEGER NOT NULL REFERENCES job ON DELETE CASCADE,
	n INTEGER NOT NULL,
	address TEXT NOT NULL,
	field TEXT NOT NULL,
	sentence TEXT NOT NULL,
	reason TEXT NOT NULL,		-- its id (refusals.def)
	vals TEXT NOT NULL,		-- its values, a JSON object
	PRIMARY KEY (job, n)
) WITHOUT ROWID;

-- version 5

-- What a system's administrator allows us (directory.h); 0: not set.
ALTER TABLE system ADD COLUMN connections INTEGER NOT NULL DEFAULT 0;
ALTER TABLE system ADD COLUMN mails_per_connection INTEGER NOT NULL DEFAULT 0;
ALTER TABLE system ADD COLUMN recipients_per_mail INTEGER NOT NULL DEFAULT 0;
ALTER TABLE system ADD COLUMN mails_per_minute INTEGER NOT NULL DEFAULT 0;
ALTER TABLE system ADD COLUMN address_family INTEGER NOT NULL DEFAULT 0;

-- version 6

-- The folder below mail/ with everything of a user or shared mailbox: mail,
-- indexes, scripts.  An id would not do: after an older directory.db was put
-- back, or a new one beside old mail, it is given again, and whoever got it
-- would read what another one left.  Those made before keep theirs.
ALTER TABLE holder ADD COLUMN mailbox TEXT NOT NULL DEFAULT '';
UPDATE holder SET mailbox = id;
CREATE UNIQUE INDEX holder_mailbox ON holder (mailbox);
CREATE TRIGGER holder_gets_mailbox AFTER INSERT ON holder
	WHEN NEW.mailbox = ''
BEGIN
	UPDATE holder SET mailbox = NEW.id || '-' || lower(hex(randomblob(10)))
		WHERE id = NEW.id;
END;

DROP VIEW dovecot_mailbox;
CREATE VIEW dovecot_mailbox AS
	SELECT login AS user, id, mailbox,
		'*:bytes=' || quota_bytes AS quota_rule
	FROM holder
	WHERE enabled = 1 AND mail_system = 0 AND kind IN (0, 2);

-- version 7

-- Other ways to write names that are not ASCII, for Dovecot, which folds only
-- ASCII letters (spelling.h).
CREATE TABLE domain_spelling (
	given TEXT PRIMARY KEY,
	name TEXT NOT NULL
		REFERENCES domain_name ON DELETE CASCADE ON UPDATE CASCADE
) WITHOUT ROWID;
CREATE INDEX domain_spelling_name ON domain_spelling (name);
CREATE TABLE local_spelling (
	given TEXT NOT NULL,
	address INTEGER NOT NULL REFERENCES address ON DELETE CASCADE,
	PRIMARY KEY (given, address)
) WITHOUT ROWID;
CREATE INDEX local_spelling_address ON local_spelling (address);
INSERT OR IGNORE INTO domain_spelling (given, name)
	SELECT value, name FROM domain_name, json_each(domain_spellings(name));
INSERT INTO local_spelling (given, address)
	SELECT value, a.id FROM address a, json_each(local_spellings(a.local));

-- With another password a login is another one: what was begun before is not
-- his who has it now.
ALTER TABLE holder ADD COLUMN password_changes INTEGER NOT NULL DEFAULT 0;
CREATE TRIGGER holder_password_changes AFTER UPDATE OF password ON holder
	WHEN OLD.password <> NEW.password
BEGIN
	UPDATE holder SET password_changes = password_changes + 1
		WHERE id = NEW.id;
END;

-- Who may log in, by each of his addresses, wherever its mail goes: local and
-- domain in canonical form.  "user" is his one name from then on, and
-- login_right says until when the login is worth something.  A user who is
-- not hosted here is not in it, on purpose: that is how he can use nothing.
DROP VIEW dovecot_password;
CREATE VIEW dovecot_login AS
	SELECT a.local AS local, n.name AS domain, h.login AS user, h.password,
		h.mailbox || '.' || h.password_changes AS login_right
	FROM domain_name n
	JOIN address a ON a.domain = n.domain
		AND (+a.name = n.name OR +a.name = '*') AND a.builtin = 0
	JOIN holder h ON h.id = a.holder
	WHERE h.kind = 0 AND h.enabled = 1 AND h.mail_system = 0
		AND h.password <> '';

-- The canonical local part for another spelling of it.
CREATE VIEW dovecot_local AS
	SELECT s.given, a.local
	FROM local_spelling s JOIN address a ON a.id = s.address;

-- version 8

-- Who leads to an address is asked before it goes, forwards too.
CREATE INDEX forward_address ON forward (local, domain);

-- version 9

-- What users of the domain may write into From: enum from_header.
ALTER TABLE domain ADD COLUMN from_header INTEGER NOT NULL DEFAULT 0;

-- Who may send as a group or shared mailbox: its members, users, the members
-- of other groups.
ALTER TABLE holder ADD COLUMN members_may_send INTEGER NOT NULL DEFAULT 0;
CREATE TABLE sender (
	holder INTEGER NOT NULL REFERENCES holder ON DELETE CASCADE,
	who INTEGER NOT NULL REFERENCES holder ON DELETE CASCADE,
	PRIMARY KEY (holder, who)
) WITHOUT ROWID;
CREATE INDEX sender_who ON sender (who);

-- version 10

-- A name given instead of another: the line of the change log, and what was
-- rewritten with it, as long as it can be undone.
CREATE TABLE renaming (
	change INTEGER PRIMARY KEY REFERENCES change_log ON DELETE CASCADE,
	what INTEGER NOT NULL,		-- enum renaming_what
	subject INTEGER NOT NULL,	-- id of the holder or domain
	old TEXT NOT NULL,
	new TEXT NOT NULL,
	had_new INTEGER NOT NULL,	-- as an address or alias, before
	kept_old INTEGER NOT NULL
);
-- Addresses with either name, as they were.
CREATE TABLE renamed_address (
	id INTEGER PRIMARY KEY,
	change INTEGER NOT NULL REFERENCES renaming ON DELETE CASCADE,
	holder INTEGER NOT NULL,
	local TEXT NOT NULL,
	name TEXT NOT NULL,
	is_default INTEGER NOT NULL,
	routed INTEGER NOT NULL,
	home INTEGER NOT NULL
);
CREATE INDEX renamed_address_change ON renamed_address (change, name, local);
CREATE TABLE renamed_reference (
	id INTEGER PRIMARY KEY,
	change INTEGER NOT NULL REFERENCES renaming ON DELETE CASCADE,
	kind INTEGER NOT NULL,		-- enum reference_kind
	owner INTEGER NOT NULL,		-- id of the holder or domain
	old TEXT NOT NULL,		-- spellings
	new TEXT NOT NULL,
	is_merged INTEGER NOT NULL	-- stood beside the new one before
);
CREATE INDEX renamed_reference_change ON renamed_reference (change);

-- Whose a line of the change log is, whatever he is called by now; 0: nobody's
-- who has a domain.
ALTER TABLE change_log ADD COLUMN domain INTEGER NOT NULL DEFAULT 0;
UPDATE change_log SET domain = coalesce((SELECT n.domain FROM domain_name n
	WHERE n.name = CASE noun WHEN 'domain' THEN subject
	ELSE substr(subject, instr(subject, '@') + 1) END), 0)
	WHERE noun IN ('domain', 'user', 'address', 'group', 'shared');
CREATE INDEX change_log_domain ON change_log (domain, id);

-- version 11

-- Where a holder stands in lists (sort_key.h); a row that somebody wrote
-- without one stands where its login does.
ALTER TABLE holder ADD COLUMN sort_key TEXT;
UPDATE holder SET sort_key = sort_key(login);
CREATE INDEX holder_place ON holder (coalesce(sort_key, login));
DROP INDEX holder_name;
CREATE INDEX holder_name ON holder
	(name COLLATE NOCASE, coalesce(sort_key, login));
CREATE TRIGGER holder_renamed AFTER UPDATE OF login ON holder BEGIN
	UPDATE holder SET sort_key = sort_key(new.login) WHERE id = new.id;
END;

-- version 12

-- Users and shared mailboxes that were deleted: their mail stays until then, and
-- they can be had back (deleted.h).
CREATE TABLE deleted (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	kind INTEGER NOT NULL,		-- enum holder_kind
	domain INTEGER REFERENCES domain ON DELETE SET NULL,
	login TEXT NOT NULL,
	name TEXT NOT NULL,
	mailbox TEXT NOT NULL UNIQUE,
	mail_system INTEGER NOT NULL,
	system INTEGER REFERENCES system ON DELETE SET NULL,
	enabled INTEGER NOT NULL,
	password TEXT NOT NULL,
	quota_bytes INTEGER NOT NULL,
	forward_keeps_copy INTEGER NOT NULL,
	deleted_at INTEGER NOT NULL DEFAULT (unixepoch()),
	deleted_by TEXT NOT NULL,
	until INTEGER NOT NULL,
	is_erased INTEGER NOT NULL DEFAULT 0	-- nobody gets it back
);
CREATE INDEX deleted_login ON deleted (login);
CREATE INDEX deleted_until ON deleted (until);
CREATE INDEX deleted_domain ON deleted (domain);
CREATE INDEX deleted_system ON deleted (system) WHERE system IS NOT NULL;
CREATE TABLE deleted_address (
	id INTEGER PRIMARY KEY,
	deleted INTEGER NOT NULL REFERENCES deleted ON DELETE CASCADE,
	local TEXT NOT NULL,
	name TEXT NOT NULL,
	routed INTEGER NOT NULL,
	home INTEGER NOT NULL
);
CREATE INDEX deleted_address_deleted ON deleted_address (deleted);
CREATE TABLE deleted_forward (
	id INTEGER PRIMARY KEY,
	deleted INTEGER NOT NULL REFERENCES deleted ON DELETE CASCADE,
	spelling TEXT NOT NULL
);
CREATE INDEX deleted_forward_deleted ON deleted_forward (deleted);

-- version 13

-- What else comes back with who was deleted: the groups he was in, as whom he
-- might send, and who as him.
CREATE TABLE deleted_member (
	id INTEGER PRIMARY KEY,
	deleted INTEGER NOT NULL REFERENCES deleted ON DELETE CASCADE,
	holder INTEGER NOT NULL REFERENCES holder ON DELETE CASCADE,
	spelling TEXT NOT NULL
);
CREATE INDEX deleted_member_deleted ON deleted_member (deleted);
CREATE INDEX deleted_member_holder ON deleted_member (holder);
CREATE TABLE deleted_sender (
	id INTEGER PRIMARY KEY,
	deleted INTEGER NOT NULL REFERENCES deleted ON DELETE CASCADE,
	-- NULL: the one who was deleted
	holder INTEGER REFERENCES holder ON DELETE CASCADE,
	who INTEGER REFERENCES holder ON DELETE CASCADE
);
CREATE INDEX deleted_sender_deleted ON deleted_sender (deleted);
CREATE INDEX deleted_sender_holder ON deleted_sender (holder);
CREATE INDEX deleted_sender_who ON deleted_sender (who);

-- Whoever named the relay may not name this machine: what it resolves to is not
-- this machine, either.
ALTER TABLE domain ADD COLUMN relay_is_elsewhere INTEGER NOT NULL DEFAULT 0;

-- version 14

-- 0 read, 1 write, 2 metrics (enum token_scope).
ALTER TABLE token RENAME COLUMN may_write TO scope;

-- version 15

-- What mail passes before it is accepted, in this order (directory.h).
CREATE TABLE filter (
	position INTEGER PRIMARY KEY,	-- 1, 2, ...
	name TEXT NOT NULL UNIQUE,
	socket TEXT NOT NULL DEFAULT '',	-- wire/endpoint.h
	listeners TEXT NOT NULL DEFAULT '',	-- "mx, submission"; '': all
	direction INTEGER NOT NULL DEFAULT 0,	-- enum filter_direction
	when_down INTEGER NOT NULL DEFAULT 0,	-- enum filter_down
	timeout_s INTEGER NOT NULL DEFAULT 0,	-- 0: not set
	enabled INTEGER NOT NULL DEFAULT 1
);

-- version 16

-- The true client is told to it by XCLIENT, when it announces that.
ALTER TABLE system ADD COLUMN xclient INTEGER NOT NULL DEFAULT 0;

-- Addresses of this machine, at most one of each family, from which mail goes
-- to it, or is sent to the Internet in the domain's name; '': any.
ALTER TABLE system ADD COLUMN outgoing TEXT NOT NULL DEFAULT '';
ALTER TABLE domain ADD COLUMN outgoing TEXT NOT NULL DEFAULT '';

-- Keys that sign what leaves in a domain's name (RFC 6376).
CREATE TABLE dkim_key (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	domain INTEGER NOT NULL REFERENCES domain ON DELETE CASCADE,
	selector TEXT NOT NULL,
	algorithm INTEGER NOT NULL,	-- enum dkim_algorithm
	state INTEGER NOT NULL DEFAULT 0,	-- enum dkim_state
	private TEXT NOT NULL,		-- PEM, PKCS #8
	since_s INTEGER NOT NULL,	-- in this state
	UNIQUE (domain, selector)
);
