/*
 * The text of a delivery status notification.
 *
 * What another system said appears in Diagnostic-Code only: people read the
 * first part, and a stranger's words must not speak to them in our name.
 *
 * Invariant: nothing foreign can begin a line.  Every field and sentence goes
 * through add_folded(), which takes the controls out and folds; the original
 * stands behind a boundary with 64 random bits.
 */
#include "wire/dsn.h"

#include <stdio.h>
#include <time.h>
#include <unistr.h>

#include "base/limits.h"
#include "wire/header.h"

enum {
	FOLD_COLUMN = 72,
	WORD_BYTES = 400, /* a longer one is broken: RFC 5322 2.1.1 */
	SPACES = 64,      /* in a row; a local part has fewer */
};

struct date {
	char c[40];
};

static struct date date_of(int64_t wall_ms)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct date d = { "" };
	struct tm tm;

	if (gmtime_r(&seconds, &tm))
		strftime(d.c, sizeof(d.c), "%a, %d %b %Y %H:%M:%S +0000", &tm);
	return d;
}

static bool is_8bit(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return true;
	return false;
}

static bool is_utf8(struct str s)
{
	return is_8bit(s) && !u8_check((const uint8_t *)s.p, s.n);
}

/* ---- lines ---- */

static bool is_space(char c)
{
	return c == ' ' || c == '\n';
}

/* Where the word at the start of S ends. */
static size_t word_end(struct str s)
{
	size_t n = 0;

	while (n < s.n && !is_space(s.p[n]) && n < WORD_BYTES)
		n++;
	while (n < s.n && n > 1 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--; /* not within a character */
	return n;
}

static void add_word(struct buf *to, struct str word)
{
	bool utf8 = is_utf8(word);

	for (size_t i = 0; i < word.n; i++) {
		unsigned char c = (unsigned char)word.p[i];
		bool bad = c < ' ' || c == 0x7f || (c >= 0x80 && !utf8);

		buf_add_char(to, bad ? '?' : word.p[i]);
	}
}

/* The spaces at the start of *S, as many as a line may hold. */
static size_t take_spaces(struct str *s)
{
	size_t n = 0;

	while (n < s->n && is_space(s->p[n]))
		n++;
	*s = str_from(*s, n);
	return n < SPACES ? n : SPACES;
}

/*
 * The words of S, on lines that go on with INDENT; or, when INDENT is NULL,
 * with the spaces that stood there, so that unfolding gives S again.  COLUMN is
 * where the first line stands.  No line is blank.
 */
static void add_folded(struct buf *to, struct str s, const char *indent,
		       size_t column)
{
	take_spaces(&s);
	for (size_t spaces = 0; s.n; spaces = take_spaces(&s)) {
		size_t n = word_end(s);
		bool broken = spaces == 0 && column >= WORD_BYTES;

		if (broken || (spaces && column + n >= FOLD_COLUMN)) {
			buf_add(to, S("\r\n"));
			spaces = indent ? strlen(indent) : spaces + broken;
			column = 0;
		}
		buf_printf(to, "%*s", (int)spaces, "");
		add_word(to, str_part(s, 0, n));
		column += spaces + n;
		s = str_from(s, n);
	}
}

static void add_field(struct buf *to, const char *name, struct str value)
{
	if (str_empty(value))
		return;
	buf_printf(to, "%s: ", name);
	add_folded(to, value, NULL, strlen(name) + 2);
	buf_add(to, S("\r\n"));
}

static void add_date(struct buf *to, const char *name, int64_t wall_ms)
{
	if (wall_ms > 0)
		add_field(to, name, str_of(date_of(wall_ms).c));
}

/* "dns; mx.example.org", "rfc822; bob@example.org" */
static void add_typed(struct buf *to, const char *name, const char *type,
		      struct str value)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	if (str_empty(value))
		return;
	buf_printf(&b, "%s; %.*s", type, STR(value));
	add_field(to, name, buf_str(&b));
}

/* ---- what is said about a recipient ---- */

static const char *const actions[] = {
	[DSN_FAILED] = "failed",       [DSN_DELAYED] = "delayed",
	[DSN_DELIVERED] = "delivered", [DSN_RELAYED] = "relayed",
	[DSN_EXPANDED] = "expanded",
};

static const char *status_of(const struct dsn_recipient *r)
{
	if (r->status[0])
		return r->status;
	if (r->reply.status[0])
		return r->reply.status;
	if (reply_is_refusal(&r->reply))
		return "5.0.0";
	if (r->reply.code >= 400)
		return "4.0.0";
	if (r->reply.code >= 200)
		return "2.0.0";
	switch (r->action) {
	case DSN_FAILED:
		return "5.0.0";
	case DSN_DELAYED:
		return "4.0.0";
	case DSN_DELIVERED:
	case DSN_RELAYED:
	case DSN_EXPANDED:
		break;
	}
	return "2.0.0";
}

static bool any(const struct dsn_plan *plan, enum dsn_action action)
{
	for (size_t i = 0; i < plan->n; i++)
		if (plan->recipients[i].action == action)
			return true;
	return false;
}

