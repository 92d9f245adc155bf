/* Whose host is it? (providers.def) */
#include "publish/inside.h"

static const struct {
	struct str end, include;
} providers[] = {
#define PROVIDER(end, include) { S(end), S(include) },
#include "publish/providers.def"
#undef PROVIDER
};

struct str provider_include(struct str host)
{
	for (size_t i = 0; i < array_size(providers); i++)
		if (str_ends(host, providers[i].end))
			return providers[i].include;
	return S("");
}
