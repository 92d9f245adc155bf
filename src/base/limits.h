/*
 * Every size and time a peer can influence, each with its reason.
 *
 * Defaults are those administrators know from Postfix.  What an administrator
 * may change is in splitmail.conf's `limits`; what is here only, is a bound
 * of ours that no legitimate peer reaches.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

enum {
	/* wire */
	LIMIT_COMMAND_BYTES = 2048,	/* RFC 5321 4.5.3.1.4 asks 512; AUTH and
					   DSN parameters need more */
	LIMIT_AUTH_LINE_BYTES = 12288,	/* RFC 4954 4 */
	LIMIT_LOCAL_BYTES = 64,		/* RFC 5321 4.5.3.1.1 */
	LIMIT_DOMAIN_BYTES = 255,	/* RFC 5321 4.5.3.1.2 */
	LIMIT_LABEL_BYTES = 63,		/* RFC 1035 2.3.4 */
	LIMIT_PATH_BYTES = 320,		/* local@domain */
	LIMIT_ENVID_BYTES = 100,	/* RFC 3461 4.4 */
	LIMIT_ORCPT_BYTES = 500,	/* RFC 3461 4.2 */
	LIMIT_REPLY_LINE_BYTES = 1024,	/* a next hop's line; longer is cut */
	LIMIT_REPLY_BYTES = 4096,	/* a next hop's whole reply, kept */
	LIMIT_REPLY_LINES = 100,	/* more is a hostile next hop */
	LIMIT_HEADER_BYTES = 102400,	/* as Postfix header_size_limit */
	LIMIT_HEADER_LINES = 5000,	/* Dovecot was drowned in headers:
					   CVE-2024-23184 */
	LIMIT_RECEIVED = 50,		/* hops, as Postfix hopcount_limit */
	LIMIT_TRAIL_BYTES = 1024,	/* one recipient's loop trail */
	LIMIT_TRAIL_JOINED = 120,	/* entries looked at, of RCPT and header */

	/* session */
	LIMIT_RECIPIENTS = 1000,	/* a mail; RFC 5321 4.5.3.1.8 asks 100 */
	LIMIT_CONNECTIONS_PER_IP = 50,
	LIMIT_CONNECTIONS = 20000,
	LIMIT_SOFT_ERRORS = 10,		/* then each error costs a second */
	LIMIT_HARD_ERRORS = 20,		/* then 421 */
	LIMIT_ERROR_MS = 1000,		/* what one costs between the two */
	LIMIT_JUNK_COMMANDS = 100,	/* NOOP, RSET, VRFY... between mails */
	LIMIT_COMMAND_MS = 300000,	/* for a whole line, not for a byte */
	LIMIT_COMMAND_STRESS_MS = 10000,
	LIMIT_DATA_MS = 600000,		/* for a body of ordinary size */
	LIMIT_DATA_BYTES_PER_S = 100,	/* slower than this is an attack */

	/* message */
	LIMIT_MESSAGE_BYTES = 104857600,
	LIMIT_BODY_MEMORY_BYTES = 131072,	/* larger goes to a file */
	LIMIT_BODY_ROW_BYTES = 131072,	/* kept in the queue's row up to here */
	LIMIT_BODIES_MEMORY_BYTES = 268435456,	/* of all bodies together; then
					   they go to files straight away */
	LIMIT_BOUNCE_BYTES = 50000,	/* of the message, in a DSN */
	LIMIT_EXPANSION = 5000,		/* addresses one recipient may become */
	LIMIT_EXPANSION_DEPTH = 20,
	LIMIT_REASONS = 500,		/* of one decision; a group has many */

	/* outgoing */
	LIMIT_HOSTS = 16,		/* next hops tried for one system */
	LIMIT_CONNECT_MS = 30000,
	LIMIT_PROBE_MS = 10000,		/* a client waits for it at RCPT */
	LIMIT_REPLY_MS = 300000,	/* RFC 5321 4.5.3.2 */
	LIMIT_FINAL_REPLY_MS = 600000,	/* after the final dot: 10 min */
	LIMIT_HANDOVER_MS = 20000,	/* then keep and answer the client */
	LIMIT_VERIFICATIONS = 50000,	/* remembered, per loop: some 15 MB */
	LIMIT_VERIFIED_TEXT = 400,	/* of a refusal, remembered and shown */
	LIMIT_POOL_IDLE = 20,		/* open connections kept per next hop */
	LIMIT_POOL_IDLE_MS = 30000,
	LIMIT_PER_HOP = 20,		/* connections at once to one next hop,
					   per thread */
	LIMIT_PER_TRANSACTION = 100,	/* recipients in one outgoing mail */

	/* queue */
	LIMIT_RETRY_MIN_S = 300,
	LIMIT_RETRY_MAX_S = 4000,
	LIMIT_EXPIRY_S = 432000,	/* 5 days */
	LIMIT_QUEUE_FREE_BYTES = 268435456,	/* less free space: 452.  It is
					   what settling needs, and mail that
					   is being received: a message of the
					   largest size and the log */
	LIMIT_QUEUE_FREE_FILES = 1000,
	LIMIT_QUEUE_LOG_PAGES = 4096,	/* 16 MiB of write-ahead log: then it is
					   checkpointed under load, too */

	/* control socket */
	LIMIT_CONTROL_CONNECTIONS = 16,	/* console, a monitor, some people */
	LIMIT_CONTROL_LINE_BYTES = 64,	/* a question */
	LIMIT_CONTROL_MS = 2000,	/* for question and answer together */
	LIMIT_CONTROL_HOPS = 500,	/* whose connections are counted */
	LIMIT_CONTROL_ANSWER_BYTES = 8388608,	/* 10,000 domains and systems */
	LIMIT_CONTROL_SYSTEMS_BYTES = 4194304,	/* of it; 10,000 domains, of 365
						   bytes each at most, fit into
						   the rest */

	/* console */
	LIMIT_CONSOLE_CONNECTIONS = 600,
	LIMIT_CONSOLE_PER_ADDRESS = 200,	/* slow ones keep nobody out */
	LIMIT_CONSOLE_IDLE_S = 30,
	LIMIT_CONSOLE_HEAD_BYTES = 65536,	/* request line and fields */
	LIMIT_VALUE_BYTES = 1000,	/* of a text said again in a refusal */
	LIMIT_CONSOLE_BODY_BYTES = 1048576,	/* 10,000 addresses fit */
	LIMIT_CONSOLE_WATCHERS = 150,	/* open event streams; requests need
					   connections, too */
	LIMIT_CONSOLE_WATCHERS_EACH = 10,	/* of one session or token: a browser
						   opens 6 connections */
	LIMIT_CONSOLE_HISTORIES = 500,	/* domains with an hour of points, of
					   11.5 KB each */

	/* jobs: rows in directory.db, which is backed up and copied */
	LIMIT_JOB_ITEMS = 200000,	/* of one: twice the users the directory
					   is measured with; they are written
					   down in one commit (a second) */
	LIMIT_JOBS_OPEN = 20,		/* of one administrator, not ended */
	LIMIT_JOBS_ENDED = 100,		/* of one administrator, as reports: a
					   bulk change an hour for four days */
	LIMIT_JOBS_A_DAY = 200,		/* of one administrator, open or ended
					   within LIMIT_UNDO_HOURS: these are
					   all kept, so he gets no more */
	LIMIT_JOB_DAYS = 30,		/* until a report is forgotten */
	LIMIT_UNDO_HOURS = 24,		/* a mistake is seen by then, and it is a
					   row for each user */

	/* runtime */
	LIMIT_STACK_BYTES = 65536,	/* a fiber's; a TLS handshake needs 18 K */
	LIMIT_FIBERS = 30000,		/* per process: a guard page is a map */
	LIMIT_STREAM_BUFFER = 16384,
};

#endif
