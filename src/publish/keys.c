/* Records of the domain's DKIM keys (RFC 6376 3.6.1). */
#include "base/buf.h"
#include "publish/inside.h"
#include "wire/tags.h"

static struct str name_of(struct look *l, const struct publish_key *k)
{
	return arena_strf(l->arena, "%.*s._domainkey.%.*s", STR(k->selector),
			  STR(l->plan->domain));
}

struct asked {
	const struct publish_key *key;
	struct heard *out;
};

static void waits ask_key(struct look *l, void *asked)
{
	struct asked *a = asked;

	look_ask(l, name_of(l, a->key), DNS_TXT, a->out);
}

void waits ask_keys(struct look *l, void *unused)
{
	struct together t = { 0 };
	size_t n = l->plan->n_keys;
	struct asked *asked = arena_array(l->arena, struct asked, n + 1);

	(void)unused;
	l->keys = arena_array(l->arena, struct heard, n + 1);
	for (size_t i = 0; i < n; i++) {
		asked[i] = (struct asked){ &l->plan->keys[i], &l->keys[i] };
		look_also(l, &t, ask_key, &asked[i]);
	}
	look_wait(&t);
}

/* The key itself, without blanks: some interfaces put them in. */
static bool key_of(struct look *l, struct str text, struct str *out)
{
	struct buf b scoped(buf) = BUF_EMPTY;
	struct str value;

	if (!tags_find(text, S("p"), &value))
		return false;
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] > ' ')
			buf_add_char(&b, value.p[i]);
	*out = arena_str(l->arena, buf_str(&b));
	return true;
}

static void judge_text(struct look *l, const struct publish_key *k,
		       struct str text)
{
	struct str key, ours;

	if (!key_of(l, text, &key))
		remark(l, dkim_is_none);
	else if (str_empty(key))
		remark(l, dkim_is_revoked);
	else if (key_of(l, k->text, &ours) && !str_same(key, ours))
		remark(l, dkim_is_another);
}

static void judge_use(struct look *l, const struct publish_key *k,
		      enum publish_state state)
{
	switch (k->state) {
	case DKIM_NEW:
		if (state == PUBLISH_RIGHT)
			remark(l, dkim_is_unused, V("selector", k->selector),
			       V("domain", l->plan->domain));
		break;
	case DKIM_OLD:
		if (k->is_kept)
			remark(l, dkim_is_kept);
		else
			remark(l, dkim_may_go);
		break;
	case DKIM_ACTIVE:
		break;
	}
}

void judge_keys(struct look *l)
{
	for (size_t i = 0; i < l->plan->n_keys; i++) {
		const struct publish_key *k = &l->plan->keys[i];
		struct publish_row *r =
			look_row(l, "dkim", "TXT", name_of(l, k),
				 k->state != DKIM_OLD || k->is_kept);

		row_heard(l, &l->keys[i]);
		for (size_t n = 0; n < r->n_found; n++)
			judge_text(l, k, r->found[n]);
		r->value = k->text;
		judge_use(l, k, r->state);
		l->dkim_works |=
			r->state == PUBLISH_RIGHT && k->state == DKIM_ACTIVE;
	}
}
