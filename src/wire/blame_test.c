/* Whose fault is it: replies of real systems (blame.h). */
#include "wire/blame.h"

#include "base/fail.h"
#include "base/test.h"

struct sample {
	enum smtp_verb verb;
	const char *reply; /* one line, or "550-...\r\n550 ..." */
	enum blame whose;
	enum remedy remedy;
};

static struct judgement judge(enum smtp_verb verb, bool extended,
			      const char *said)
{
	struct arena *arena scoped(arena) = arena_open();
	struct str wire = str_of(arena_printf(arena, "%s\r\n", said));
	struct reply r;
	size_t used;

	if (reply_parse(wire, arena, &r, &used) != REPLY_WHOLE)
		fail_msg("%s: %s", said, cause());
	return blame_judge(verb, extended, &r);
}

static void judge_all(const struct sample *s, size_t n, bool extended)
{
	for (size_t i = 0; i < n; i++) {
		struct judgement j = judge(s[i].verb, extended, s[i].reply);

		if (j.whose != s[i].whose || j.remedy != s[i].remedy)
			fail_msg("%s: blames %d, remedy %d", s[i].reply,
				 j.whose, j.remedy);
	}
}

#define JUDGE(samples) judge_all(samples, array_size(samples), false)
#define EACH(whose, remedy) BLAME_##whose, REMEDY_##remedy

static void nobodys(void **unused)
{
	static const struct sample good[] = {
		{ VERB_CONNECT, "220 mx.test ESMTP", EACH(NOBODY, NONE) },
		{ VERB_RCPT, "251 2.1.5 forwarding", EACH(NOBODY, NONE) },
		{ VERB_DATA, "354 go ahead", EACH(NOBODY, NONE) },
		{ VERB_DOT, "250 2.0.0 too many recipients, but well",
		  EACH(NOBODY, NONE) },
	};

	JUDGE(good);
}

/* What servers say is read as a table: */
/* clang-format off */

/* What the client chose is repeated by most systems. */
static void addresses_are_no_words(void **unused)
{
	static const struct sample unknown[] = {
		{ VERB_RCPT, "550 5.1.1 <daily@a.test>: Recipient address "
		  "rejected: User unknown", EACH(RECIPIENT, REFUSED) },
		{ VERB_RCPT, "550 5.1.1 <\"too many connections\"@a.test>... "
		  "User unknown", EACH(RECIPIENT, REFUSED) },
		{ VERB_RCPT, "550 5.1.1 \"too many messages\"@a.test unknown",
		  EACH(RECIPIENT, REFUSED) },
		{ VERB_RCPT, "550 unknown: throttle+rbl@a.test",
		  EACH(RECIPIENT, REFUSED) },
		{ VERB_RCPT, "550-5.1.1 no\r\n550 5.1.1 <spf@dmarc.test>",
		  EACH(RECIPIENT, REFUSED) },
		/* no address, however it looks */
		{ VERB_RCPT, "452 4.5.3 \"too many recipients\"",
		  EACH(MAIL, FURTHER) },
		{ VERB_RCPT, "550 <daily", EACH(RECIPIENT, REFUSED) },
	};

	JUDGE(unknown);
}

