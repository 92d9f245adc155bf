/*
 * The table of blame.h.  The first line that fits counts: what a system says
 * in words comes before what its codes are supposed to mean, because many give
 * one code for everything (Postfix 4.7.1, qmail none at all).
 *
 * WORDS are alternatives, divided by '|'; '%' stands for anything between, and
 * what stands beside it begins a word, too: "rbl" is not in "marble".  They are
 * compared without case, and the lines of a reply are one text.  The address
 * that it repeats is not: whoever may write to daily@ or to "too many
 * connections"@ does not speak for the system.
 */
#include "wire/blame.h"

#include "base/limits.h"

enum {
	AT_CONNECT = 1 << VERB_CONNECT | 1 << VERB_EHLO,
	AT_TLS = 1 << VERB_STARTTLS,
	AT_AUTH = 1 << VERB_AUTH,
	AT_MAIL = 1 << VERB_MAIL,
	AT_RCPT = 1 << VERB_RCPT,
	AT_DATA = 1 << VERB_DATA,
	AT_BDAT = 1 << VERB_BDAT,
	AT_END = 1 << VERB_DOT | 1 << VERB_BDAT,
	AT_MAILING = AT_MAIL | AT_RCPT | AT_DATA | AT_END,
	ANYWHERE = (1 << (VERB_RSET + 1)) - 1,
};

enum { SAID_PLAIN = 1, SAID_EXTENDED = 2, SAID_ANYHOW = 3 };

struct line {
	unsigned verbs;
	int code;           /* 452; 45: any 45x; 4: any 4xx; 0: 4xx, 5xx */
	const char *status; /* its end: ".5.3", of any class; or NULL */
	const char *words;  /* or NULL */
	unsigned said;
	struct judgement means;
};

#define MEANS(whose, remedy) \
	{ \
		BLAME_##whose, REMEDY_##remedy, false \
	}

#define FULL_OF_MAILS \
	"messages on the server|messages%mailbox|quota%messages|" \
	"mailbox%many messages"
#define SENDERS_ADDRESS \
	"sender address|sender domain|sender rejected|sender denied|" \
	"sender verif|domain of sender|envelope sender"
#define NOBODYS_ADDRESS \
	"user unknown|unknown user|no such user|no such recipient|" \
	"unknown recipient|recipient unknown|recipient not found|" \
	"recipientnotfound|mailbox unavailable|mailbox not found|" \
	"user not found|does not exist|doesn't exist|invalid recipient|" \
	"no mailbox|not a valid mailbox|recipient address rejected|" \
	"no such address|address unknown|unknown address|no such mailbox|" \
	"unknown mailbox|invalid mailbox|address rejected"
#define ONE_OF_THEM \
	"one or more recipients|one or more of the recipients|" \
	"one of the recipients|some recipients|some of the recipients"

