/*
 * A directory of many users for a benchmark, in one transaction.
 *
 *	fill DIRECTORY.DB DOMAIN USERS HOSTS [HOSTS]
 *
 * The users are {k}user@DOMAIN; all are on other mail systems: the even ones
 * on the domain's relay, the first HOSTS; the odd ones on a system of its own,
 * the second HOSTS, when there is one.
 */
#include <stdio.h>
#include <stdlib.h>

#include "directory/changes.h"

static void done(struct change c)
{
	if (c.outcome == CHANGE_DONE)
		return;
	fprintf(stderr, "fill: %s\n", c.sentence);
	exit(1);
}

static void add_user(struct changes *c, const char *domain, long k,
                     const char *system)
{
	const struct setting s[] = {
		{ S("mail_system"), S("alternate") },
		{ S("system"), system ? str_of(system) : S("") },
	};
	char address[300];

	snprintf(address, sizeof(address), "%lduser@%s", k, domain);
	done(user_create(c, str_of(address), s, system ? 2 : 1));
}

static void fill(struct changes *c, char **argument)
{
	const char *domain = argument[2], *relay = argument[4];
	const char *other = argument[5];
	const struct setting relay_setting = { S("relay"), str_of(relay) };
	long users = strtol(argument[3], NULL, 10);
	char system[80];

	snprintf(system, sizeof(system), "other-%s", domain);
	done(domain_create(c, str_of(domain), &relay_setting, 1));
	if (other)
		done(system_create(
		        c, str_of(system),
		        &(struct setting){ S("hosts"), str_of(other) }, 1));
	for (long k = 0; k < users; k++)
		add_user(c, domain, k, other && k % 2 ? system : NULL);
}

int main(int n, char **argument)
{
	struct changes *c;

	if (n < 5 || n > 6) {
		fprintf(stderr, "usage: fill DIRECTORY.DB DOMAIN USERS HOSTS "
		                "[HOSTS]\n");
		return 2;
	}
	c = changes_open(argument[1], "bench");
	if (!c || !changes_begin(c)) {
		fprintf(stderr, "fill: %s\n", cause());
		return 1;
	}
	fill(c, argument);
	if (!changes_end(c)) {
		fprintf(stderr, "fill: %s\n", cause());
		return 1;
	}
	changes_close(c);
	return 0;
}
