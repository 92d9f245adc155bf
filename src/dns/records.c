/* Records as they stand in the DNS (records.h). */
#include "dns/records.h"

#include <unbound.h>

#include "base/buf.h"
#include "base/limits.h"
#include "dns/question.h"

struct data { /* of one record, what is left of it */
	const uint8_t *p;
	size_t n;
};

static bool take_number(struct data *d, uint16_t *out)
{
	if (d->n < 2)
		return false;
	*out = (uint16_t)(d->p[0] << 8 | d->p[1]);
	d->p += 2;
	d->n -= 2;
	return true;
}

/* What no name of a host has is shown as '?'. */
static char shown(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c | 0x20);
	return c > ' ' && c < 0x7f && c != '.' ? (char)c : '?';
}

/* Labels, then a zero (RFC 1035 3.1), uncompressed. */
static bool take_name(struct data *d, struct arena *arena, struct str *out)
{
	char text[LIMIT_DOMAIN_BYTES + 2];
	size_t used = 0, i = 0;

	while (i < d->n && d->p[i] != 0) {
		size_t label = d->p[i++];

		if (label > LIMIT_LABEL_BYTES || i + label > d->n ||
		    used + label + 1 > sizeof(text))
			return false;
		while (label-- > 0)
			text[used++] = shown(d->p[i++]);
		text[used++] = '.';
	}
	if (i >= d->n)
		return false;
	*out = used ? arena_str(arena, (struct str){ text, used - 1 }) : S(".");
	return true;
}

static struct str dotted(struct str name, struct arena *arena)
{
	return str_same(name, S(".")) ? name
				      : arena_strf(arena, "%.*s.", STR(name));
}

static bool take_ip(const struct data *d, size_t n, struct arena *arena,
		    struct dns_record *out)
{
	if (d->n != n)
		return false;
	if (n == 4)
		out->ip.ip[10] = out->ip.ip[11] = 0xff;
	memcpy(out->ip.ip + 16 - n, d->p, n);
	out->text = arena_strf(arena, "%s", inet_ip_text(&out->ip).c);
	return true;
}

static bool take_host(struct data *d, struct arena *arena,
		      struct dns_record *out)
{
	if (!take_name(d, arena, &out->name))
		return false;
	out->text = dotted(out->name, arena);
	return true;
}

static bool take_mx(struct data *d, struct arena *arena, struct dns_record *out)
{
	if (!take_number(d, &out->preference) || !take_host(d, arena, out))
		return false;
	out->text =
		arena_strf(arena, "%u %.*s", out->preference, STR(out->text));
	return true;
}

static bool take_srv(struct data *d, struct arena *arena,
		     struct dns_record *out)
{
	if (!take_number(d, &out->preference) ||
	    !take_number(d, &out->weight) || !take_number(d, &out->port) ||
	    !take_host(d, arena, out))
		return false;
	out->text = arena_strf(arena, "%u %u %u %.*s", out->preference,
			       out->weight, out->port, STR(out->text));
	return true;
}

static bool take(const struct question *q, size_t i, struct arena *arena,
		 struct dns_record *out)
{
	const struct ub_result *r = q->result;
	struct data d = { (const uint8_t *)r->data[i], (size_t)r->len[i] };

	*out = (struct dns_record){ 0 };
	switch ((enum dns_type)r->qtype) {
	case DNS_A:
		return take_ip(&d, 4, arena, out);
	case DNS_AAAA:
		return take_ip(&d, 16, arena, out);
	case DNS_PTR:
		return take_host(&d, arena, out);
	case DNS_MX:
		return take_mx(&d, arena, out);
	case DNS_SRV:
		return take_srv(&d, arena, out);
	case DNS_TXT:
		out->text = question_text(q, i, arena);
		return true;
	}
	return false;
}

static void take_owner(const struct question *q, struct str name,
		       struct arena *arena, struct dns_records *out)
{
	struct str owner =
		q->result->canonname ? str_of(q->result->canonname) : STR_NONE;

	if (str_ends(owner, S(".")))
		owner.n--;
	if (!str_empty(owner) && !str_same_nocase(owner, name))
		out->owner = arena_str(arena, owner);
}

static void take_all(const struct question *q, struct arena *arena,
		     struct dns_records *out)
{
	size_t n = question_count(q);

	out->p = arena_array(arena, struct dns_record, LIMIT_TXT);
	for (size_t i = 0; i < n && out->n < LIMIT_TXT; i++)
		out->n += take(q, i, arena, &out->p[out->n]);
}

enum dns_answer waits dns_records(struct dns *d, struct str name,
				  enum dns_type type, int64_t deadline_ms,
				  struct arena *arena, struct dns_records *out)
{
	const char *c = arena_cstr(arena, name);
	struct question q;
	bool sure;

	*out = (struct dns_records){ 0 };
	if (!question_ask(d, &q, c, (int)type))
		return DNS_TROUBLE;
	sure = question_await(&q, c, deadline_ms);
	if (sure) {
		take_all(&q, arena, out);
		take_owner(&q, name, arena, out);
	}
	question_end(&q);
	if (!sure)
		return DNS_TROUBLE;
	return out->n ? DNS_FOUND : DNS_NONE;
}

struct str dns_reverse_name(const struct inet *a, struct arena *arena)
{
	struct buf b scoped(buf) = BUF_EMPTY;
	bool v4 = inet_is_v4(a);

	for (int i = 15; i >= (v4 ? 12 : 0); i--) {
		if (v4)
			buf_printf(&b, "%u.", a->ip[i]);
		else
			buf_printf(&b, "%x.%x.", a->ip[i] & 15, a->ip[i] >> 4);
	}
	buf_add(&b, v4 ? S("in-addr.arpa") : S("ip6.arpa"));
	return arena_str(arena, buf_str(&b));
}