static const struct line table[] = {
	/* ---- so much in a given time: nothing helps but time ---- */
	{ AT_RCPT | AT_END, 0, NULL,
	  "user you are trying to contact is receiving|recipient thread limit|"
	  "mailbox%receiving%too|user is receiving|recipient's per hour|"
	  "recipient has exceeded their limit",
	  SAID_ANYHOW, MEANS(RECIPIENT, LATER) },
	{ ANYWHERE,
	  0,
	  NULL,
	  "per hour|this hour|hourly|per minute|per second|per day|daily|"
	  "for the day|within the last|in the last|rate limit|ratelimit|"
	  "rate-limit|rate exceeded|rate control|connection rate|"
	  "sending rate|unusual rate|frequency limit|too quickly|too fast|"
	  "slow down|again slower|throttl|too much mail|"
	  "sending quota|submission quota|message quota|relay limit|"
	  "temporarily deferred|temporarily blocked|unexpected volume|"
	  "excessive volume|user complaints",
	  SAID_ANYHOW,
	  { BLAME_SYSTEM, REMEDY_LATER, false, true } },
	{ AT_MAILING, 4, NULL,
	  "not in whitelist|tls required|must issue a|starttls|encryption",
	  SAID_ANYHOW, MEANS(SYSTEM, LATER) },

	/* ---- a mailbox that holds as many as it may ---- */
	{ AT_RCPT | AT_END, 4, NULL, FULL_OF_MAILS, SAID_ANYHOW,
	  MEANS(RECIPIENT, LATER) },
	{ AT_RCPT | AT_END, 5, NULL, FULL_OF_MAILS, SAID_ANYHOW,
	  MEANS(RECIPIENT, REFUSED) },

	/* ---- how many mails over one connection ---- */
	{ ANYWHERE,
	  0,
	  NULL,
	  "messages%session|messages%connection|mails%session|"
	  "mails%connection|emails%session|emails%connection|"
	  "mail per session|mail per connection|message per session|"
	  "message per connection|transactions%session|"
	  "transactions%connection|too many messages|too many mails|"
	  "too many emails|too many transactions|recipients%session|"
	  "recipients%connection|message limit|batch limit|"
	  "message threshold|"
	  "maximum number of messages|number of messages",
	  SAID_ANYHOW,
	  { BLAME_CONNECTION, REMEDY_FRESH, true } },
	/* ---- it has counted something else over this one ---- */
	{ ANYWHERE, 0, NULL,
	  "too many%errors|too many%commands|too many%command|too many invalid|"
	  "too many unknown|too many bad|too many fail|too many noop|"
	  "too many rset|too many unrecognized|too many wrong|"
	  "too many protocol|too many syntax|transfer limit",
	  SAID_ANYHOW, MEANS(CONNECTION, FRESH) },

	/* ---- how many connections at once ---- */
	{ AT_CONNECT | AT_TLS | AT_AUTH | AT_MAILING, 0, NULL,
	  "too many%connection|too many%session|too many%process|concurren|"
	  "number of connections|connection limit|connections limit|"
	  "limit of connections|simultaneous|too many clients|"
	  "already%connections|connection count|maximum%connections|"
	  "max%connections|thread limit|trop de connexions",
	  SAID_ANYHOW, MEANS(CONNECTION, ROOM) },

	/* ---- how many recipients in one mail (RFC 5321 4.5.3.1.10) ---- */
	{ AT_RCPT | AT_DATA | AT_END, 0, NULL,
	  "too many%recipient|too many rcpt|too many addresses|"
	  "too many receivers|recipient%limit|recipients%limit|"
	  "limit%recipients|maximum%recipients|number of recipients|"
	  "rcpt numbers|number of rcpt|recipients reached|"
	  "separate transaction|per transaction|one recipient|"
	  "single recipient|only accept%recipient",
	  SAID_ANYHOW, MEANS(MAIL, FURTHER) },
	{ AT_RCPT | AT_DATA | AT_END, 0, ".5.3", NULL, SAID_ANYHOW,
	  MEANS(MAIL, FURTHER) },

	/* ---- an extension that is announced and does not work ---- */
	{ AT_TLS, 0, NULL, NULL, SAID_ANYHOW, MEANS(HOST, PLAIN) },
	{ AT_BDAT, 500, NULL, NULL, SAID_ANYHOW, MEANS(HOST, PLAIN) },
	{ AT_BDAT, 501, NULL, NULL, SAID_ANYHOW, MEANS(HOST, PLAIN) },
	{ AT_BDAT, 502, NULL, NULL, SAID_ANYHOW, MEANS(HOST, PLAIN) },
	{ AT_BDAT, 503, NULL, NULL, SAID_ANYHOW, MEANS(HOST, PLAIN) },
	{ AT_BDAT, 504, NULL, NULL, SAID_ANYHOW, MEANS(HOST, PLAIN) },
	{ AT_BDAT, 555, NULL, NULL, SAID_ANYHOW, MEANS(HOST, PLAIN) },
	/* An address that is no address is none without parameters, either. */
	{ AT_MAIL | AT_RCPT, 500, NULL, NULL, SAID_EXTENDED,
	  MEANS(HOST, PLAIN) },
	{ AT_MAIL | AT_RCPT, 501, ".1.3", NULL, SAID_ANYHOW,
	  MEANS(RECIPIENT, REFUSED) },
	{ AT_MAIL, 501, ".1.7", NULL, SAID_ANYHOW, MEANS(MESSAGE, REFUSED) },
	{ AT_MAIL, 501, ".1.8", NULL, SAID_ANYHOW, MEANS(MESSAGE, REFUSED) },
	{ AT_MAIL | AT_RCPT, 501, NULL, NULL, SAID_EXTENDED,
	  MEANS(HOST, PLAIN) },
	{ AT_MAIL | AT_RCPT, 502, NULL, NULL, SAID_EXTENDED,
	  MEANS(HOST, PLAIN) },
	{ AT_MAIL | AT_RCPT, 504, NULL, NULL, SAID_EXTENDED,
	  MEANS(HOST, PLAIN) },
	{ AT_MAIL | AT_RCPT, 555, NULL, NULL, SAID_EXTENDED,
	  MEANS(HOST, PLAIN) },
	{ AT_MAIL | AT_RCPT, 455, NULL, NULL, SAID_EXTENDED,
	  MEANS(HOST, PLAIN) },

	/* ---- it closes (RFC 5321 3.8), or is out of step with us ---- */
	{ AT_CONNECT, 421, NULL, NULL, SAID_ANYHOW, MEANS(HOST, LATER) },
	{ ANYWHERE, 421, NULL, NULL, SAID_ANYHOW, MEANS(CONNECTION, FRESH) },
	{ AT_MAILING, 4, ".4.2", NULL, SAID_ANYHOW, MEANS(CONNECTION, FRESH) },
	{ AT_MAILING, 4, NULL,
	  "closing connection|closing the connection|closing transmission|"
	  "closing channel|reconnect",
	  SAID_ANYHOW, MEANS(CONNECTION, FRESH) },
	{ AT_MAILING, 503, NULL, "authenticat|auth first|log in|login",
	  SAID_ANYHOW, MEANS(SYSTEM, REFUSED) },
	{ AT_RCPT, 503, NULL, NOBODYS_ADDRESS, SAID_ANYHOW,
	  MEANS(RECIPIENT, REFUSED) },
	{ AT_DATA | AT_END, 0, NULL, "no valid recipients", SAID_ANYHOW,
	  MEANS(RECIPIENT, REFUSED) },
	{ AT_MAILING, 503, NULL, NULL, SAID_ANYHOW, MEANS(CONNECTION, FRESH) },

	/* ---- before there is a mail ---- */
	{ AT_AUTH, 0, NULL, NULL, SAID_ANYHOW, MEANS(SYSTEM, LATER) },
	{ AT_CONNECT, 0, NULL, NULL, SAID_ANYHOW, MEANS(HOST, LATER) },

	/* ---- no room: for one of them, or for all ---- */
	{ AT_DATA | AT_END, 4, NULL, ONE_OF_THEM, SAID_ANYHOW,
	  MEANS(RECIPIENT, LATER) },
	{ ANYWHERE, 4, ".2.2", NULL, SAID_ANYHOW, MEANS(RECIPIENT, LATER) },
	{ ANYWHERE, 4, NULL, "quota|overquota|mailbox%full", SAID_ANYHOW,
	  MEANS(RECIPIENT, LATER) },
	{ AT_MAILING, 4, ".3.4", NULL, SAID_ANYHOW, MEANS(MESSAGE, LATER) },
	{ ANYWHERE, 4, NULL,
	  "storage|disk|no space|system resources|resources|overload|busy|"
	  "out of memory|load average",
	  SAID_ANYHOW, MEANS(SYSTEM, LATER) },
	{ ANYWHERE, 431, NULL, NULL, SAID_ANYHOW, MEANS(SYSTEM, LATER) },
	/* 452 without a word of storage: what RFC 5321 has it for, too. */
	{ AT_RCPT, 452, NULL, NULL, SAID_ANYHOW, MEANS(MAIL, FURTHER) },
	{ ANYWHERE, 452, ".4.5", NULL, SAID_ANYHOW, MEANS(CONNECTION, FRESH) },
	{ ANYWHERE, 4, ".3.0", NULL, SAID_ANYHOW, MEANS(SYSTEM, LATER) },
	{ ANYWHERE, 4, ".3.1", NULL, SAID_ANYHOW, MEANS(SYSTEM, LATER) },
	{ ANYWHERE, 4, ".3.2", NULL, SAID_ANYHOW, MEANS(SYSTEM, LATER) },
	{ ANYWHERE, 4, ".3.5", NULL, SAID_ANYHOW, MEANS(SYSTEM, LATER) },

	{ AT_END, 5, ".2.3", NULL, SAID_ANYHOW, MEANS(RECIPIENT, REFUSED) },

	/* ---- who we are and what we want, whoever it is for ---- */
	{ AT_MAILING, 53, NULL, NULL, SAID_ANYHOW, MEANS(SYSTEM, REFUSED) },
	{ AT_MAIL | AT_RCPT | AT_DATA, 5, NULL,
	  "relay access|relaying|relay denied|relay not|not relay|to relay|"
	  "relay for|rcpthosts",
	  SAID_ANYHOW, MEANS(SYSTEM, REFUSED) },
	{ AT_RCPT, 5, ".1.1", SENDERS_ADDRESS, SAID_ANYHOW,
	  MEANS(MESSAGE, REFUSED) },
	/* whatever its name, or that of its domain, has in it */
	{ AT_RCPT, 5, ".1.1", NULL, SAID_ANYHOW, MEANS(RECIPIENT, REFUSED) },
	{ AT_MAIL | AT_RCPT | AT_DATA, 5, NULL,
	  "client host|helo command|your ip|your host|ip address|"
	  "spamhaus|blacklist|blocklist|blocked using|block list|banned|dnsbl|"
	  "rbl|reverse dns|ptr record|unauthenticated|not authenticated|"
	  "authentication required|tenantattribution|direct send|"
	  "reputation|starttls",
	  SAID_ANYHOW, MEANS(SYSTEM, REFUSED) },
	{ AT_RCPT | AT_DATA | AT_END, 5, NULL,
	  SENDERS_ADDRESS "|from address|mail from|spf|dkim|dmarc|callback|"
			  "callout",
	  SAID_ANYHOW, MEANS(MESSAGE, REFUSED) },
	{ AT_RCPT | AT_DATA | AT_END, 5, ".1.7", NULL, SAID_ANYHOW,
	  MEANS(MESSAGE, REFUSED) },
	{ AT_RCPT | AT_DATA | AT_END, 5, ".1.8", NULL, SAID_ANYHOW,
	  MEANS(MESSAGE, REFUSED) },
	{ ANYWHERE, 5, ".3.4", NULL, SAID_ANYHOW, MEANS(MESSAGE, REFUSED) },
	{ ANYWHERE, 5, NULL, "size%exceed|exceed%size|too large|too big",
	  SAID_ANYHOW, MEANS(MESSAGE, REFUSED) },

	/* ---- the whole message, for one of its recipients ---- */
	{ AT_DATA | AT_END, 5, ".1.1", NULL, SAID_ANYHOW,
	  MEANS(RECIPIENT, REFUSED) },
	{ AT_DATA | AT_END, 5, ".1.2", NULL, SAID_ANYHOW,
	  MEANS(RECIPIENT, REFUSED) },
	{ AT_DATA | AT_END, 5, ".1.3", NULL, SAID_ANYHOW,
	  MEANS(RECIPIENT, REFUSED) },
	{ AT_DATA | AT_END, 5, ".1.6", NULL, SAID_ANYHOW,
	  MEANS(RECIPIENT, REFUSED) },
	{ AT_DATA | AT_END, 5, ".1.10", NULL, SAID_ANYHOW,
	  MEANS(RECIPIENT, REFUSED) },
	{ AT_DATA | AT_END, 5, ".2.1", NULL, SAID_ANYHOW,
	  MEANS(RECIPIENT, REFUSED) },
	{ AT_DATA | AT_END, 5, ".2.2", NULL, SAID_ANYHOW,
	  MEANS(RECIPIENT, REFUSED) },
	{ AT_DATA | AT_END, 5, NULL,
	  NOBODYS_ADDRESS
	  "|" ONE_OF_THEM "|over quota|overquota|"
	  "quota%exceed|exceed%quota|mailbox%full|no longer valid|"
	  "mailbox%disabled|account%disabled|user%disabled|account%suspended|"
	  "mailbox%inactive|account%inactive",
	  SAID_ANYHOW, MEANS(RECIPIENT, REFUSED) },

	/* ---- what is left ---- */
	{ AT_RCPT, 4, NULL, NULL, SAID_ANYHOW, MEANS(RECIPIENT, LATER) },
	{ AT_RCPT, 5, NULL, NULL, SAID_ANYHOW, MEANS(RECIPIENT, REFUSED) },
	{ AT_MAILING, 4, NULL, NULL, SAID_ANYHOW, MEANS(MESSAGE, LATER) },
	{ AT_MAILING, 5, NULL, NULL, SAID_ANYHOW, MEANS(MESSAGE, REFUSED) },
	{ ANYWHERE, 0, NULL, NULL, SAID_ANYHOW, MEANS(HOST, LATER) },
};

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