static bool is_international(const struct dsn_plan *plan)
{
	for (size_t i = 0; i < plan->n; i++)
		if (is_8bit(plan->recipients[i].address) ||
		    is_8bit(plan->recipients[i].orcpt))
			return true;
	return is_8bit(plan->to);
}

/* ---- first part: people ---- */

static const char *const sentences[] = {
	[DSN_FAILED] = "Your message could not be delivered to:",
	[DSN_DELAYED] = ("Your message is waiting here. You need not send it "
			 "again: delivery is tried again. It waits for:"),
	[DSN_DELIVERED] = "Your message was delivered to:",
	[DSN_RELAYED] = ("Your message was handed to a mail system that does "
			 "not confirm delivery, for:"),
	[DSN_EXPANDED] = "Your message was sent on to the members of:",
};

static void add_person(struct buf *to, const struct dsn_recipient *r)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	buf_printf(&b, "<%.*s>", STR(r->address));
	if (r->note.n)
		buf_printf(&b, ": %.*s", STR(r->note));
	for (const struct dsn_recipient *one = r; one; one = one->also) {
		buf_add(&b, one == r ? S(" (") : S("; "));
		if (one->reply.code && one->remote_mta.n)
			buf_printf(&b, "%.*s answered %03d, ",
				   STR(one->remote_mta), one->reply.code);
		buf_printf(&b, "status %s", status_of(one));
	}
	buf_add_char(&b, ')');
	buf_add(to, S("    "));
	add_folded(to, buf_str(&b), "        ", 4);
	buf_add(to, S("\r\n"));
}

static void add_people(struct buf *to, const struct dsn_plan *plan,
		       enum dsn_action action)
{
	if (!any(plan, action))
		return;
	add_folded(to, str_of(sentences[action]), "", 0);
	buf_add(to, S("\r\n\r\n"));
	for (size_t i = 0; i < plan->n; i++)
		if (plan->recipients[i].action == action)
			add_person(to, &plan->recipients[i]);
	buf_add(to, S("\r\n"));
}

static void add_text(struct buf *to, const struct dsn_plan *plan)
{
	buf_printf(to, "This is the mail system at %.*s.\r\n\r\n",
		   STR(plan->reporting_mta));
	for (enum dsn_action a = DSN_FAILED; a <= DSN_EXPANDED; a++)
		add_people(to, plan, a);
	if (any(plan, DSN_DELAYED) && plan->retry_until_wall_ms > 0)
		buf_printf(to,
			   "The last attempt will be made at:\r\n%s\r\n\r\n",
			   date_of(plan->retry_until_wall_ms).c);
	buf_printf(to, "Our name for the message is %.*s.\r\n",
		   STR(plan->queue_id));
}

/* ---- second part: machines ---- */

/* "type;xtext" as RCPT gave it, decoded (RFC 3464 2.3.1); type utf-8 has an
 * encoding of its own and stays as it is. */
static void add_original_recipient(struct buf *to, struct str orcpt)
{
	struct arena *arena scoped(arena) = arena_open();
	struct str address = orcpt, type;

	str_split(&address, ';', &type);
	if (!str_same_nocase(type, S("utf-8")) &&
	    !xtext_decode(address, arena, &address))
		return;
	add_typed(to, "Original-Recipient", arena_cstr(arena, type), address);
}

static void add_diagnostic(struct buf *to, const char *name,
			   const struct dsn_recipient *r)
{
	struct arena *arena scoped(arena) = arena_open();

	if (!r->reply.code)
		return;
	add_typed(to, name, "smtp", reply_line(&r->reply, arena));
}

/* One recipient has one of each field; what is beside them is an extension
 * (RFC 3464 2.4). */
static void add_elsewhere(struct buf *to, const struct dsn_recipient *r)
{
	for (r = r->also; r; r = r->also) {
		add_typed(to, "X-Splitmail-Other-MTA", "dns", r->remote_mta);
		add_diagnostic(to, "X-Splitmail-Other-Diagnostic", r);
	}
}

static void add_machine(struct buf *to, const struct dsn_plan *plan,
			const struct dsn_recipient *r)
{
	buf_add(to, S("\r\n"));
	add_original_recipient(to, r->orcpt);
	add_typed(to, "Final-Recipient",
		  is_8bit(r->address) ? "utf-8" : "rfc822", r->address);
	add_field(to, "Action", str_of(actions[r->action]));
	add_field(to, "Status", str_of(status_of(r)));
	add_typed(to, "Remote-MTA", "dns", r->remote_mta);
	add_diagnostic(to, "Diagnostic-Code", r);
	add_elsewhere(to, r);
	add_date(to, "Last-Attempt-Date", plan->now_wall_ms);
	if (r->action == DSN_DELAYED)
		add_date(to, "Will-Retry-Until", plan->retry_until_wall_ms);
}

