/* What the parts of a look share (inside.h). */
#include "base/limits.h"
#include "publish/inside.h"

/* ---- fibers ---- */

struct task {
	struct look *look;
	struct together *together;
	void (*run)(struct look *l, void *arg);
	void *arg;
};

static void waits run_task(void *arg)
{
	struct task *t = arg;

	t->run(t->look, t->arg);
	if (--t->together->open == 0)
		gate_open(&t->together->ended);
}

void waits look_also(struct look *l, struct together *t,
		     void (*run)(struct look *l, void *arg), void *arg)
{
	struct task *task = arena_new(l->arena, struct task);

	*task = (struct task){ l, t, run, arg };
	t->open++;
	if (!fiber_start("publish", run_task, task))
		run_task(task);
}

void waits look_wait(struct together *t)
{
	while (t->open > 0)
		gate_wait(&t->ended, NEVER);
}

/* ---- questions ---- */

void waits look_ask(struct look *l, struct str name, enum dns_type type,
		    struct heard *out)
{
	out->answer = dns_records(l->dns, name, type, l->deadline_ms, l->arena,
				  &out->records);
	if (out->answer == DNS_TROUBLE)
		out->cause = arena_strf(l->arena, "%s", cause());
	/* That it is about the DNS is said by where it is shown. */
	if (str_starts(out->cause, S("dns: ")))
		out->cause = str_from(out->cause, 5);
}

struct one_family {
	struct named_host *host;
	enum dns_type type;
	struct heard *out;
};

static void waits ask_family(struct look *l, void *arg)
{
	struct one_family *f = arg;

	look_ask(l, f->host->name, f->type, f->out);
}

void waits look_host(struct look *l, void *named_host)
{
	struct named_host *h = named_host;
	struct one_family v4 = { h, DNS_A, &h->v4 };
	struct together t = { 0 };

	look_also(l, &t, ask_family, &v4);
	look_ask(l, h->name, DNS_AAAA, &h->v6);
	look_wait(&t);
}

/* ---- rows ---- */

const char *const publish_states[] = { "right", "absent", "other", "unknown" };

static const struct {
	const char *id, *sentence;
	bool is_fault;
} remarks[] = {
#define FAULT true
#define NOTE false
#define REMARK(id, kind, text) [REMARK_##id] = { #id, text, kind },
#include "publish/remarks.def"
#undef REMARK
#undef FAULT
#undef NOTE
};

struct publish_row *look_row(struct look *l, const char *what, const char *type,
			     struct str name, bool is_needed)
{
	struct publish_row *r = &l->rows[l->n++];

	check(l->n <= l->room);
	*r = (struct publish_row){
		.what = what,
		.type = type,
		.name = name,
		.is_needed = is_needed,
		.state = PUBLISH_ABSENT,
		.found = arena_array(l->arena, struct str, LIMIT_TXT),
		.remarks = arena_array(l->arena, struct publish_remark,
				       LIMIT_PUBLISH_REMARKS),
	};
	return r;
}

static struct publish_row *last(struct look *l)
{
	return &l->rows[l->n - 1];
}

void remark_say(struct look *l, enum remark id, const struct value *values)
{
	struct publish_row *r = last(l);
	struct publish_remark *to =
		(struct publish_remark *)&r->remarks[r->n_remarks];

	if (remarks[id].is_fault)
		r->state = PUBLISH_OTHER;
	if (r->n_remarks == LIMIT_PUBLISH_REMARKS)
		return;
	r->n_remarks++;
	*to = (struct publish_remark){
		.id = remarks[id].id,
		.values = values_keep(values, l->arena),
		.is_fault = remarks[id].is_fault,
	};
	to->text = sentence_fill(str_of(remarks[id].sentence), to->values,
				 l->arena);
}

void row_found(struct look *l, struct str text)
{
	struct publish_row *r = last(l);

	if (r->n_found < LIMIT_TXT)
		((struct str *)r->found)[r->n_found++] =
			str_cut(text, LIMIT_PUBLISH_TEXT_BYTES);
}

void row_heard(struct look *l, const struct heard *h)
{
	struct publish_row *r = last(l);

	switch (h->answer) {
	case DNS_FOUND:
		r->state = PUBLISH_RIGHT;
		for (size_t i = 0; i < h->records.n; i++)
			row_found(l, h->records.p[i].text);
		break;
	case DNS_NONE:
		r->state = PUBLISH_ABSENT;
		break;
	case DNS_TROUBLE:
		r->state = PUBLISH_UNKNOWN;
		remark(l, not_asked, V("cause", h->cause));
		break;
	}
}

/* ---- addresses ---- */

/* RFC 6890, without the networks of examples. */
bool is_public(const struct inet *a)
{
	static const char *const others[] = {
		"0.0.0.0/8",      "10.0.0.0/8",     "100.64.0.0/10",
		"127.0.0.0/8",    "169.254.0.0/16", "172.16.0.0/12",
		"192.168.0.0/16", "224.0.0.0/3",    "::/127",
		"fc00::/7",       "fe80::/10",      "ff00::/8",
	};
	struct inet_block block;

	for (size_t i = 0; i < array_size(others); i++)
		if (inet_block_parse(str_of(others[i]), &block) &&
		    inet_in_block(a, &block))
			return false;
	return true;
}

static bool has(const struct heard *h, const struct inet *a)
{
	for (size_t i = 0; i < h->records.n; i++)
		if (inet_same_ip(&h->records.p[i].ip, a))
			return true;
	return false;
}

bool has_address(const struct named_host *h, const struct inet *a)
{
	return has(&h->v4, a) || has(&h->v6, a);
}

size_t addresses_of(const struct named_host *h, struct arena *arena,
		    struct inet **out)
{
	const struct dns_records *each[] = { &h->v4.records, &h->v6.records };
	size_t n = 0;

	*out = arena_array(arena, struct inet, each[0]->n + each[1]->n);
	for (size_t i = 0; i < array_size(each); i++)
		for (size_t k = 0; k < each[i]->n; k++)
			(*out)[n++] = each[i]->p[k].ip;
	return n;
}

bool is_known(const struct named_host *h)
{
	return h->v4.answer != DNS_TROUBLE && h->v6.answer != DNS_TROUBLE;
}

struct str dotted(struct str name, struct arena *arena)
{
	return arena_strf(arena, "%.*s.", STR(name));
}