static bool is_in_word(char c)
{
	return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z');
}

/* Where TEXT goes on after the first PIECE in it, which begins a word; NULL: it
 * is not there. */
static const char *after(const char *text, const char *end, struct str piece)
{
	char before = ' ';

	for (; end - text >= (ptrdiff_t)piece.n; before = *text++) {
		size_t i = 0;

		while (i < piece.n && lower(text[i]) == piece.p[i])
			i++;
		if (i == piece.n && !is_in_word(before))
			return text + i;
	}
	return NULL;
}

static bool has_words(struct str text, const char *words)
{
	struct str all = str_of(words), one, piece;

	while (str_split(&all, '|', &one)) {
		const char *at = text.p, *end = text.p + text.n;

		while (at && str_split(&one, '%', &piece))
			at = after(at, end, piece);
		if (at)
			return true;
	}
	return false;
}

static bool code_fits(int code, int wanted)
{
	if (wanted == 0)
		return code >= 400 && code < 600;
	while (code > wanted)
		code /= 10;
	return code == wanted;
}

/* How far the word, quoted text or <path> at the start of S goes. */
static size_t token_bytes(struct str s)
{
	char end = s.p[0] == '<' ? '>' : s.p[0] == '"' ? '"' : ' ';
	size_t n = 1;

	while (n < s.n && s.p[n] != end && s.p[n] != '\n')
		n++;
	if (end == ' ' || n == s.n || s.p[n] != end)
		return n;
	while (n < s.n && s.p[n] != ' ' && s.p[n] != '\n')
		n++;
	return n;
}

