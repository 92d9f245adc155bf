/* Whom a host has to be, as DNSSEC says (dane.h). */
#include "deliver/dane.h"

static size_t keep_usable(struct tlsa_list *all)
{
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++)
		if (tlsa_is_usable(&all->records[i]))
			all->records[n++] = all->records[i];
	return n;
}

/* Then the certificate names its host, or the domain it serves. */
static bool names_issuer(const struct tlsa_list *all)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->records[i].usage == TLSA_ISSUER)
			return true;
	return false;
}

static const struct tls_dane *dane_of(const struct tlsa_list *usable,
				      struct str domain, struct arena *arena)
{
	struct tls_dane *dane = arena_new(arena, struct tls_dane);

	*dane = (struct tls_dane){
		.host = arena_cstr(arena, usable->host),
		.domain =
			names_issuer(usable) ? arena_cstr(arena, domain) : NULL,
		.records = usable->records,
		.n = usable->n,
	};
	return dane;
}

bool dane_demand(struct dns *dns, struct str domain, uint16_t port,
		 int64_t deadline_ms, struct arena *arena, struct hop *hop)
{
	struct tlsa_list said;

	switch (dns_tlsa(dns, hop->host, port, deadline_ms, arena, &said)) {
	case DNS_NONE:
		return true;
	case DNS_TROUBLE:
		return add_cause("DANE of %.*s", STR(hop->host));
	case DNS_FOUND:
		break;
	}
	hop->demander = "DANE";
	hop->tls = SYSTEM_TLS_REQUIRED;
	said.n = keep_usable(&said);
	if (said.n > 0) {
		hop->tls = SYSTEM_TLS_VERIFIED;
		hop->dane = dane_of(&said, domain, arena);
	}
	return true;
}