/* Limits of a connection are no verdict on the mail. */
static void limits_of_a_connection(void **unused)
{
	static const struct sample fresh[] = {
		/* Stalwart */
		{ VERB_DATA, "452 4.4.5 Maximum number of messages per session "
		  "exceeded.", EACH(CONNECTION, FRESH) },
		{ VERB_MAIL, "452 4.4.5 Maximum number of messages per session "
		  "exceeded.", EACH(CONNECTION, FRESH) },
		{ VERB_MAIL, "421 4.7.0 Too many messages in this connection",
		  EACH(CONNECTION, FRESH) },
		/* Exim */
		{ VERB_MAIL, "421 too many messages in this connection",
		  EACH(CONNECTION, FRESH) },
		{ VERB_MAIL, "421 Too many nonmail commands",
		  EACH(CONNECTION, FRESH) },
		{ VERB_RCPT, "421 too many unrecognized commands",
		  EACH(CONNECTION, FRESH) },
		/* Postfix */
		{ VERB_RCPT, "421 4.7.0 mx.test Error: too many errors",
		  EACH(CONNECTION, FRESH) },
		{ VERB_MAIL, "421 4.4.2 mx.test Error: timeout exceeded",
		  EACH(CONNECTION, FRESH) },
		/* Exchange */
		{ VERB_MAIL, "421 4.4.1 Connection timed out",
		  EACH(CONNECTION, FRESH) },
		{ VERB_RCPT, "421 4.7.0 Too many errors on this connection, "
		  "closing transmission channel", EACH(CONNECTION, FRESH) },
		{ VERB_MAIL, "421 4.4.2 Message submission rate for this "
		  "client has exceeded the configured limit",
		  EACH(CONNECTION, FRESH) },
		{ VERB_MAIL, "421 4.4.2 Connection dropped due to SocketError",
		  EACH(CONNECTION, FRESH) },
		/* sendmail */
		{ VERB_RCPT, "421 4.7.0 mx.test Too many bad commands; closing "
		  "connection", EACH(CONNECTION, FRESH) },
		/* Haraka, qpsmtpd, others */
		{ VERB_MAIL, "452 Too many emails in one session",
		  EACH(CONNECTION, FRESH) },
		{ VERB_MAIL, "450 4.7.1 Error: too many mails from this "
		  "connection", EACH(CONNECTION, FRESH) },
		{ VERB_MAIL, "554 5.7.0 Too many messages for this session",
		  EACH(CONNECTION, FRESH) },
		{ VERB_DOT, "451 4.7.1 too many messages, reconnect",
		  EACH(CONNECTION, FRESH) },
		{ VERB_RCPT, "452 4.5.3 Too many recipients in this session",
		  EACH(CONNECTION, FRESH) },
		{ VERB_MAIL, "503 5.5.1 Error: nested MAIL command",
		  EACH(CONNECTION, FRESH) },
		{ VERB_RCPT, "503 5.5.1 Error: need MAIL command",
		  EACH(CONNECTION, FRESH) },
		{ VERB_DOT, "421 4.3.0 closing connection",
		  EACH(CONNECTION, FRESH) },
		{ VERB_RSET, "421 4.7.0 Too many RSETs",
		  EACH(CONNECTION, FRESH) },
		/* Yahoo, GoDaddy, Cox, Gmail */
		{ VERB_MAIL, "421 Max message per connection reached, closing "
		  "transmission channel", EACH(CONNECTION, FRESH) },
		{ VERB_DOT, "550 This message has exceeded the max number of "
		  "messages per session. Open a new session and try again. "
		  "IB510", EACH(CONNECTION, FRESH) },
		{ VERB_MAIL, "451 mx.test ESMTP 100 message threshold exceeded",
		  EACH(CONNECTION, FRESH) },
		{ VERB_MAIL, "451 4.4.2 Timeout - closing connection. gsmtp",
		  EACH(CONNECTION, FRESH) },
		{ VERB_RCPT, "451 4.7.0 Connection expired, try reconnecting",
		  EACH(CONNECTION, FRESH) },
		{ VERB_RCPT, "450 4.4.2 bad connection",
		  EACH(CONNECTION, FRESH) },
	};

	JUDGE(fresh);
}