/* TEXT with its addresses left out, in ROOM of LIMIT_REPLY_BYTES. */
static struct str words_of(struct str text, char *room)
{
	size_t n = 0;

	text = str_part(text, 0, LIMIT_REPLY_BYTES);
	while (text.n > 0) {
		struct str token = str_part(text, 0, token_bytes(text));

		if (token.p[0] != '<' && str_find(token, '@') < 0) {
			memcpy(room + n, token.p, token.n);
			n += token.n;
		}
		text = str_from(text, token.n);
	}
	return (struct str){ room, n };
}

static bool fits(const struct line *l, enum smtp_verb verb, bool extended,
		 const struct reply *r)
{
	return (l->verbs & 1u << verb) && code_fits(r->code, l->code) &&
	       (l->said & (extended ? SAID_EXTENDED : SAID_PLAIN)) &&
	       (!l->status ||
		(r->status[0] && str_same(str_from(str_of(r->status), 1),
					  str_of(l->status)))) &&
	       (!l->words || has_words(r->text, l->words));
}

struct judgement blame_judge(enum smtp_verb verb, bool extended,
			     const struct reply *r)
{
	char room[LIMIT_REPLY_BYTES];
	struct reply words = *r;

	if (r->code >= 200 && r->code < 400)
		return (struct judgement)MEANS(NOBODY, NONE);
	words.text = words_of(r->text, room);
	for (size_t i = 0; i < array_size(table); i++)
		if (fits(&table[i], verb, extended, &words))
			return table[i].means;
	return (struct judgement)MEANS(HOST, LATER);
}

