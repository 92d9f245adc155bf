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
	/* TCP: who lost power while we wait for his word never says so.  Found
	 * out as soon as he is back, or after a minute and a half; the kernel's
	 * own two hours would outlast every time limit */
	KEEPALIVE_IDLE_S = 30,
	KEEPALIVE_INTERVAL_S = 10,
	KEEPALIVE_PROBES = 6,

	/* wire */
	LIMIT_COMMAND_BYTES = 2048,    /* RFC 5321 4.5.3.1.4 asks 512; AUTH and
					   DSN parameters need more */
	LIMIT_AUTH_LINE_BYTES = 12288, /* RFC 4954 4 */
	LIMIT_LOCAL_BYTES = 512,       /* of others: Exchange's own end at 315
					   (IMCEAEX), and SRS or VERP may go
					   around one.  A whole path still fits
					   into a line of a header (998) */
	LIMIT_STRICT_LOCAL_BYTES = 64, /* of ours: RFC 5321 4.5.3.1.1 */
	LIMIT_DOMAIN_BYTES = 255,      /* RFC 5321 4.5.3.1.2 */
	LIMIT_LABEL_BYTES = 63,        /* RFC 1035 2.3.4 */
	LIMIT_PATH_BYTES = 768,        /* local@domain */
	LIMIT_ENVID_BYTES = 100,       /* RFC 3461 4.4 */
	LIMIT_ORCPT_BYTES = 500,       /* RFC 3461 4.2 */
	LIMIT_REPLY_LINE_BYTES = 1024, /* a next hop's line; longer is cut */
	LIMIT_REPLY_BYTES = 4096,      /* a next hop's whole reply, kept */
	LIMIT_REPLY_LINES = 100,       /* more is a hostile next hop */
	LIMIT_HEADER_BYTES = 1048576,  /* To: with thousands, ARC of six hops;
					   Exchange takes 256 KB, Exim 1 MiB,
					   Postfix 100 KB for each field */
	LIMIT_HEADER_LINES = 30000,    /* folded ones: as many addresses as
					   1 MiB has room for; shorter ones
					   would hold a loop up for long */
	LIMIT_HEADER_FIELDS = 5000,    /* Dovecot was drowned in them:
					   CVE-2024-23184; not lines, as a To:
					   of thousands has one for each */
	LIMIT_AUTHORS = 100,           /* addresses in a From that are looked
					   at where the domain wants it */
	LIMIT_AUTH_RESULTS = 100,      /* in one field of one filter */
	LIMIT_RECEIVED = 50,           /* hops, as Postfix hopcount_limit */
	LIMIT_TRAIL_BYTES = 1024,      /* one recipient's loop trail */
	LIMIT_TRAIL_JOINED = 120, /* entries looked at, of RCPT and header */

	LIMIT_FIELD_NAME_BYTES = 200,        /* of a field that a filter adds */
	LIMIT_MILTER_PACKET_BYTES = 1048576, /* of a filter: what one field may
					   have; 64 KB is the protocol's own
					   size.  A new body may be as large as
					   a message */

	/* filters */
	LIMIT_FILTER_CONNECT_MS = 10000, /* until it has agreed: a mail waits */
	LIMIT_CLIENT_NAME_MS = 5000,     /* once a session that has filters: a
					    mail waits for it */
	LIMIT_DNSBL_MS = 4000,         /* all lists together, once a session */
	LIMIT_DNSBLS = 20,             /* of one listener */
	LIMIT_FILTER_REST_MS = 5000,   /* after that was too short: until a mail
					waits for it again */
	LIMIT_FILTER_MAIL_MS = 540000, /* all of them and all of a mail: the
					  client waits for 10 minutes */
	LIMIT_FILTER_IDLE = 10, /* connections kept for one, per thread */
	LIMIT_FILTER_IDLE_MS = 60000,
	LIMIT_FILTER_CHANGES = 1000, /* of one mail, of all its filters */
	LIMIT_FILTER_CHANGE_BYTES =
		1048576, /* of what they add to its header */

	/* session */
	LIMIT_RECIPIENTS = 1000, /* a mail; RFC 5321 4.5.3.1.8 asks 100 */
	LIMIT_CONNECTIONS_PER_IP = 50,
	LIMIT_CONNECTIONS = 20000,
	LIMIT_CONNECTIONS_OF_USER = 50, /* of this machine, by sendmail, which
					   tries again: as from one address */
	LIMIT_CONNECTIONS_OF_PROGRAMS = 500, /* of all its users: one who may
					   be many users cannot take the
					   connections of port 25 */
	LIMIT_SOFT_ERRORS = 10,    /* then each error costs a second */
	LIMIT_HARD_ERRORS = 20,    /* then 421 */
	LIMIT_ERROR_MS = 1000,     /* what one costs between the two */
	LIMIT_JUNK_COMMANDS = 100, /* NOOP, RSET, VRFY... between mails */
	LIMIT_COMMAND_MS = 300000, /* for a whole line, not for a byte */
	LIMIT_COMMAND_STRESS_MS = 10000,
	LIMIT_PROXY_BYTES = 4096, /* a PROXY header: certificates in it */
	LIMIT_PROXY_MS = 10000,   /* until it is there: who brings it is near */
	LIMIT_LISTINGS = 4,       /* of the queue at once, for mailq of users */
	LIMIT_LISTING_MS = 120000,    /* for a whole one: 100,000 messages */
	LIMIT_DATA_MS = 600000,       /* for a body of ordinary size */
	LIMIT_DATA_BYTES_PER_S = 100, /* slower than this is an attack */

	/* message */
	LIMIT_MESSAGE_BYTES = 104857600,
	LIMIT_BODY_MEMORY_BYTES = 131072, /* larger goes to a file */
	LIMIT_BODY_PIECE_BYTES = 65536, /* of a file, gathered for one write */
	LIMIT_BODY_ROW_BYTES = 131072,  /* kept in the queue's row up to here */
	LIMIT_BODIES_MEMORY_BYTES = 268435456, /* of all bodies together; then
					   they go to files straight away */
	LIMIT_BOUNCE_BYTES = 50000,            /* of the message, in a DSN */
	LIMIT_DEAD_LETTER_BYTES = 10485760,    /* then nothing is added: cron's
					   jobs fill no disk */
	LIMIT_EXPANSION = 5000,         /* addresses one recipient may become */
	LIMIT_EXPANSION_LOOKED = 20000, /* looked at for that: groups overlap */
	LIMIT_EXPANSION_DEPTH = 20,
	LIMIT_MAIL_LEGS = 10000,   /* what all recipients of a mail become;
					   then 452: the rest in another mail.
					   Twice what one may, some 10 MB */
	LIMIT_ROUTE_STEP = 500,    /* addresses looked at in one go: some 5 ms
					   in which nobody else is served */
	LIMIT_CALLER_NAMES = 4096, /* of hosts of systems, remembered per loop
					   with up to LIMIT_HOSTS addresses */
	LIMIT_RESOLVE_CALLER_MS = 5000, /* a client waits for it at RCPT */
	LIMIT_REASONS = 500,            /* of one decision; a group has many */

	/* outgoing */
	LIMIT_HOSTS = 16,              /* next hops tried for one system */
	LIMIT_DESTINATION_MAILS = 20,  /* at once, as Postfix has it of a
					 domain */
	LIMIT_DESTINATION_REST_S = 60, /* the first time that it is too much;
					    twice as long each further one */
	LIMIT_DESTINATION_REST_MOST_S = 3600,
	LIMIT_DESTINATIONS = 4096, /* operators of hosts of the Internet */
	LIMIT_DESTINATION_DOMAINS = 256, /* of each, whose mail was put off */
	LIMIT_TLSA = 32,       /* certificates that DNS names for one host: few
					   have more than four */
	LIMIT_TXT = 64,        /* texts of one name in DNS */
	LIMIT_SPF_TERMS = 256, /* of one SPF record */
	LIMIT_SPF_NAME_BYTES = 512,      /* a name in it, macros and all */
	LIMIT_SPF_ASKED = 60,            /* look-ups of one that are followed:
				   ten are allowed */
	LIMIT_SPF_BLOCKS = 4096,         /* addresses that pass by one */
	LIMIT_PUBLISH_MS = 10000,        /* for all records of a domain */
	LIMIT_PUBLISH_TEXT_BYTES = 8192, /* of one, shown */
	LIMIT_PUBLISH_REMARKS = 40,      /* on one of them */
	LIMIT_DMARC_REPORTS = 16,        /* addresses of a DMARC record */
	LIMIT_STS_RECORD_MS = 5000,     /* whether there is a policy, while mail
				   waits: some name servers say nothing
				   about such names */
	LIMIT_STS_MS = 10000,           /* the policy, likewise */
	LIMIT_STS_DOMAINS = 4000,       /* policies that are remembered */
	LIMIT_STS_FILE_BYTES = 1 << 26, /* all of these, at their longest */
	LIMIT_STS_HOSTS = 64,           /* mx lines of a policy of MTA-STS */
	LIMIT_STS_BYTES = 65536,        /* a policy (RFC 8461 3.3: 64 KiB) */
	LIMIT_CONNECT_MS = 30000,
	LIMIT_FIRST_HOST_MS = 8000,   /* to be greeted, while others are left
					   to be tried: postscreen and greet
					   pauses take 6 */
	LIMIT_TLS_MS = 10000,         /* STARTTLS and handshake, where clear
					   text is the way out */
	LIMIT_XCLIENT_MS = 15000,     /* XCLIENT, the greeting and EHLO anew,
					 until it is clear that it goes without */
	LIMIT_CHUNK_MS = 15000,       /* a first BDAT's answer, until it is
					   taken for one that never comes */
	LIMIT_PROBE_WAIT_MS = 10000,  /* a client waits for it at RCPT, then
					   it goes on without him */
	LIMIT_PROBE_MS = 180000,      /* of the question itself: a system that
					   greets after 40 s and takes as long
					   for each reply is asked all the same;
					   the next one is asked by then */
	LIMIT_PROBE_LATER_MS = 30000, /* nobody waits: mail that was announced
					   has come by then, and answers */
	LIMIT_PROBES = 500,           /* open questions, per thread: a fiber
					   each */
	LIMIT_PROBES_AT_ONCE = 10,    /* to one system, per thread: half of its
					   connections are for mail */
	LIMIT_GUESSES_AT_ONCE = 2,    /* to one system, of all threads, for
					   clients who guess: of the 5 that
					   hosts.h has for questions */
	LIMIT_PROBES_OF_CLIENT = 4,   /* open at once; with more he is taken
					   for one who guesses, and waits */
	LIMIT_PROBES_PER_LINE = 40,   /* on one connection without a mail:
					   each ends with RSET, of which Postfix
					   allows 100 */
	LIMIT_REFUSALS_PER_LINE = 2,  /* likewise: from the third on mailcow
					   sleeps 10 s, Stalwart and mailcow
					   hang up after 5 */
	LIMIT_REFUSALS_OF_CLIENT = 100, /* unknown addresses a stranger may ask
					   another system for in ten minutes: a
					   list with a hundred dead addresses;
					   then he is made to wait */
	LIMIT_REFUSALS_OF_CLIENT_MS = 600000,
	LIMIT_PAUSE_STEP_MS = 100,      /* longer with each one beyond */
	LIMIT_PAUSE_MS = 5000,          /* until it is so long: with 10 s for
					   the question far from the 5 minutes
					   of RFC 5321 4.5.3.2.3 */
	LIMIT_STARTS_OF_NETWORK = 8,    /* clients of one /48 that were refused
					   for the first time in ten minutes:
					   more are one who moves about */
	LIMIT_REFUSALS_OF_SYSTEM = 240, /* unknown addresses that it is asked
					   for in two minutes, before those who
					   were refused before wait for each
					   other: a new connection a second */
	LIMIT_REFUSALS_OF_SYSTEM_MS = 120000,
	LIMIT_REFUSALS_A_DAY = 12,     /* of a system that bans who asks for
					   unknown addresses: Stalwart does
					   after 35 a day.  So many at once and
					   as many again in the course of a day,
					   and users and restarts have some */
	LIMIT_CLIENTS_COUNTED = 20000, /* who were refused lately: some 3 MB */
	LIMIT_REPLY_MS = 300000,       /* RFC 5321 4.5.3.2 */
	LIMIT_FINAL_REPLY_MS = 600000, /* after the final dot: 10 min */
	LIMIT_HANDOVER_MS = 20000,     /* then keep and answer the client */
	LIMIT_VERIFICATIONS = 50000,   /* addresses other systems confirmed, and
					   lines of the file: some 15 MB */
	LIMIT_REFUSALS = 10000,        /* likewise of those they did not, which
					   count for seconds */
	LIMIT_UNPROVED = 10,       /* addresses of a domain a system confirms
					   and none that it refuses: then it is
					   asked for one that is made up */
	LIMIT_VERIFIED_TEXT = 400, /* of a refusal, remembered and shown */
	LIMIT_POOL_IDLE = 20,      /* open connections kept per next hop */
	LIMIT_POOL_IDLE_MS = 30000,
	LIMIT_CONNECTION_MS = 300000, /* its age; as Postfix
					   smtp_connection_reuse_time_limit */
	LIMIT_CONNECTION_MAILS = 500, /* as Exim connection_max_messages */
	LIMIT_PER_HOP = 20,           /* connections at once to one host, of
					   all threads: Exchange's default for
					   one source.  What it allows is
					   learnt */
	LIMIT_NAMED_LOOKED_AT = 200,  /* addresses in To and Cc, for whether a
					   mailbox is named there: half a
					   millisecond; more is a mailing */
	LIMIT_MAILBOXES_AT_ONCE = 4,  /* connections to Dovecot's LMTP, times
					   threads: 8 on two cores took most
					   mail, 40 took less */
	LIMIT_PER_TRANSACTION = 100,  /* recipients in one outgoing mail */

	/* queue */
	LIMIT_RETRY_MIN_S = 300,
	LIMIT_RETRY_MAX_S = 4000,
	LIMIT_EXPIRY_S = 432000,            /* 5 days */
	LIMIT_QUEUE_FREE_BYTES = 268435456, /* less free space: 452.  It is
					   what settling needs, and mail that
					   is being received: a message of the
					   largest size and the log */
	LIMIT_QUEUE_FREE_FILES = 1000,
	LIMIT_QUEUE_LOG_PAGES = 4096, /* 16 MiB of write-ahead log: then it is
					   checkpointed under load, too */

	/* control socket */
	LIMIT_CONTROL_CONNECTIONS = 16, /* console, a monitor, some people */
	LIMIT_CONTROL_LINE_BYTES = 128, /* a question; about a named system */
	LIMIT_CONTROL_MS = 5000,        /* for question and answer together */
	LIMIT_CONTROL_HOPS = 500,       /* whose connections are counted */
	LIMIT_CONTROL_DEADLY = 100,     /* messages named; each has killed us
					   three times */
	LIMIT_CONTROL_TROUBLES = 50,    /* systems that are down, by name */
	LIMIT_CONTROL_ANSWER_BYTES = 9437184,  /* 10,000 domains and systems */
	LIMIT_CONTROL_SYSTEMS_BYTES = 4194304, /* of it; 10,000 domains, of 365
						   bytes each at most, fit into
						   the rest */

	LIMIT_CERTIFICATE_BYTES = 1048576, /* of a chain, or a key */
	LIMIT_CERTIFICATES = 1000, /* in their folder: each has a page of
					   the supervisor's memory, and a
					   handshake looks through them */
	LIMIT_CERTIFICATES_TOLD_BYTES = 1048576, /* of what is shown of them, in
					   an answer of the control socket */
	LIMIT_ALIASES_BYTES = 1048576, /* of /etc/aliases: 20,000 lines */

	/* console */
	LIMIT_CONSOLE_CONNECTIONS = 600,
	LIMIT_CONSOLE_PER_ADDRESS = 200, /* or /64: slow ones keep nobody out */
	LIMIT_CONSOLE_IDLE_S = 30,
	LIMIT_CONSOLE_HEAD_BYTES = 65536, /* request line and fields */
	LIMIT_VALUE_BYTES = 1000, /* of a text said again in a refusal */
	LIMIT_CONSOLE_SEARCH_CHARS = 200,   /* LIKE takes 50,000 bytes */
	LIMIT_CONSOLE_BODY_BYTES = 1048576, /* 10,000 addresses fit */
	LIMIT_CONSOLE_WATCHERS = 150,       /* open event streams; requests need
					   connections, too */
	LIMIT_CONSOLE_WATCHERS_EACH = 10, /* of one session or token: a browser
						   opens 6 connections */
	LIMIT_CONSOLE_OUTLOOK =
		20000,             /* addresses looked at for where a page of
					   the queue would go now: some 200 ms */
	LIMIT_CONSOLE_TESTED = 64, /* systems whose last test is remembered */
	LIMIT_CONSOLE_TESTED_BYTES = 512, /* of their hosts, as text */
	LIMIT_CONSOLE_HISTORIES = 500,    /* domains with an hour of points, of
					   11.5 KB each */

	/* jobs: rows in directory.db, which is backed up and copied */
	LIMIT_JOB_ITEMS = 200000,  /* of one: twice the users the directory
					   is measured with; they are written
					   down in one commit (a second) */
	LIMIT_JOBS_OPEN = 20,      /* of one administrator, not ended */
	LIMIT_JOBS_ENDED = 100,    /* of one administrator, as reports: a
					   bulk change an hour for four days */
	LIMIT_JOBS_A_DAY = 200,    /* of one administrator, open or ended
					   within LIMIT_UNDO_HOURS: these are
					   all kept, so he gets no more */
	LIMIT_JOBS_COUNTED = 5000, /* the newest, for /metrics */
	LIMIT_JOB_DAYS = 30,       /* until a report is forgotten */
	LIMIT_UNDO_HOURS = 24,     /* a mistake is seen by then, and it is a
					   row for each user */

	/* imported password hashes: what each login may cost.  Dovecot's workers
	 * for logins have 256 MiB, and there are eight of them */
	LIMIT_HASH_MEMORY_KIB = 196608,
	LIMIT_HASH_WORK_KIB = 4194304, /* memory times passes: some 3 s */
	LIMIT_HASH_ROUNDS = 5000000,   /* some 3 s of SHA-512-CRYPT */
	LIMIT_HASH_BLOWFISH_COST = 16, /* some 5 s */

	/* runtime */
	LIMIT_STACK_BYTES = 65536, /* a fiber's; a TLS handshake needs 18 K */
	LIMIT_FIBERS = 30000,      /* per process: a guard page is a map */
	LIMIT_STREAM_BUFFER = 16384,
	LIMIT_LOG_BYTES = 1048576, /* of a process, while nobody reads: some
					   6,000 lines */
};

#endif