static void limits_of_connections(void **unused)
{
	static const struct sample room[] = {
		/* Postfix */
		{ VERB_CONNECT, "421 4.7.0 mx.test Error: too many connections "
		  "from 192.0.2.1", EACH(CONNECTION, ROOM) },
		/* Exchange, Exchange Online, Outlook.com */
		{ VERB_CONNECT, "421 4.3.2 The maximum number of concurrent "
		  "server connections has exceeded a limit, closing "
		  "transmission channel", EACH(CONNECTION, ROOM) },
		{ VERB_CONNECT, "421 4.3.2 The maximum number of concurrent "
		  "connections has exceeded a per-source limit, closing "
		  "transmission channel", EACH(CONNECTION, ROOM) },
		{ VERB_MAIL, "451 4.7.652 The mail server [192.0.2.1] has "
		  "exceeded the maximum number of connections. (S3115)",
		  EACH(CONNECTION, ROOM) },
		/* Exim */
		{ VERB_CONNECT, "421 Too many concurrent SMTP connections from "
		  "this IP address; please try again later",
		  EACH(CONNECTION, ROOM) },
		/* Yahoo, GoDaddy, VPOP3, SparkPost, SYMANTEC */
		{ VERB_CONNECT, "421 4.7.1 [TS02] Too many sessions opened",
		  EACH(CONNECTION, ROOM) },
		{ VERB_CONNECT, "421 Connection refused, too many sessions "
		  "from 192.0.2.1.", EACH(CONNECTION, ROOM) },
		{ VERB_CONNECT, "421 4.3.2 Too many connections from your IP "
		  "address - try later", EACH(CONNECTION, ROOM) },
		{ VERB_CONNECT, "421 4.4.5 Service unavailable, concurrency "
		  "limit reached", EACH(CONNECTION, ROOM) },
		{ VERB_CONNECT, "554 5.7.1 Too many concurrent connections",
		  EACH(CONNECTION, ROOM) },
		/* Orange, Mimecast, sendmail */
		{ VERB_CONNECT, "421 mwinf5c79 ME Trop de connexions, veuillez "
		  "verifier votre configuration. OFR005_104 [104]",
		  EACH(CONNECTION, ROOM) },
		{ VERB_RCPT, "550 exceeding outbound thread limit",
		  EACH(CONNECTION, ROOM) },
		{ VERB_CONNECT, "421 4.3.2 Too many open connections.",
		  EACH(CONNECTION, ROOM) },
		{ VERB_MAIL, "451 4.7.0 Maximum open connections reached",
		  EACH(CONNECTION, ROOM) },
	};

	JUDGE(room);
}

static void limits_of_a_mail(void **unused)
{
	static const struct sample further[] = {
		/* Postfix, Exchange, Gmail */
		{ VERB_RCPT, "452 4.5.3 Error: too many recipients",
		  EACH(MAIL, FURTHER) },
		{ VERB_RCPT, "452 4.5.3 Too many recipients (AAMS1)",
		  EACH(MAIL, FURTHER) },
		{ VERB_RCPT, "452 4.5.3 Your message has too many recipients. "
		  "For more information regarding Google's sending limits",
		  EACH(MAIL, FURTHER) },
		{ VERB_RCPT, "452-4.5.3 Domain policy size per transaction "
		  "exceeded, please try this recipient\r\n452 4.5.3 in a "
		  "separate transaction. gsmtp", EACH(MAIL, FURTHER) },
		{ VERB_RCPT, "451-4.3.0 Multiple destination domains per "
		  "transaction is unsupported.\r\n451 4.3.0 Please try again.",
		  EACH(MAIL, FURTHER) },
		/* Exim, sendmail, go-smtp, RFC 5321 4.5.3.1.10 */
		{ VERB_RCPT, "452 too many recipients", EACH(MAIL, FURTHER) },
		{ VERB_RCPT, "552 too many recipients", EACH(MAIL, FURTHER) },
		{ VERB_RCPT, "552 5.5.3 Maximum limit of 50 recipients "
		  "reached", EACH(MAIL, FURTHER) },
		{ VERB_RCPT, "550 5.5.3 too many recipients",
		  EACH(MAIL, FURTHER) },
		{ VERB_RCPT, "452 #4.5.3 Too many recipients.",
		  EACH(MAIL, FURTHER) },
		{ VERB_RCPT, "451 out of allow RCPT numbers.",
		  EACH(MAIL, FURTHER) },
		{ VERB_RCPT, "452 4.5.3 Recipient limit reached",
		  EACH(MAIL, FURTHER) },
		{ VERB_RCPT, "452 ok, but no more", EACH(MAIL, FURTHER) },
		{ VERB_DATA, "554 5.5.3 Too many recipients",
		  EACH(MAIL, FURTHER) },
		{ VERB_DOT, "550 5.5.3 RESOLVER.ADR.RecipLimit; too many "
		  "recipients", EACH(MAIL, FURTHER) },
		{ VERB_BDAT, "552 5.5.3 Too many recipients",
		  EACH(MAIL, FURTHER) },
	};

	JUDGE(further);
}

