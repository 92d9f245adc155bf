/* The keys that sign a domain's mail (dkim.h). */
#include "show/dkim.h"

#include "filter/rspamd.h"
#include "wire/dkim_record.h"

/* ---- what there is ---- */

struct shown {
	struct arena *arena;
	const struct domain *domain;
	const struct str *aliases;
	size_t n;
	json_t *keys;
	bool is_any_active;
};

static json_t *record_json(struct shown *s, const struct dkim_key *k,
			   struct str at, struct str text)
{
	struct str name = arena_strf(s->arena, "%.*s._domainkey.%.*s",
				     STR(k->selector), STR(at));

	return json_pack("{s:o,s:o,s:n,s:s}", "name", json_text(name), "zone",
			 json_text(dkim_record_zone(name, text, s->arena)),
			 "published", "trouble", "");
}

static json_t *needed_until(const struct dkim_key *k)
{
	return k->state == DKIM_OLD ? json_time_s(dkim_needed_until_s(k))
				    : json_null();
}

static void add_key(void *shown, const struct dkim_key *k)
{
	struct shown *s = shown;
	const char *algorithm = dkim_algorithm_name(k->algorithm);
	struct str text =
		dkim_record_write(str_of(algorithm), k->public, s->arena);
	json_t *records = json_array();

	s->is_any_active |= k->state == DKIM_ACTIVE;
	json_array_append_new(records,
			      record_json(s, k, s->domain->name, text));
	for (size_t i = 0; i < s->n; i++)
		json_array_append_new(records,
				      record_json(s, k, s->aliases[i], text));
	json_array_append_new(
		s->keys,
		json_pack("{s:o,s:s,s:s,s:o,s:o,s:o,s:o}", "selector",
			  json_text(k->selector), "algorithm", algorithm,
			  "state", dkim_state_name(k->state), "since",
			  json_time_s(k->since_s), "needed_until",
			  needed_until(k), "text", json_text(text), "records",
			  records));
}

/* ---- who signs ---- */

struct asked {
	struct str socket;
	bool is_there, sees_outgoing;
};

static void look_at(void *asked, const struct filter *f)
{
	struct asked *a = asked;

	if (!f->enabled || !str_same(f->socket, a->socket))
		return;
	a->is_there = true;
	a->sees_outgoing |= f->direction != FILTER_IN;
}

static const struct {
	const char *word, *sentence;
} reasons[] = {
	{ "no-active-key", "no key is in use" },
	{ "rspamd-not-installed",
	  "the package rspamd, which signs, is not installed" },
	{ "rspamd-not-enabled",
	  "Rspamd, which signs, does not run: see `splitmail filter enable "
	  "rspamd`" },
	{ "rspamd-not-asked",
	  "the filter rspamd, which signs, sees incoming mail only" },
};

const char *show_dkim_why_not(const char *word)
{
	for (size_t i = 0; word && i < array_size(reasons); i++)
		if (!strcmp(word, reasons[i].word))
			return reasons[i].sentence;
	return "";
}

static const char *why_not(const struct shown *s, const struct asked *a,
			   const struct dkim_signer *signer)
{
	if (!s->is_any_active)
		return reasons[0].word;
	if (!signer->is_installed)
		return reasons[1].word;
	if (!a->is_there)
		return reasons[2].word;
	return a->sees_outgoing ? NULL : reasons[3].word;
}

json_t *show_dkim(struct directory *d, const struct domain *domain,
		  const struct dkim_signer *signer, struct arena *arena)
{
	struct shown s = { .arena = arena, .domain = domain };
	struct asked asked = { rspamd_socket(signer->data, arena), false };
	const char *why;

	if (list_aliases(d, domain->id, arena, &s.aliases, &s.n) ==
		    ANSWER_UNSURE ||
	    !list_filters(d, S(""), look_at, &asked))
		return NULL;
	s.keys = json_array();
	if (!list_dkim_keys(d, domain->id, add_key, &s)) {
		json_decref(s.keys);
		return NULL;
	}
	why = why_not(&s, &asked, signer);
	return json_pack("{s:o,s:b,s:s?,s:o}", "domain",
			 json_text(domain->name), "signs", !why, "why_not", why,
			 "keys", s.keys);
}

/* ---- what DNS has ---- */

static const struct {
	const char *published, *words;
} found_words[] = {
	[DKIM_FOUND_EQUAL] = { "yes", "the record" },
	[DKIM_FOUND_OTHER] = { "other", "another record" },
	[DKIM_FOUND_REVOKED] = { "revoked", "a record that revokes the key" },
	[DKIM_FOUND_SEVERAL] = { "several", "several records" },
};
#define ABSENT "absent"
#define UNKNOWN "unknown"

const char *show_dkim_words(const char *published)
{
	for (size_t i = 0; i < array_size(found_words); i++)
		if (!strcmp(published, found_words[i].published))
			return found_words[i].words;
	return strcmp(published, ABSENT) ? "no answer now" : "no record";
}

static void set_found(json_t *record, const char *word, const char *trouble)
{
	json_object_set_new(record, "published", json_string(word));
	json_object_set_new(record, "trouble", json_text(str_of(trouble)));
}

static struct str member(const json_t *o, const char *key)
{
	return str_of(json_string_value(json_object_get(o, key)));
}

/* "v=DKIM1; k=rsa; p=..." is ours: its p= is the key. */
static struct str public_in(struct str text)
{
	return str_from(text, (size_t)str_search(text, S("p=")) + 2);
}

static void waits find_record(const json_t *key, json_t *record,
			      struct dns *dns, int64_t deadline_ms)
{
	struct arena *arena scoped(arena) = arena_open();
	struct txt_list list;
	enum dkim_found found;

	switch (dns_txt(dns, member(record, "name"), deadline_ms, arena,
			&list)) {
	case DNS_NONE:
		set_found(record, ABSENT, "");
		return;
	case DNS_TROUBLE:
		set_found(record, UNKNOWN, cause());
		return;
	case DNS_FOUND:
		break;
	}
	found = dkim_record_compare(list.texts, list.n,
				    member(key, "algorithm"),
				    public_in(member(key, "text")));
	set_found(record, found_words[found].published, "");
}

void show_dkim_found(json_t *keys, struct dns *dns, int64_t deadline_ms)
{
	json_t *key, *record;
	size_t i, k;

	json_array_foreach(json_object_get(keys, "keys"), i, key)
	{
		json_t *records = json_object_get(key, "records");

		json_array_foreach(records, k, record)
			find_record(key, record, dns, deadline_ms);
	}
}

json_t *show_dkim_unpublished(const json_t *key)
{
	json_t *record;
	size_t i;

	json_array_foreach(json_object_get(key, "records"), i,
			   record) if (!str_same(member(record, "published"),
						 S("yes"))) return record;
	return NULL;
}
