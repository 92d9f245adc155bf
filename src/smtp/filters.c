/*
 * The filters of a mail (filter/filter.h): which they are, and when they are
 * asked.
 *
 *	MAIL	find_filters(), filter_mail()	who may refuse the sender,
 *	RCPT	filter_rcpt()			a recipient,
 *	body	filter_message()		or the whole (filtered.c)
 */
#include "filter/filter.h"

#include "base/mutants.h"
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
			      s->kind == SMTP_MX || MUTANT(all_mail_comes_in)
				      ? FILTER_IN
				      : FILTER_OUT,
			      a, &list, &n) == ANSWER_UNSURE) {
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
	if (mail->asker.kind == ASKER_LOCAL)
		mail->filter_client.outgoing_as = S("local");
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

/* No: also when it cannot be known now, since nothing is refused for it. */
static bool is_of_ours(struct session *s, const struct address *a)
{
	struct domain d;

	return directory_domain(s->server->router->directory, a->domain,
				s->line, &d) == ANSWER_YES;
}

/*
 * A system that may relay sends to somebody outside in the name of a domain of
 * ours, or of nobody, as notices are: that is mail of ours that leaves.  What it
 * sends here may be a stranger's that it only hands on, whoever the stranger says
 * he is.
 */
static void know_outgoing(struct session *s, const struct address *recipient)
{
	struct mail *mail = s->mail;
	const struct asker *a = &mail->asker;

	if (a->kind != ASKER_SYSTEM || !a->trusted || !a->system.may_relay ||
	    mail->filter_client.outgoing_as.n)
		return;
	if (!is_of_ours(s, recipient) &&
	    (str_empty(mail->message->sender) || is_of_ours(s, &mail->sender)))
		mail->filter_client.outgoing_as =
			asker_text(a, mail->message->arena);
}

struct reply filter_rcpt(struct session *s, const struct address *recipient)
{
	struct filter_verdict v;

	if (!s->mail->filtering)
		return SILENCE;
	know_outgoing(s, recipient);
	v = filtering_rcpt(s->mail->filtering, recipient->spelling);
	return filter_said(s, &v);
}