static void the_inability_of_a_host(void **unused)
{
	static const struct sample plain[] = {
		/* nginx in front; Exchange; hMailServer */
		{ VERB_BDAT, "502 5.5.1 command not implemented",
		  EACH(HOST, PLAIN) },
		{ VERB_BDAT, "503 5.5.1 bad sequence of commands",
		  EACH(HOST, PLAIN) },
		{ VERB_BDAT, "500 5.5.2 unrecognized command",
		  EACH(HOST, PLAIN) },
		{ VERB_BDAT, "504 5.5.4 not implemented", EACH(HOST, PLAIN) },
		{ VERB_STARTTLS, "454 4.7.0 TLS not available due to local "
		  "problem", EACH(HOST, PLAIN) },
		{ VERB_STARTTLS, "502 5.5.1 Error: command not implemented",
		  EACH(HOST, PLAIN) },
		{ VERB_STARTTLS, "421 4.7.0 no", EACH(HOST, PLAIN) },
	};
	static const struct sample extended[] = {
		{ VERB_MAIL, "555 5.5.4 Unsupported option: RET=HDRS",
		  EACH(HOST, PLAIN) },
		{ VERB_MAIL, "501 5.5.4 Syntax error in parameters",
		  EACH(HOST, PLAIN) },
		{ VERB_RCPT, "504 Command parameter not implemented",
		  EACH(HOST, PLAIN) },
		{ VERB_RCPT, "555 5.5.4 RCPT TO parameters not recognized",
		  EACH(HOST, PLAIN) },
		{ VERB_RCPT, "501 5.1.3 Bad recipient address syntax",
		  EACH(RECIPIENT, REFUSED) },
		{ VERB_MAIL, "501 5.1.7 Bad sender address syntax",
		  EACH(MESSAGE, REFUSED) },
		{ VERB_RCPT, "550 5.1.1 unknown", EACH(RECIPIENT, REFUSED) },
	};
	static const struct sample bare[] = {
		{ VERB_MAIL, "555 5.5.4 syntax error",
		  EACH(MESSAGE, REFUSED) },
		{ VERB_RCPT, "501 5.5.4 syntax error",
		  EACH(RECIPIENT, REFUSED) },
		{ VERB_CONNECT, "554 5.7.1 no SMTP service here",
		  EACH(HOST, LATER) },
		{ VERB_CONNECT, "421 4.3.2 Service not active",
		  EACH(HOST, LATER) },
		{ VERB_EHLO, "421 4.3.2 try later", EACH(HOST, LATER) },
	};

	JUDGE(plain);
	judge_all(extended, array_size(extended), true);
	JUDGE(bare);
}

