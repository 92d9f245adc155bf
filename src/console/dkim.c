/*
 * Keys that sign a domain's mail, and what DNS has of them.
 *
 * Whoever asks DNS first (check, use) parks: on the loop the answer is put
 * into the keys as they were shown, and the change is made with that.
 */
#include <stdlib.h>
#include <unistd.h>

#include "console/errands.h"
#include "console/handlers.h"
#include "console/nouns.h"
#include "directory/dkim.h"
#include "filter/rspamd.h"
#include "show/dkim.h"
#include "wire/address.h"

enum { DNS_MS = 20000 };

/* ---- looked at ---- */

struct looked {
	struct request *r;
	json_t *keys;
	bool broken;
};

static void look_at(void *looked, const struct domain_entry *e)
{
	struct looked *l = looked;
	const char *set = l->r->console->settings->data;
	char *data = realpath(set, NULL);
	struct dkim_signer signer = {
		.data = data ? data : set,
		.is_installed = access(RSPAMD_PROGRAM, X_OK) == 0,
	};

	if (sees_domain(l->r, e->domain.id)) {
		l->keys = show_dkim(l->r->d, &e->domain, &signer, l->r->arena);
		l->broken = !l->keys;
	}
	free(data);
}

static enum found load(struct request *r, struct str key, json_t **out)
{
	struct looked l = { .r = r };
	struct str name;

	if (!domain_parse(key, r->arena, &name))
		return FOUND_NOT;
	if (!list_domains(r->d, name, look_at, &l) || l.broken) {
		json_decref(l.keys);
		return FOUND_TROUBLE;
	}
	*out = l.keys;
	return l.keys ? FOUND : FOUND_NOT;
}

/* What is now. */
static struct response answer_keys(struct request *r, int status)
{
	json_t *keys = NULL;

	switch (load(r, r->args[0], &keys)) {
	case FOUND:
		return answer_json(status, keys);
	case FOUND_NOT:
		return not_there(r);
	case FOUND_TROUBLE:
		break;
	}
	return trouble(r);
}

static struct response after(struct request *r, struct change change,
			     int status)
{
	return change.outcome == CHANGE_DONE ? answer_keys(r, status)
					     : refused(r, change);
}

struct response on_get_dkim(struct request *r)
{
	return answer_keys(r, 200);
}

/* ---- DNS ---- */

static void waits find(struct request *r)
{
	show_dkim_found(r->keys, r->console->settings->dns, after_ms(DNS_MS));
}

/* True: DNS has been asked, r->keys are this call's.  False: *ANSWER. */
static bool has_asked(struct request *r, struct response *answer)
{
	if (r->errand_ended)
		return true;
	*answer = answer_keys(r, 200);
	if (answer->status != 200)
		return false;
	r->keys = answer->body;
	*answer = errand_begin(r, find);
	return false;
}

struct response on_check_dkim(struct request *r)
{
	struct response a;
	json_t *keys;

	if (!has_asked(r, &a))
		return a;
	keys = r->keys;
	r->keys = NULL;
	return answer_json(200, keys);
}

/* ---- changes ---- */

static const struct setting_rule wishes[] = { { "now", SETTING_FLAG, "no" },
					      { "selector", SETTING_TEXT, "" },
					      { "algorithm", SETTING_TEXT, "" },
					      { 0 } };

/* Has the body no member but these?  False: *BAD. */
static bool is_wish(struct request *r, struct response *bad)
{
	struct settings unused;

	return settings_read(r, r->body, wishes, "DKIM key", false, &unused,
			     bad);
}

/* False: *BAD. */
static bool take_now(struct request *r, bool *out, struct response *bad)
{
	json_t *v = json_object_get(r->body, "now");

	*out = json_is_true(v);
	if (!v || json_is_boolean(v))
		return true;
	*bad = problem("now", wrong_type, V("key", "now"),
		       V("right", "true or false"));
	return false;
}

/* Left out: empty. */
static bool take_text(struct request *r, const char *key, struct str *out,
		      struct response *bad)
{
	*out = body_text(r, key);
	if (out->p || !json_object_get(r->body, key))
		return true;
	*bad = problem(key, not_a_text, V("key", key));
	return false;
}

static struct response create(struct request *r, const void *unused,
			      json_t *now)
{
	struct dkim_wish w = { 0 };
	struct response bad;

	(void)unused;
	if (!precondition(r, now, &bad) || !is_wish(r, &bad) ||
	    !take_text(r, "selector", &w.selector, &bad) ||
	    !take_text(r, "algorithm", &w.algorithm, &bad) ||
	    !take_now(r, &w.is_used, &bad))
		return bad;
	return after(r, dkim_create(r->c, r->args[0], &w), 201);
}

struct response on_create_dkim(struct request *r)
{
	return change_entry(r, load, create, NULL);
}

static struct response rotate(struct request *r, const void *unused,
			      json_t *now)
{
	struct response bad;
	bool is_used;

	(void)unused;
	if (!precondition(r, now, &bad) || !is_wish(r, &bad) ||
	    !take_now(r, &is_used, &bad))
		return bad;
	return after(r, dkim_rotate(r->c, r->args[0], is_used), 200);
}

struct response on_rotate_dkim(struct request *r)
{
	return change_entry(r, load, rotate, NULL);
}

static struct str member(const json_t *o, const char *key)
{
	return str_of(json_string_value(json_object_get(o, key)));
}

/* KEYS: as DNS has them, or not asked. */
static struct change use(struct request *r, const json_t *keys,
			 struct str selector)
{
	struct change c = { .outcome = CHANGE_DONE };
	bool is_any = false;
	const json_t *key, *record;
	size_t i;

	json_array_foreach(json_object_get(keys, "keys"), i, key)
	{
		if (selector.n ? !str_same_nocase(member(key, "selector"),
						  selector)
			       : !str_same(member(key, "state"), S("new")))
			continue;
		is_any = true;
		record = keys == r->keys ? show_dkim_unpublished(key) : NULL;
		c = record ? dkim_not_published(
				     r->c, member(key, "selector"),
				     member(record, "name"),
				     show_dkim_words(
					     member(record, "published").p))
			   : dkim_use(r->c, r->args[0],
				      member(key, "selector"));
		if (c.outcome != CHANGE_DONE)
			return c;
	}
	return is_any ? c : dkim_use(r->c, r->args[0], selector);
}

static struct response use_all(struct request *r, const void *selector,
			       json_t *now)
{
	const struct str *s = selector;
	struct response bad;

	if (!precondition(r, now, &bad))
		return bad;
	return after(r, use(r, r->keys ? r->keys : now, *s), 200);
}

struct response on_use_dkim(struct request *r)
{
	struct str selector;
	struct response a;
	bool is_now;

	if (!is_wish(r, &a) || !take_text(r, "selector", &selector, &a) ||
	    !take_now(r, &is_now, &a) || (!is_now && !has_asked(r, &a)))
		return a;
	a = change_entry(r, load, use_all, &selector);
	json_decref(r->keys);
	r->keys = NULL;
	return a;
}

static struct response remove_one(struct request *r, const void *unused,
				  json_t *now)
{
	struct change change;
	struct response bad;

	(void)unused;
	if (!precondition(r, now, &bad))
		return bad;
	change = dkim_delete(r->c, r->args[0], r->args[1],
			     param_flag(r, "anyway"));
	if (change.outcome == CHANGE_NOT_FOUND)
		return not_there(r);
	return change.outcome == CHANGE_DONE ? answer_empty()
					     : refused(r, change);
}

struct response on_delete_dkim(struct request *r)
{
	return change_entry(r, load, remove_one, NULL);
}
