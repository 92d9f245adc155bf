/* Whether the ports are free: asked by who may look at other programs, and once
 * for all that is started, Dovecot too. */
#include "main/ports.h"

#include "base/fail.h"
#include "rt/log.h"
#include "rt/port.h"

static bool listeners_are_free(const struct config *c)
{
	for (size_t i = 0; i < c->n_listeners; i++) {
		const struct engine_listener *l = &c->listeners[i];

		if (!l->may_fail && !port_is_free(&l->at))
			return add_cause("listener %.*s", STR(l->door.name));
	}
	return true;
}

static bool dovecot_is_free(const struct config *c)
{
	const struct {
		const char *service;
		uint16_t port;
	} wanted[] = {
		{ "imap", c->imap },   { "imaps", c->imaps },
		{ "pop3", c->pop3 },   { "pop3s", c->pop3s },
		{ "sieve", c->sieve },
	};
	const char *address = strcmp(c->dovecot_address, "*") == 0
				      ? "0.0.0.0"
				      : c->dovecot_address;

	for (size_t i = 0; i < array_size(wanted); i++) {
		struct inet at;

		if (wanted[i].port &&
		    inet_parse_ip(str_of(address), wanted[i].port, &at) &&
		    !port_is_free(&at))
			return add_cause("dovecot, %s", wanted[i].service);
	}
	return true;
}

bool ports_are_free(const struct config *c)
{
	if (!listeners_are_free(c) ||
	    (c->dovecot_enabled && !dovecot_is_free(c)))
		return false;
	if (c->console_enabled && !port_is_free(&c->console))
		log_warn("serve", "console: %s", cause());
	return true;
}
