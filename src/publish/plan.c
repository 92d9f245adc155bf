/* What is known here of a domain whose records are looked at (publish.h). */
#include "base/limits.h"
#include "directory/dkim.h"
#include "directory/lists.h"
#include "publish/inside.h"
#include "rt/clock.h"
#include "rt/source.h"
#include "wire/dkim_record.h"

/* ---- this machine ---- */

/* A root server of the family: nothing is sent there. */
static bool find_source(bool v4, struct inet *out)
{
	struct str root = v4 ? S("198.41.0.4") : S("2001:503:ba3e::2:30");
	struct inet to;

	return inet_parse_ip(root, 53, &to) && source_address(&to, out);
}

/* What is set, or else what the kernel takes. */
static bool find_of_server(const struct publish_server *s, bool v4,
			   struct inet *out)
{
	if (s->family == (v4 ? FAMILY_IPV6 : FAMILY_IPV4))
		return false;
	if (v4 ? s->outgoing.has_v4 : s->outgoing.has_v6) {
		*out = v4 ? s->outgoing.v4 : s->outgoing.v6;
		return true;
	}
	return find_source(v4, out);
}

static bool find_of_domain(const struct publish_server *s,
			   const struct outgoing *domain, bool v4,
			   struct inet *out)
{
	if (!outgoing_is_set(domain))
		return find_of_server(s, v4, out);
	*out = v4 ? domain->v4 : domain->v6;
	return v4 ? domain->has_v4 : domain->has_v6;
}

/* Behind a translation of addresses none is seen in the Internet. */
static void find_own(struct publish_plan *p, const struct outgoing *domain,
		     struct arena *arena)
{
	struct inet *own = arena_array(arena, struct inet, 2);
	struct inet *host = arena_array(arena, struct inet, 2);

	for (int v4 = 1; v4 >= 0; v4--) {
		p->n_own += find_of_domain(&p->server, domain, v4,
					   &own[p->n_own]) &&
			    is_public(&own[p->n_own]);
		p->n_host += find_of_server(&p->server, v4, &host[p->n_host]) &&
			     is_public(&host[p->n_host]);
	}
	p->own = own;
	p->host = host;
}

/* ---- the others ---- */

struct gathering {
	struct directory *d;
	struct arena *arena;
	struct publish_system *systems;
	size_t n;
	bool is_broken;
};

static void take_trust(struct gathering *g, struct publish_system *s)
{
	struct system system;

	if (s->is_relay)
		return;
	switch (directory_system_named(g->d, s->name, g->arena, &system)) {
	case ANSWER_YES:
		break;
	case ANSWER_NO:
		return;
	case ANSWER_UNSURE:
		g->is_broken = true;
		return;
	}
	g->is_broken |= list_trust(g->d, system.id, g->arena, &s->trust,
				   &s->n_trust) == ANSWER_UNSURE;
}

static void count_one(void *n, const struct next_hop *h, struct str hosts)
{
	(void)h;
	(void)hosts;
	++*(size_t *)n;
}

static void take_system(void *gathering, const struct next_hop *h,
			struct str text)
{
	struct gathering *g = gathering;
	struct publish_system *s = &g->systems[g->n++];
	struct host *hosts;

	s->name = arena_str(g->arena, h->name);
	s->is_relay = h->kind == NEXT_HOP_RELAY;
	text = arena_str(g->arena, text);
	if (hosts_parse(text, g->arena, &hosts, &s->n_hosts))
		s->hosts = hosts;
	else
		s->n_hosts = 0;
}

static bool find_systems(struct gathering *g, int64_t domain)
{
	size_t n = 0;

	if (!list_next_systems(g->d, domain, count_one, &n))
		return false;
	g->systems = arena_array(g->arena, struct publish_system, n + 1);
	if (!list_next_systems(g->d, domain, take_system, g))
		return false;
	for (size_t i = 0; i < g->n; i++)
		take_trust(g, &g->systems[i]);
	return !g->is_broken;
}

/* ---- keys ---- */

struct keys {
	struct arena *arena;
	struct publish_key list[DKIM_KEYS_MOST];
	size_t n;
};

static void take_key(void *keys, const struct dkim_key *k)
{
	struct keys *all = keys;
	struct str algorithm = str_of(dkim_algorithm_name(k->algorithm));

	check(all->n < DKIM_KEYS_MOST);
	all->list[all->n++] = (struct publish_key){
		.selector = arena_str(all->arena, k->selector),
		.text = dkim_record_write(algorithm, k->public, all->arena),
		.state = k->state,
		.is_kept = dkim_needed_until_s(k) > wall_ms() / 1000,
	};
}

static bool find_keys(struct directory *d, int64_t domain, struct arena *arena,
		      struct publish_plan *out)
{
	struct keys *keys = arena_new(arena, struct keys);

	keys->arena = arena;
	if (!list_dkim_keys(d, domain, take_key, keys))
		return false;
	out->keys = keys->list;
	out->n_keys = keys->n;
	return true;
}

enum answer publish_plan(struct directory *d, struct str name,
			 const struct publish_server *server,
			 struct arena *arena, struct publish_plan *out)
{
	struct gathering g = { .d = d, .arena = arena };
	struct domain domain;
	enum answer a = directory_domain(d, name, arena, &domain);

	*out = (struct publish_plan){ .domain = name, .server = *server };
	if (a != ANSWER_YES)
		return a;
	if (!find_systems(&g, domain.id) ||
	    !find_keys(d, domain.id, arena, out))
		return ANSWER_UNSURE;
	out->systems = g.systems;
	out->n_systems = g.n;
	out->postmaster = arena_strf(arena, "postmaster@%.*s", STR(name));
	find_own(out, &domain.outgoing, arena);
	return ANSWER_YES;
}
