/*
 * MTA-STS (mta_sts.h).
 *
 *	record	= "v=STSv1" *( *WSP ";" *WSP field ) *WSP [";"]	field: id=...
 *	policy	= field *( LF field ) [ LF ]	each line may end with CR
 *	field	= name *WSP ":" *WSP value	version, mode, max_age, mx; others
 *						say nothing to us
 *
 * Of several fields of one name, but mx, the first counts.
 */
#include "wire/mta_sts.h"

#include "base/limits.h"
#include "wire/address.h"

enum { ID_BYTES = 32, MAX_AGE_S = 31557600 /* a year: RFC 8461 3.2 */ };

/* ---- the record ---- */

static bool is_id(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') &&
		    !(c >= 'A' && c <= 'Z'))
			return false;
	}
	return s.n > 0 && s.n <= ID_BYTES;
}

static bool is_sts(struct str text)
{
	struct str version;

	str_split(&text, ';', &version);
	return str_same(str_trim(version), S("v=STSv1"));
}

static bool find_id(struct str text, struct str *id)
{
	struct str field;

	while (!str_empty(text)) {
		str_split(&text, ';', &field);
		field = str_trim(field);
		if (!str_starts(field, S("id=")))
			continue;
		*id = str_from(field, 3);
		return is_id(*id);
	}
	return false;
}

bool sts_record_parse(const struct str *texts, size_t n, struct str *id)
{
	const struct str *ours = NULL;

	for (size_t i = 0; i < n; i++) {
		if (!is_sts(texts[i]))
			continue;
		if (ours)
			return false;
		ours = &texts[i];
	}
	return ours && find_id(*ours, id);
}

/* ---- the policy ---- */

/* What was said of it so far. */
struct draft {
	struct sts_policy *policy;
	struct arena *arena;
	bool has_version, has_mode, has_age;
};

static bool take_version(struct draft *d, struct str value)
{
	if (d->has_version)
		return true;
	d->has_version = true;
	return str_same(value, S("STSv1")) ||
	       fail("version is \"%.*s\"", STR(value));
}

static bool take_mode(struct draft *d, struct str value)
{
	static const struct {
		const char *word;
		enum sts_mode mode;
	} modes[] = { { "none", STS_NONE },
		      { "testing", STS_TESTING },
		      { "enforce", STS_ENFORCE } };

	if (d->has_mode)
		return true;
	d->has_mode = true;
	for (size_t i = 0; i < array_size(modes); i++)
		if (str_same(value, str_of(modes[i].word))) {
			d->policy->mode = modes[i].mode;
			return true;
		}
	return fail("mode is \"%.*s\"", STR(value));
}

static bool take_age(struct draft *d, struct str value)
{
	uint64_t age_s;

	if (d->has_age)
		return true;
	d->has_age = true;
	if (value.n > 10 || !str_number(value, UINT64_MAX, &age_s))
		return fail("max_age is \"%.*s\"", STR(value));
	d->policy->max_age_s = age_s < MAX_AGE_S ? (int64_t)age_s : MAX_AGE_S;
	return true;
}

static bool take_mx(struct draft *d, struct str value)
{
	struct sts_policy *p = d->policy;
	bool is_wild = str_starts(value, S("*."));
	struct str name;

	if (p->n == LIMIT_STS_HOSTS)
		return fail("it names more than %d hosts", LIMIT_STS_HOSTS);
	if (!domain_parse(is_wild ? str_from(value, 2) : value, d->arena,
			  &name))
		return fail("mx is \"%.*s\"", STR(value));
	p->mx[p->n++] =
		is_wild ? arena_strf(d->arena, "*.%.*s", STR(name)) : name;
	return true;
}

static bool take_line(struct draft *d, struct str line)
{
	static const struct {
		const char *name;
		bool (*take)(struct draft *d, struct str value);
	} fields[] = {
		{ "version", take_version },
		{ "mode", take_mode },
		{ "max_age", take_age },
		{ "mx", take_mx },
	};
	struct str name;

	if (str_ends(line, S("\r")))
		line.n--;
	if (str_empty(str_trim(line)))
		return true;
	if (str_find(line, ':') < 0)
		return fail("a line is no \"name: value\"");
	str_split(&line, ':', &name);
	for (size_t i = 0; i < array_size(fields); i++)
		if (str_same(str_trim(name), str_of(fields[i].name)))
			return fields[i].take(d, str_trim(line));
	return true;
}

bool sts_policy_parse(struct str text, struct arena *arena,
		      struct sts_policy *out)
{
	struct draft d = { .policy = out, .arena = arena };
	struct str line;

	*out = (struct sts_policy){
		.mx = arena_array(arena, struct str, LIMIT_STS_HOSTS),
	};
	while (!str_empty(text)) {
		str_split(&text, '\n', &line);
		if (!take_line(&d, line))
			return false;
	}
	if (!d.has_version || !d.has_mode || !d.has_age)
		return fail("it lacks version, mode or max_age");
	return out->n > 0 || out->mode == STS_NONE || fail("it names no host");
}

/* A star stands for one label, the first. */
static bool matches(struct str pattern, struct str host)
{
	ptrdiff_t dot;

	if (!str_starts(pattern, S("*.")))
		return str_same_nocase(pattern, host);
	dot = str_find(host, '.');
	return dot > 0 && str_same_nocase(str_from(pattern, 1),
					  str_from(host, (size_t)dot));
}

bool sts_allows(const struct sts_policy *p, struct str host)
{
	for (size_t i = 0; i < p->n; i++)
		if (matches(p->mx[i], host))
			return true;
	return false;
}
