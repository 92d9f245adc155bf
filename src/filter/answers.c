/* Does a filter take mail at this moment (filter.h)? */
#include "filter/contact.h"

bool filter_answers(struct dns *dns, struct str socket, int64_t deadline_ms)
{
	struct filters *f = filters_open(dns, NULL);
	struct contact *c = contact_open(f, socket, deadline_ms);
	struct failure why;
	bool answers = c != NULL;

	if (c)
		contact_keep(c, deadline_ms);
	else
		failure_save(&why);
	filters_close(f);
	return answers || fail_again(&why);
}