static void the_recipient(void **unused)
{
	static const struct sample his[] = {
		/* Postfix, Zimbra, Exim, sendmail, qmail, Haraka, Stalwart */
		{ VERB_RCPT, "550 5.1.1 <x@b.test>: Recipient address "
		  "rejected: User unknown in relay recipient table",
		  EACH(RECIPIENT, REFUSED) },
		{ VERB_RCPT, "550 5.1.1 <x@b.test>: Recipient address "
		  "rejected: b.test", EACH(RECIPIENT, REFUSED) },
		{ VERB_RCPT, "550 Unrouteable address",
		  EACH(RECIPIENT, REFUSED) },
		{ VERB_RCPT, "550 5.1.1 <x@b.test>... User unknown",
		  EACH(RECIPIENT, REFUSED) },
		{ VERB_RCPT, "550 sorry, no mailbox here by that name (#5.1.1)",
		  EACH(RECIPIENT, REFUSED) },
		{ VERB_RCPT, "550 I cannot deliver mail for x@b.test",
		  EACH(RECIPIENT, REFUSED) },
		{ VERB_RCPT, "550 5.1.2 Mailbox does not exist.",
		  EACH(RECIPIENT, REFUSED) },
		/* Exchange, Exchange Online, Gmail, Yahoo */
		{ VERB_RCPT, "550 5.1.1 User unknown",
		  EACH(RECIPIENT, REFUSED) },
		{ VERB_RCPT, "550 5.1.10 RESOLVER.ADR.RecipientNotFound; "
		  "Recipient not found by SMTP address lookup",
		  EACH(RECIPIENT, REFUSED) },
		{ VERB_RCPT, "550 5.4.1 Recipient address rejected: Access "
		  "denied. [X.prod.protection.outlook.com]",
		  EACH(RECIPIENT, REFUSED) },
		{ VERB_RCPT, "550-5.1.1 The email account that you tried to "
		  "reach does not exist. Please try\r\n550 5.1.1 "
		  "double-checking. gsmtp", EACH(RECIPIENT, REFUSED) },
		{ VERB_RCPT, "550-5.2.1 The email account that you tried to "
		  "reach is inactive\r\n550 5.2.1 gsmtp",
		  EACH(RECIPIENT, REFUSED) },
		{ VERB_RCPT, "554 delivery error: dd This user doesn't have a "
		  "yahoo.com account", EACH(RECIPIENT, REFUSED) },
		/* the whole message for one of them: Exchange, Yahoo */
		{ VERB_DOT, "550 5.1.1 User unknown",
		  EACH(RECIPIENT, REFUSED) },
		{ VERB_BDAT, "550 5.1.10 RESOLVER.ADR.RecipientNotFound",
		  EACH(RECIPIENT, REFUSED) },
		{ VERB_DOT, "554 delivery error: dd This user doesn't exist",
		  EACH(RECIPIENT, REFUSED) },
		/* not now: greylisting, full, locked */
		{ VERB_RCPT, "450 4.2.0 <x@b.test>: Recipient address "
		  "rejected: Greylisted, see http://postgrey.test",
		  EACH(RECIPIENT, LATER) },
		{ VERB_RCPT, "451 4.7.1 Greylisting in action, please come "
		  "back later", EACH(RECIPIENT, LATER) },
		{ VERB_RCPT, "452 4.2.2 Mailbox full",
		  EACH(RECIPIENT, LATER) },
		{ VERB_RCPT, "452-4.2.2 The recipient's inbox is out of "
		  "storage space\r\n452 4.2.2 gsmtp",
		  EACH(RECIPIENT, LATER) },
		{ VERB_RCPT, "450 4.2.1 The user you are trying to contact is "
		  "receiving mail too quickly.", EACH(RECIPIENT, LATER) },
		{ VERB_RCPT, "450 4.1.1 <x@b.test>: Recipient address "
		  "rejected: unverified address", EACH(RECIPIENT, LATER) },
		{ VERB_DATA, "554 5.5.1 Error: no valid recipients",
		  EACH(RECIPIENT, REFUSED) },
		/* for one of several: Barracuda, Exim, Dovecot, IronPort */
		{ VERB_DOT, "550 permanent failure for one or more recipients "
		  "(x@b.test:blocked)", EACH(RECIPIENT, REFUSED) },
		{ VERB_DOT, "552 5.2.2 <x@b.test>: user is over quota",
		  EACH(RECIPIENT, REFUSED) },
		{ VERB_DOT, "552 5.2.2 Over quota", EACH(RECIPIENT, REFUSED) },
		{ VERB_DOT, "552 Mailbox is full", EACH(RECIPIENT, REFUSED) },
		{ VERB_BDAT, "550 5.2.3 RESOLVER.RST.RecipSizeLimit; message "
		  "too large for this recipient", EACH(RECIPIENT, REFUSED) },
		{ VERB_DOT, "550 #5.1.0 Address rejected.",
		  EACH(RECIPIENT, REFUSED) },
		{ VERB_DATA, "451 4.3.0 temporary failure for one or more "
		  "recipients", EACH(RECIPIENT, LATER) },
		/* as many mails as a mailbox may hold: docomo, Cyrus */
		{ VERB_RCPT, "552 5.2.2 user has too many messages on the "
		  "server", EACH(RECIPIENT, REFUSED) },
		{ VERB_RCPT, "452 4.2.2 Quota exceeded (number of messages)",
		  EACH(RECIPIENT, LATER) },
		{ VERB_DOT, "452 mailbox contains too many messages",
		  EACH(RECIPIENT, LATER) },
		/* Mimecast; Gmail, Exchange Online, for ever with the same mail */
		{ VERB_RCPT, "503 user unknown", EACH(RECIPIENT, REFUSED) },
		{ VERB_RCPT, "550-5.2.1 The user you are trying to contact is "
		  "receiving mail at a rate\r\n550 5.2.1 that prevents "
		  "additional messages from being delivered.",
		  EACH(RECIPIENT, LATER) },
		{ VERB_DOT, "550 5.2.121 Recipient's per hour message receive "
		  "limit from specific sender exceeded",
		  EACH(RECIPIENT, LATER) },
		/* a name with a word in it */
		{ VERB_RCPT, "550 5.1.1 <x@marbles.test>: Recipient address "
		  "rejected: marbles.test", EACH(RECIPIENT, REFUSED) },
		{ VERB_RCPT, "550 Unknown user in verbland.test",
		  EACH(RECIPIENT, REFUSED) },
		{ VERB_RCPT, "550 5.1.1 <x@spf.test>: Recipient address "
		  "rejected: spf.test", EACH(RECIPIENT, REFUSED) },
	};

	JUDGE(his);
}

