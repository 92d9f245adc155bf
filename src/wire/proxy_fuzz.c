/* Whatever comes: a header is within what came, is the same without what stands
 * behind it, and is found by reading no more than is surely its own. */
#include "wire/proxy.h"

#include <stdlib.h>

#include "base/limits.h"
#include "wire/fuzz.h"

/* As smtp/proxied.c does. */
static enum proxy_header read_on(struct str in, size_t *used)
{
	enum proxy_header what;
	struct proxied p;
	size_t n = 0, more;

	do {
		what = proxy_header_parse(str_part(in, 0, n), &p, &more);
		if (what == PROXY_PART)
			n += more;
	} while (what == PROXY_PART && n <= in.n);
	*used = n;
	return what;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct proxied all, same;
	enum proxy_header what;
	size_t used = 0, again = 0;
	char *own;
	struct str in = fuzz_input(bytes, n, &own);

	what = proxy_header_parse(in, &all, &used);
	check(what != PROXY_PART || in.n < LIMIT_PROXY_BYTES);
	if (what == PROXY_CLIENT || what == PROXY_ITSELF) {
		check(used > 0 && used <= in.n);
		check(proxy_header_parse(str_part(in, 0, used), &same,
					 &again) == what);
		check(again == used);
		check(read_on(in, &again) == what && again == used);
	}
	if (what == PROXY_CLIENT)
		check(inet_same_ip(&all.client, &same.client) &&
		      all.client.port == same.client.port);
	free(own);
	return 0;
}