/* Exchange Online has 4.7.500 to 4.7.699 for it, Gmail 4.7.28, whatever they
 * answer with it. */
static bool is_of_renown(const char *status)
{
	unsigned last = 0;
	const char *c = status + 4;

	if (strncmp(status, "4.7.", 4) != 0)
		return false;
	while (*c >= '0' && *c <= '9')
		last = last * 10 + (unsigned)(*c++ - '0');
	return last == 28 || (last >= 500 && last < 700);
}

bool blame_throttles(enum smtp_verb verb, const struct reply *r)
{
	struct judgement j = blame_judge(verb, false, r);
	char room[LIMIT_REPLY_BYTES];
	bool is_early =
		verb == VERB_CONNECT || verb == VERB_EHLO || verb == VERB_MAIL;

	if (r->code < 400 || r->code >= 500 || j.whose == BLAME_RECIPIENT ||
	    has_words(words_of(r->text, room), "greylist|graylist|grey list"))
		return false;
	if (j.counts_time || is_of_renown(r->status))
		return true;
	return (is_early || r->code == 421) && !j.counts_mails &&
	       j.remedy != REMEDY_ROOM && !strncmp(r->status, "4.7.", 4) &&
	       !blame_wants_tls(r);
}

bool blame_wants_tls(const struct reply *r)
{
	char room[LIMIT_REPLY_BYTES];

	return r->code >= 400 &&
	       (r->code == 523 ||
		has_words(words_of(r->text, room),
			  "starttls|tls required|tls is required|requires tls|"
			  "tls connection|requires encryption|"
			  "encryption required|encryption is required|"
			  "encryption needed"));
}

