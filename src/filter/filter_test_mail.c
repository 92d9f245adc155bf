/* A mail for the tests of filters (filter_test_mail.h). */
#include "filter/filter_test_mail.h"

#include "rt/loop.h"

/* A story is a fiber's: nothing can be thrown out of it. */
#define wrong(...) \
	do { \
		print_error(__VA_ARGS__); \
		check(!"as it should be"); \
	} while (0)

static struct spool spool = { .folder = "/nowhere" };

static struct filter filter_of(const struct script *s, const char *name)
{
	return (struct filter){
		.name = str_of(name),
		.socket = str_of(s->socket),
		.step_s = 1,
		.message_s = 1,
	};
}

static void mail_begin(struct mail *m)
{
	m->client = (struct filter_client){ .hostname = "mx.test",
					    .helo = "client.test",
					    .tls_version = "",
					    .tls_cipher = "" };
	m->message = message_new(&spool);
	check(body_add(&m->message->body, S(HEADER "\r\n" BODY)));
	for (m->n = 0; m->n < 2 && m->scripts[m->n]; m->n++) {
		enum filter_down down = m->list[m->n].when_down;

		m->list[m->n] =
			filter_of(m->scripts[m->n], m->n ? "second" : "first");
		m->list[m->n].when_down = down;
	}
	m->filtering = filtering_open(m->filters, m->list, m->n, &m->client,
				      m->message->arena);
	m->letter = (struct filter_letter){
		.message = m->message,
		.skip = sizeof(HEADER "\r\n") - 1,
		.front = S(FRONT),
		.header = S(HEADER),
		.max_bytes = 1000,
	};
}

/* As a session does: who is refused hears of nothing more. */
static void mail_pass(struct mail *m)
{
	struct filter_verdict none = { .action = FILTER_PASS };

	m->at_mail = m->at_rcpt = m->at_end = none;
	m->at_mail = filtering_mail(m->filtering, S("id1"), S("ann@a.test"));
	if (m->at_mail.action == FILTER_PASS)
		m->at_rcpt = filtering_rcpt(m->filtering, S("bob@b.test"));
	if (m->at_mail.action == FILTER_PASS &&
	    m->at_rcpt.action == FILTER_PASS)
		m->at_end = filtering_message(m->filtering, &m->letter);
}

void mail_end(struct mail *m)
{
	filtering_close(m->filtering);
	message_drop(m->message);
}

/* STORY in a loop, with a filter of SCRIPTS. */
struct play {
	struct script *scripts[2];
	void (*story)(struct mail *m);
};

static void play_in_loop(void *arg)
{
	const struct play *p = arg;
	struct mail m = { .filters = filters_open(NULL, NULL) };

	for (int i = 0; i < 2; i++) {
		m.scripts[i] = p->scripts[i];
		if (m.scripts[i])
			script_open(m.scripts[i]);
	}
	p->story(&m);
	filters_close(m.filters);
	for (int i = 0; i < 2; i++)
		if (m.scripts[i])
			script_close(m.scripts[i]);
}

void play(struct script *first, struct script *second,
	  void (*story)(struct mail *m))
{
	struct play p = { { first, second }, story };

	loops_run(1, play_in_loop, &p);
	script_free(first);
	if (second)
		script_free(second);
}

void one_mail(struct mail *m)
{
	mail_begin(m);
	mail_pass(m);
}

void has(const struct buf *b, const char *text)
{
	if (str_search(buf_str(b), str_of(text)) < 0)
		wrong("no \"%s\" in \"%.*s\"", text, STR(buf_str(b)));
}

void is(struct str got, const char *text)
{
	if (!str_same(got, str_of(text)))
		wrong("\"%.*s\" instead of \"%s\"", STR(got), text);
}

void heard(const struct mail *m, const char *text)
{
	const struct buf *b = &m->scripts[0]->heard;
	int64_t latest_ms = after_ms(10000);

	while (b->n < strlen(text) && now_ms() < latest_ms)
		fiber_sleep(after_ms(5));
	is(buf_str(b), text);
}
