/*
 * DMARC records (dmarc.h): tags (tags.h), "v" first.
 *
 *	rua = uri *( "," uri )		uri: "mailto:" address [ "!" size ]
 *
 * Tags nobody knows say nothing; of several of one name the first counts.
 */
#include "wire/dmarc.h"

#include "base/limits.h"
#include "wire/address.h"
#include "wire/tags.h"

const char *const dmarc_words[] = { "none", "quarantine", "reject", NULL };

bool dmarc_is_record(struct str text)
{
	return tags_begin(text, S("DMARC1"));
}

static bool take_policy(struct str value, enum dmarc_policy *out)
{
	for (size_t i = 0; dmarc_words[i]; i++)
		if (str_same_nocase(value, str_of(dmarc_words[i]))) {
			*out = (enum dmarc_policy)i;
			return true;
		}
	return false;
}

static bool take_mode(struct str value, bool *is_strict)
{
	*is_strict = str_same_nocase(value, S("s"));
	return *is_strict || str_same_nocase(value, S("r"));
}

/* "%40" and the like stand in no address that anybody reads. */
static bool take_uri(struct str uri, struct arena *arena, struct str *out)
{
	struct address a;

	if (!str_starts_nocase(uri, S("mailto:")))
		return false;
	uri = str_from(uri, 7);
	str_split(&uri, '!', out);
	return address_parse(*out, arena, &a);
}

static bool take_rua(struct str value, struct arena *arena,
		     struct dmarc_record *out)
{
	struct str uri;

	out->rua = arena_array(arena, struct str, LIMIT_DMARC_REPORTS);
	while (str_split(&value, ',', &uri)) {
		uri = str_trim(uri);
		if (out->n_rua == LIMIT_DMARC_REPORTS)
			return fail("rua has more than %d addresses",
				    LIMIT_DMARC_REPORTS);
		if (str_find(uri, ':') <= 0)
			return fail("rua=%.*s is no mailto: address", STR(uri));
		out->n_rua += take_uri(uri, arena, &out->rua[out->n_rua]);
	}
	return true;
}

static bool take_percent(struct str value, unsigned *out)
{
	uint64_t n;

	if (!str_number(value, 100, &n))
		return false;
	*out = (unsigned)n;
	return true;
}

static bool is_good(struct str name, struct str value, struct arena *arena,
		    struct dmarc_record *out)
{
	if (str_same_nocase(name, S("sp")))
		return take_policy(value, &out->of_subdomains);
	if (str_same_nocase(name, S("adkim")))
		return take_mode(value, &out->is_strict_dkim);
	if (str_same_nocase(name, S("aspf")))
		return take_mode(value, &out->is_strict_spf);
	if (str_same_nocase(name, S("pct")))
		return take_percent(value, &out->percent);
	return true;
}

static bool is_first(struct str text, const struct tag *t)
{
	struct str value;

	return tags_find(text, t->name, &value) && value.p == t->value.p;
}

bool dmarc_parse(struct str text, struct arena *arena, struct dmarc_record *out)
{
	struct str rest = text, value;
	struct tag t;

	*out = (struct dmarc_record){ .percent = 100 };
	if (!dmarc_is_record(text))
		return fail("it does not begin with v=DMARC1");
	if (!tags_find(text, S("p"), &value))
		return fail("it has no p=");
	if (!take_policy(value, &out->policy))
		return fail("p=%.*s is no policy", STR(value));
	out->of_subdomains = out->policy;
	while (tags_next(&rest, &t)) {
		if (t.is_malformed)
			return fail("\"%.*s\" is no tag", STR(t.name));
		if (is_first(text, &t) && !is_good(t.name, t.value, arena, out))
			return fail("%.*s=%.*s is malformed", STR(t.name),
				    STR(t.value));
	}
	return !tags_find(text, S("rua"), &value) ||
	       take_rua(value, arena, out);
}
