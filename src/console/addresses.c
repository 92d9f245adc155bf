/*
 * Addresses of a user, group or shared mailbox: one, some, or the whole list.
 */
#include "console/handlers.h"
#include "console/nouns.h"

/* The entry of LIST with this address, in any spelling of it that is the same
 * without regard to case. */
static json_t *entry_of(json_t *list, struct str address)
{
	json_t *e;
	size_t i;

	json_array_foreach(list, i, e)
	{
		json_t *a = json_object_get(e, "address");
		struct str text = { json_string_value(a),
				    json_string_length(a) };

		if (json_is_string(a) && str_same_nocase(text, address))
			return e;
	}
	return NULL;
}

static struct str text_of(json_t *entry, const char *key)
{
	json_t *v = json_object_get(entry, key);

	return (struct str){ json_string_value(v), json_string_length(v) };
}

/* "addresses/3": where in the body. */
static void name_field(struct response *a, size_t i, const char *key)
{
	char text[64];

	snprintf(text, sizeof(text), "addresses/%zu%s%s", i, key ? "/" : "",
		 key ? key : "");
	json_object_set_new(a->body, "field", json_string(text));
}

static bool is_home(struct str s)
{
	for (int h = HOME_HOSTED; h <= HOME_NONE; h++)
		if (str_same(s, str_of(home_name((enum home)h))))
			return true;
	return false;
}

static bool check_entry(json_t *e, size_t i, struct response *out)
{
	const char *key, *bad = NULL;
	json_t *v;

	if (!json_is_string(json_object_get(e, "address")))
		bad = "address";
	json_object_foreach(
		e, key,
		v) if (strcmp(key, "address") && strcmp(key, "default") &&
		       strcmp(key, "home_now") &&
		       !(json_is_boolean(v) && !strcmp(key, "routed")) &&
		       !(json_is_string(v) && !strcmp(key, "home") &&
			 is_home(text_of(e, "home")))) bad = key;
	if (!bad)
		return true;
	*out = problem(NULL, bad_address_entry);
	name_field(out, i, bad);
	return false;
}

static bool check_list(json_t *list, struct response *out)
{
	json_t *e;
	size_t i;

	if (!json_is_array(list)) {
		*out = problem("addresses", wrong_type, V("key", "addresses"),
			       V("right", "a list"));
		return false;
	}
	json_array_foreach(list, i,
			   e) if (!check_entry(e, i, out)) return false;
	return true;
}

/* left@* of several domains is told apart by the domain's name. */
static struct str in_domain(struct request *r, struct str address, json_t *now)
{
	struct str domain = text_of(now, "domain");

	if (!str_ends(address, S("@*")))
		return address;
	return arena_strf(r->arena, "%.*s%.*s",
			  STR(str_part(address, 0, address.n - 1)),
			  STR(domain));
}

static bool done(struct request *r, struct change change, size_t i,
		 struct response *out)
{
	if (change.outcome == CHANGE_DONE)
		return true;
	*out = refused(r, change);
	if (out->status == 422)
		name_field(out, i, change.field);
	return false;
}

static bool set_one(struct request *r, json_t *now, json_t *e, size_t i,
		    struct response *out)
{
	json_t *routed = json_object_get(e, "routed");
	struct str home = text_of(e, "home");
	struct setting s[2];
	size_t n = 0;

	if (routed)
		s[n++] = (struct setting){ S("routed"), json_is_true(routed)
								? S("yes")
								: S("no") };
	if (home.p)
		s[n++] = (struct setting){ S("home"), home };
	return n == 0 ||
	       done(r,
		    address_set(r->c, in_domain(r, text_of(e, "address"), now),
				s, n),
		    i, out);
}

/* "bob@alias.example" that LIST has as "bob@*": adding that takes it in, and
 * what leads to it goes on. */
static bool is_widened(struct request *r, json_t *list, struct str address)
{
	ptrdiff_t at = str_find_last(address, '@');

	return at > 0 && entry_of(list, arena_strf(r->arena, "%.*s@*", (int)at,
						   address.p));
}

