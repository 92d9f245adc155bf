/*
 * The filters of a mail (filter/filter.h): which they are, and when they are
 * asked.
 *
 *	MAIL	find_filters(), filter_mail()	who may refuse the sender,
 *	RCPT	filter_rcpt()			a recipient,
 *	body	filter_message()		or the whole (filtered.c)
 */
#include "filter/filter.h"

#include "rt/log.h"
#include "smtp/memory.h"

static struct filters *filters_of(struct session *s)
{
	struct smtp_memory *memory = smtp_memory(s->server);

	if (!memory->filters)
		memory->filters = filters_open(s->server->settings->dns,
					       s->server->settings->filters);
	return memory->filters;
}

struct reply find_filters(struct session *s)
{
	struct mail *mail = s->mail;
	struct arena *a = mail->message->arena;
	const struct filter *list;
	size_t n;

	if (directory_filters(s->server->router->directory, s->listener,
			      s->kind == SMTP_MX ? FILTER_IN : FILTER_OUT, a,
			      &list, &n) == ANSWER_UNSURE) {
		log_error(s->part, "filters of %s: %s", s->client, cause());
		return SAY(s, trouble);
	}
	if (n == 0)
		return SILENCE;
	mail->filter_client = (struct filter_client){
		.hostname = s->server->settings->hostname,
		.peer = is_local(s) ? NULL : stream_peer(s->peer),
		.helo = s->helo,
		.tls_version = stream_tls_version(s->peer),
		.tls_cipher = stream_tls_cipher(s->peer),
		.login = s->login,
		.mechanism = s->login.n ? s->mechanism : STR_NONE,
	};
	mail->filtering =
		filtering_open(filters_of(s), list, n, &mail->filter_client, a);
	return SILENCE;
}

/* ---- MAIL, RCPT ---- */

/* Filters judge by it.  What cannot be had has no name. */
static void waits find_name(struct session *s)
{
	struct dns *dns = s->server->settings->dns;
	struct str name;

	if (s->is_name_known || !dns || is_local(s))
		return;
	s->is_name_known = true;
	if (dns_name_of(dns, stream_peer(s->peer),
			after_ms(LIMIT_CLIENT_NAME_MS), s->line,
			&name) == DNS_FOUND)
		s->name = arena_str(s->arena, name);
}

struct reply filter_said(struct session *s, const struct filter_verdict *v)
{
	if (v->action != FILTER_REFUSE)
		return SILENCE;
	s->refused_by = v->filter;
	return hand_on(s, v->reply);
}

struct reply filter_mail(struct session *s)
{
	struct mail *mail = s->mail;
	struct filter_verdict v;

	if (!mail->filtering)
		return SILENCE;
	find_name(s);
	mail->filter_client.name = s->name;
	v = filtering_mail(mail->filtering, str_of(mail->message->id),
			   mail->message->sender);
	return filter_said(s, &v);
}

struct reply filter_rcpt(struct session *s, struct str recipient)
{
	struct filter_verdict v;

	if (!s->mail->filtering)
		return SILENCE;
	v = filtering_rcpt(s->mail->filtering, recipient);
	return filter_said(s, &v);
}