static void the_message(void **unused)
{
	static const struct sample its[] = {
		{ VERB_DOT, "550 5.7.1 This message was classified as SPAM",
		  EACH(MESSAGE, REFUSED) },
		{ VERB_DOT, "554 5.7.1 Spam message rejected",
		  EACH(MESSAGE, REFUSED) },
		{ VERB_DOT, "552 5.3.4 Message size exceeds fixed limit",
		  EACH(MESSAGE, REFUSED) },
		{ VERB_MAIL, "552 5.3.4 Message size exceeds fixed maximum "
		  "message size", EACH(MESSAGE, REFUSED) },
		{ VERB_DOT, "554 5.4.6 Hop count exceeded - possible mail loop",
		  EACH(MESSAGE, REFUSED) },
		{ VERB_DOT, "552 Too many received headers",
		  EACH(MESSAGE, REFUSED) },
		{ VERB_DOT, "451 4.7.1 Please try again later",
		  EACH(MESSAGE, LATER) },
		{ VERB_RCPT, "550 5.7.1 <a@b.test>: Sender address rejected: "
		  "not owned by user", EACH(MESSAGE, REFUSED) },
		{ VERB_MAIL, "553 5.1.8 Domain of sender address does not "
		  "resolve", EACH(MESSAGE, REFUSED) },
		{ VERB_DOT, "550-5.7.26 This mail has been blocked because "
		  "the sender is unauthenticated.\r\n550-5.7.26 SPF\r\n550 "
		  "5.7.26 gsmtp", EACH(MESSAGE, REFUSED) },
	};

	JUDGE(its);
}

/* Whatever somebody is called: his address is not what is said of it. */
static void an_address_is_no_word(void **unused)
{
	static const char *const names[] = {
		"marbles", "dmarc", "spf", "relaying", "spamhaus", "hourly",
		"too.many.connections", "message.limit", "over.quota",
		"busy", "throttle", "rcpthosts", "storage", "blacklist",
		"number.of.recipients", "callout", "concurrency" };
	static const char *const shapes[][2] = {
		{ "550 5.1.1 <", "@b.test>: Recipient address rejected: User "
		  "unknown" },
		{ "550 no such user: ", "@b.test" },
		{ "550-no\r\n550 (", "@b.test) here" },
		{ "550 Mailbox <Xx@", ".test> unknown" } };

	for (size_t i = 0; i < array_size(names); i++)
		for (size_t k = 0; k < array_size(shapes); k++) {
			struct arena *arena scoped(arena) = arena_open();
			struct sample one = {
				VERB_RCPT,
				arena_printf(arena, "%s%s%s", shapes[k][0],
					     names[i], shapes[k][1]),
				EACH(RECIPIENT, REFUSED) };

			judge_all(&one, 1, false);
		}
}

