/* Filters of our own notices (dsn_filter.h). */
#include "deliver/dsn_filter.h"

#include "filter/filter.h"
#include "rt/log.h"

/* For each answer, and for all of them together: Rspamd takes 8 s where DNS is
 * silent.  What came of the message is not written meanwhile, and its sender may
 * wait for that. */
enum { STEP_S = 5, ALL_MS = 10000 };

static bool waits write_letter(struct message *m, struct filter_letter *to)
{
	struct header_summary h;
	struct str header = body_header(&m->body, m->arena, &h);

	*to = (struct filter_letter){
		.message = m,
		.skip = header.n,
		.front = m->trace,
		.header = arena_str(m->arena, header),
		.max_bytes = LIMIT_MESSAGE_BYTES,
	};
	return header.p;
}

static bool waits take_letter(struct message *m,
			      const struct filter_letter *letter)
{
	struct buf trace scoped(buf) = BUF_EMPTY;

	if (!letter->is_changed)
		return true;
	buf_add(&trace, letter->fields.before);
	buf_add(&trace, letter->front);
	return message_change_header(m, buf_str(&trace), letter->fields.behind,
				     letter->skip);
}

static struct filter_verdict waits ask(struct filtering *f, struct message *m,
				       struct filter_letter *letter)
{
	struct filter_verdict v = filtering_mail(f, str_of(m->id), m->sender);

	if (v.action == FILTER_PASS)
		v = filtering_rcpt(f, m->recipients[0].address);
	if (v.action == FILTER_PASS)
		v = filtering_message(f, letter);
	return v;
}

static void waits pass(struct deliver *d, const struct filter *one,
		       struct message *m, int64_t latest_ms)
{
	const struct filter_client client = {
		.hostname = d->settings->hostname,
		.helo = "localhost",
		.tls_version = "",
		.tls_cipher = "",
		.outgoing_as = S("local"),
		.latest_ms = latest_ms,
	};
	struct filter_letter letter;
	struct filter_verdict v;
	struct filtering *f;

	if (!write_letter(m, &letter)) {
		log_warn("bounce", "%s: it is not filtered: %s", m->id,
			 cause());
		return;
	}
	f = filtering_open(d->filters, one, 1, &client, m->arena);
	v = ask(f, m, &letter);
	if (v.action != FILTER_PASS)
		log_warn("bounce",
			 "%s: filter %.*s would not let it pass; it goes on",
			 m->id, STR(one->name));
	else if (!take_letter(m, &letter))
		log_warn("bounce", "%s: it stays as it is: %s", m->id, cause());
	filtering_close(f);
}

void dsn_filter(struct deliver *d, struct message *m)
{
	int64_t latest_ms = after_ms(ALL_MS);
	const struct filter *list;
	size_t n;

	if (!d->router->directory) /* routes by itself: nobody filters */
		return;
	if (directory_filters(d->router->directory, STR_NONE, FILTER_OUT,
			      m->arena, &list, &n) == ANSWER_UNSURE) {
		log_warn("bounce", "%s: it is not filtered: %s", m->id,
			 cause());
		return;
	}
	for (size_t i = 0; i < n; i++) {
		struct filter *one = arena_new(m->arena, struct filter);

		*one = list[i];
		one->when_down = FILTER_DOWN_ACCEPT;
		if (one->step_s > STEP_S)
			one->step_s = STEP_S;
		if (!d->filters)
			d->filters = filters_open(d->settings->dns,
						  d->settings->filters);
		pass(d, one, m, latest_ms);
	}
}