static const struct {
	unsigned verbs;
	int code;
	const char *status, *words;
	enum ban ban;
} bans[] = {
	/* Stalwart: 35 a day, and then for good */
	{ 1 << VERB_CONNECT, 220, NULL, "stalwart", BAN_LIKELY },
	{ AT_RCPT, 550, ".1.2", "mailbox does not exist", BAN_LIKELY },
	{ AT_CONNECT | AT_MAIL | AT_RCPT, 4, NULL,
	  "too many%unknown|too many invalid|too many bad recipients|harvest|"
	  "dictionary attack|banned",
	  BAN_SAID },
	{ AT_CONNECT | AT_MAIL | AT_RCPT, 5, NULL,
	  "too many%unknown|too many invalid|too many bad recipients|harvest|"
	  "dictionary attack|banned",
	  BAN_SAID },
};

enum ban blame_ban(enum smtp_verb verb, const struct reply *r)
{
	char room[LIMIT_REPLY_BYTES];
	struct reply words = *r;

	words.text = words_of(r->text, room);
	for (size_t i = 0; i < array_size(bans); i++) {
		struct line l = { bans[i].verbs, bans[i].code, bans[i].status,
				  bans[i].words, SAID_ANYHOW,  { 0 } };

		if (fits(&l, verb, false, &words))
			return bans[i].ban;
	}
	return BAN_NONE;
}