static void add_status(struct buf *to, const struct dsn_plan *plan)
{
	struct arena *arena scoped(arena) = arena_open();
	struct str envid;

	if (xtext_decode(plan->envid, arena, &envid))
		add_field(to, "Original-Envelope-Id", envid);
	add_typed(to, "Reporting-MTA", "dns", plan->reporting_mta);
	add_field(to, "X-Splitmail-Queue-Id", plan->queue_id);
	add_date(to, "Arrival-Date", plan->arrived_wall_ms);
	for (size_t i = 0; i < plan->n; i++)
		add_machine(to, plan, &plan->recipients[i]);
}

/* ---- third part: the message ---- */

struct returned {
	struct str bytes;
	const char *type;
};

/* RET speaks of failures; in any other case the header is enough (RFC 3461
 * 4.3). */
static struct returned what_returns(const struct dsn_plan *plan)
{
	struct header_summary h = header_scan(plan->original);
	struct str header = str_part(plan->original, 0, h.bytes);
	bool whole = any(plan, DSN_FAILED) && plan->ret != RET_HDRS &&
		     plan->original_is_whole &&
		     plan->original.n <= LIMIT_BOUNCE_BYTES;

	if (whole)
		return (struct returned){
			plan->original,
			is_utf8(header) ? "message/global" : "message/rfc822",
		};
	if (header.n > LIMIT_BOUNCE_BYTES) {
		header.n = LIMIT_BOUNCE_BYTES;
		header.n = (size_t)(str_find_last(header, '\n') + 1);
	}
	return (struct returned){
		header,
		is_utf8(header) ? "message/global-headers"
				: "text/rfc822-headers",
	};
}

static void add_part(struct buf *to, const struct dsn_plan *plan,
		     const char *type, const char *description, struct str body)
{
	buf_printf(to, "--=_%016llx\r\n", (unsigned long long)plan->boundary);
	buf_printf(to, "Content-Description: %s\r\n", description);
	buf_printf(to, "Content-Type: %s\r\n", type);
	buf_printf(to, "Content-Transfer-Encoding: %s\r\n\r\n",
		   is_8bit(body) ? "8bit" : "7bit");
	buf_add(to, body);
	if (body.n && !str_ends(body, S("\r\n")))
		buf_add(to, S("\r\n"));
	buf_add(to, S("\r\n"));
}

static void add_parts(struct buf *to, const struct dsn_plan *plan)
{
	struct returned r = what_returns(plan);
	struct buf text scoped(buf) = BUF_EMPTY;
	struct buf status scoped(buf) = BUF_EMPTY;

	add_text(&text, plan);
	add_status(&status, plan);
	add_part(to, plan, "text/plain; charset=utf-8", "Notification",
		 buf_str(&text));
	add_part(to, plan,
		 is_international(plan) ? "message/global-delivery-status"
					: "message/delivery-status",
		 "Delivery report", buf_str(&status));
	if (r.bytes.n)
		add_part(to, plan, r.type, "Your message", r.bytes);
	buf_printf(to, "--=_%016llx--\r\n", (unsigned long long)plan->boundary);
}

/* ---- the whole ---- */

static const char *subject(const struct dsn_plan *plan)
{
	if (any(plan, DSN_FAILED))
		return "Undelivered mail";
	if (any(plan, DSN_DELAYED))
		return "Delayed mail (you need not send it again)";
	return "Delivered mail";
}

static void add_header(struct buf *to, const struct dsn_plan *plan,
		       bool eight_bits)
{
	struct buf b scoped(buf) = BUF_EMPTY;
	unsigned long long random = plan->boundary;

	add_date(to, "Date", plan->now_wall_ms);
	buf_printf(&b, "Mail Delivery System <MAILER-DAEMON@%.*s>",
		   STR(plan->reporting_mta));
	add_field(to, "From", buf_str(&b));
	buf_clear(&b);
	buf_printf(&b, "<%.*s>", STR(plan->to));
	add_field(to, "To", buf_str(&b));
	add_field(to, "Subject", str_of(subject(plan)));
	buf_clear(&b);
	buf_printf(&b, "<%.*s.%016llx@%.*s>", STR(plan->queue_id), random,
		   STR(plan->reporting_mta));
	add_field(to, "Message-ID", buf_str(&b));
	buf_printf(to,
		   "Auto-Submitted: auto-replied\r\n"
		   "MIME-Version: 1.0\r\n"
		   "Content-Type: multipart/report; report-type=%s;\r\n"
		   "\tboundary=\"=_%016llx\"\r\n"
		   "Content-Transfer-Encoding: %s\r\n\r\n",
		   is_international(plan) ? "global-delivery-status"
					  : "delivery-status",
		   random, eight_bits ? "8bit" : "7bit");
}

void dsn_write(struct buf *to, const struct dsn_plan *plan)
{
	struct buf parts scoped(buf) = BUF_EMPTY;

	add_parts(&parts, plan);
	add_header(to, plan, is_8bit(buf_str(&parts)));
	buf_add(to, S("This is a delivery report in MIME format.\r\n\r\n"));
	buf_add(to, buf_str(&parts));
}