static void the_system(void **unused)
{
	static const struct sample its[] = {
		{ VERB_RCPT, "553-sorry,\r\n553 not in my list of allowed "
		  "rcpthosts", EACH(SYSTEM, REFUSED) },
		{ VERB_RCPT, "554 5.7.1 <x@c.test>: Relay access denied",
		  EACH(SYSTEM, REFUSED) },
		{ VERB_RCPT, "550 5.7.1 Unable to relay",
		  EACH(SYSTEM, REFUSED) },
		{ VERB_RCPT, "550 relay not permitted",
		  EACH(SYSTEM, REFUSED) },
		{ VERB_RCPT, "553 sorry, that domain isn't in my list of "
		  "allowed rcpthosts; relaying denied",
		  EACH(SYSTEM, REFUSED) },
		{ VERB_RCPT, "554 5.7.1 Service unavailable; Client host "
		  "[192.0.2.1] blocked using zen.spamhaus.org",
		  EACH(SYSTEM, REFUSED) },
		{ VERB_MAIL, "530 5.7.0 Must issue a STARTTLS command first",
		  EACH(SYSTEM, REFUSED) },
		{ VERB_MAIL, "530 5.7.57 Client not authenticated to send "
		  "mail", EACH(SYSTEM, REFUSED) },
		{ VERB_RCPT, "550 5.7.64 TenantAttribution; Relay Access "
		  "Denied", EACH(SYSTEM, REFUSED) },
		{ VERB_MAIL, "503 5.5.1 Error: authentication required",
		  EACH(SYSTEM, REFUSED) },
		{ VERB_MAIL, "452 4.3.1 Insufficient system resources",
		  EACH(SYSTEM, LATER) },
		{ VERB_RCPT, "452 4.3.1 Insufficient system storage",
		  EACH(SYSTEM, LATER) },
		{ VERB_RCPT, "452 Insufficient system storage",
		  EACH(SYSTEM, LATER) },
		{ VERB_RCPT, "451 4.3.0 <x@b.test>: Temporary lookup failure",
		  EACH(SYSTEM, LATER) },
		{ VERB_MAIL, "450 4.7.1 Error: too much mail from 192.0.2.1",
		  EACH(SYSTEM, LATER) },
		{ VERB_MAIL, "452 4.3.2 Connection rate limit exceeded.",
		  EACH(SYSTEM, LATER) },
		{ VERB_MAIL, "421 4.7.0 [TSS04] Messages from 192.0.2.1 "
		  "temporarily deferred due to unexpected volume or user "
		  "complaints", EACH(SYSTEM, LATER) },
		{ VERB_RCPT, "421 4.7.0 IP not in whitelist for RCPT domain, "
		  "closing connection. gsmtp", EACH(SYSTEM, LATER) },
		{ VERB_RCPT, "452 4.5.3 Too many recipients received this "
		  "hour", EACH(SYSTEM, LATER) },
		{ VERB_AUTH, "535 5.7.8 Error: authentication failed",
		  EACH(SYSTEM, LATER) },
		/* Barracuda, Tencent, Apple, Postfix, GoDaddy, Gmail, SES */
		{ VERB_MAIL, "450 4.7.1 Rate control: too many messages from "
		  "192.0.2.1", EACH(SYSTEM, LATER) },
		{ VERB_MAIL, "550 Connection frequency limited",
		  EACH(SYSTEM, LATER) },
		{ VERB_DOT, "421 4.7.1 Messages to x@b.test deferred due to "
		  "excessive volume.", EACH(SYSTEM, LATER) },
		{ VERB_RCPT, "451 4.7.1 <mx.test[192.0.2.1]>: Client host "
		  "rejected: Please try again slower", EACH(SYSTEM, LATER) },
		{ VERB_MAIL, "451 4.7.1 Too many messages, slow down",
		  EACH(SYSTEM, LATER) },
		{ VERB_MAIL, "451 4.7.1 Too many mails within the last 5 "
		  "minutes", EACH(SYSTEM, LATER) },
		{ VERB_MAIL, "554 This IP has been temporarily blocked for "
		  "attempting to send too many messages", EACH(SYSTEM, LATER) },
		{ VERB_MAIL, "550 5.4.5 Daily SMTP relay limit exceeded for "
		  "user", EACH(SYSTEM, LATER) },
		{ VERB_DATA, "454 Throttling failure: Maximum sending rate "
		  "exceeded.", EACH(SYSTEM, LATER) },
		{ VERB_MAIL, "451 5.7.3 STARTTLS is required to send mail",
		  EACH(SYSTEM, LATER) },
		{ VERB_RCPT, "450 4.7.1 Session encryption is required",
		  EACH(SYSTEM, LATER) },
		{ VERB_RCPT, "550 5.1.1 relaying denied for <x@b.test>",
		  EACH(SYSTEM, REFUSED) },
	};

	JUDGE(its);
}
/* clang-format on */