static bool remove_others(struct request *r, struct str holder, json_t *have,
			  json_t *list, struct response *out)
{
	struct change change;
	json_t *e;
	size_t i;

	json_array_foreach(have, i, e)
	{
		struct str address = text_of(e, "address");

		if (json_is_true(json_object_get(e, "default")) ||
		    entry_of(list, address) || is_widened(r, list, address))
			continue;
		change = address_remove(r->c, holder, address);
		if (change.outcome == CHANGE_DONE)
			continue;
		*out = refused(r, change);
		return false;
	}
	return true;
}

/* Removed before added: what one had, another may get. */
bool addresses_set(struct request *r, struct str holder, json_t *now,
		   json_t *list, bool whole, struct response *problem_out)
{
	json_t *have = json_object_get(now, "addresses"), *e;
	size_t i;

	if (!check_list(list, problem_out) ||
	    (whole && !remove_others(r, holder, have, list, problem_out)))
		return false;
	json_array_foreach(list, i, e)
	{
		struct str address = text_of(e, "address");

		/* The default address may be named with the domain's name. */
		if (!entry_of(have, address) &&
		    !str_same_nocase(address, text_of(now, "address")) &&
		    !done(r, address_add(r->c, holder, address), i,
			  problem_out))
			return false;
		if (!set_one(r, now, e, i, problem_out))
			return false;
	}
	return true;
}

/* ---- /users/{address}/addresses ---- */

static struct response answer_addresses(struct request *r, int status,
					json_t *user)
{
	json_t *list =
		json_pack("{s:O}", "items", json_object_get(user, "addresses"));

	json_decref(user);
	return answer_entity(r, status, list);
}

/* For If-Match: what GET shows here. */
static json_t *shown(json_t *user)
{
	return json_pack("{s:O}", "items", json_object_get(user, "addresses"));
}

static struct response show(struct request *r, int status)
{
	json_t *user = NULL;

	switch (holder_show(r, HOLDER_USER, r->args[0], &user)) {
	case FOUND:
		return answer_addresses(r, status, user);
	case FOUND_NOT:
		return not_there(r);
	case FOUND_TROUBLE:
		break;
	}
	return trouble(r);
}

struct response on_list_addresses(struct request *r)
{
	return show(r, 200);
}

/* If-Match is of the list that GET shows here. */
static bool list_is(struct request *r, json_t *now, struct response *out)
{
	json_t *list = shown(now);
	bool good = precondition(r, list, out);

	json_decref(list);
	return good;
}

static struct response set_list(struct request *r, json_t *now, bool whole)
{
	json_t *list = json_object_get(r->body, "items");
	struct response a;

	if (!list_is(r, now, &a) ||
	    !addresses_set(r, r->args[0], now, list, whole, &a))
		return a;
	return show(r, 200);
}

static struct response replace(struct request *r, const void *unused,
			       json_t *now)
{
	(void)unused;
	return set_list(r, now, true);
}

static struct response amend(struct request *r, const void *unused, json_t *now)
{
	(void)unused;
	return set_list(r, now, false);
}

struct response on_put_addresses(struct request *r)
{
	return change_entry(r, load_user, replace, NULL);
}

struct response on_patch_addresses(struct request *r)
{
	return change_entry(r, load_user, amend, NULL);
}

static struct response put_one(struct request *r, const void *unused,
			       json_t *now)
{
	json_t *have = json_object_get(now, "addresses");
	json_t *list = json_array(), *e = json_copy(r->body);
	bool is_new = !entry_of(have, r->args[1]);
	struct response a;
	bool good;

	(void)unused;
	json_object_set_new(e, "address", json_text(r->args[1]));
	json_array_append_new(list, e);
	good = list_is(r, now, &a) &&
	       addresses_set(r, r->args[0], now, list, false, &a);
	json_decref(list);
	return good ? show(r, is_new ? 201 : 200) : a;
}

struct response on_put_address(struct request *r)
{
	return change_entry(r, load_user, put_one, NULL);
}

static struct response delete_one(struct request *r, const void *unused,
				  json_t *now)
{
	struct change change;
	struct response a;

	(void)unused;
	if (!entry_of(json_object_get(now, "addresses"), r->args[1]))
		return not_there(r);
	if (!list_is(r, now, &a))
		return a;
	change = address_remove(r->c, r->args[0], r->args[1]);
	return change.outcome == CHANGE_DONE ? answer_deleted(r)
					     : refused(r, change);
}

struct response on_delete_address(struct request *r)
{
	return change_entry(r, load_user, delete_one, NULL);
}
