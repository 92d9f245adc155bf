/* What of splitmail.conf a domain's records are judged by. */
#include "main/config.h"

struct publish_server config_published(const struct config *c)
{
	struct publish_server s = {
		.hostname = str_of(c->hostname),
		.outgoing = c->outgoing,
		.family = c->internet_family,
		.imaps = c->dovecot_enabled ? c->imaps : 0,
	};

	for (size_t i = 0; i < c->n_listeners; i++) {
		const struct engine_listener *l = &c->listeners[i];

		if (l->door.kind == SMTP_SUBMISSIONS)
			s.submissions = l->at.port;
		s.takes_mail |=
			l->door.kind == SMTP_MX && !inet_is_loopback(&l->at);
	}
	return s;
}