static void whatever_is_said(void **unused)
{
	for (int verb = VERB_CONNECT; verb <= VERB_RSET; verb++)
		for (int code = 0; code < 1000; code++) {
			struct reply r = { .code = code };
			struct judgement j = blame_judge(verb, code % 2, &r);

			assert_int_equal(j.whose == BLAME_NOBODY,
					 code >= 200 && code < 400);
			if (code >= 400 && code < 500)
				assert_int_not_equal(j.remedy, REMEDY_REFUSED);
		}
}

static enum ban ban(enum smtp_verb verb, const char *said)
{
	struct arena *arena scoped(arena) = arena_open();
	struct str wire = str_of(arena_printf(arena, "%s\r\n", said));
	struct reply r;
	size_t used;

	assert_int_equal(reply_parse(wire, arena, &r, &used), REPLY_WHOLE);
	return blame_ban(verb, &r);
}

static void who_bans(void **unused)
{
	assert_int_equal(ban(VERB_CONNECT,
			     "220 mx.b.example Stalwart ESMTP at your service"),
			 BAN_LIKELY);
	assert_int_equal(ban(VERB_CONNECT, "220 mx.b.example ESMTP Postfix"),
			 BAN_NONE);
	assert_int_equal(ban(VERB_RCPT, "550 5.1.2 Mailbox does not exist."),
			 BAN_LIKELY);
	assert_int_equal(ban(VERB_RCPT, "550 5.1.1 Mailbox does not exist."),
			 BAN_NONE);
	assert_int_equal(
		ban(VERB_RCPT, "550 5.1.1 <banned@b.example>: unknown"),
		BAN_NONE);
	assert_int_equal(ban(VERB_RCPT, "421 4.7.0 Too many unknown users"),
			 BAN_SAID);
	assert_int_equal(ban(VERB_CONNECT, "554 5.7.1 your address is banned"),
			 BAN_SAID);
	assert_int_equal(ban(VERB_MAIL, "451 4.7.1 directory harvest attack"),
			 BAN_SAID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobodys),
		cmocka_unit_test(addresses_are_no_words),
		cmocka_unit_test(limits_of_a_connection),
		cmocka_unit_test(limits_of_connections),
		cmocka_unit_test(limits_of_a_mail),
		cmocka_unit_test(the_inability_of_a_host),
		cmocka_unit_test(the_recipient),
		cmocka_unit_test(the_message),
		cmocka_unit_test(an_address_is_no_word),
		cmocka_unit_test(the_system),
		cmocka_unit_test(who_bans),
		cmocka_unit_test(whatever_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
