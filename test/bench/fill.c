/*
 * A directory of many users for a benchmark, in one transaction.
 *
 *	fill DIRECTORY.DB DOMAIN USERS [HOSTS HOSTS]
 *
 * The users are {k}user@DOMAIN.  With HOSTS all are on other mail systems: the
 * even ones on the domain's relay, the first HOSTS; the odd ones on a system
 * of its own, the second.
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
		     const char *home, const char *system)
{
	const struct setting s[] = {
		{ S("mail_system"), str_of(home) },
		{ S("system"), str_of(system) },
	};
	char address[300];

	snprintf(address, sizeof(address), "%lduser@%s", k, domain);
	done(user_create(c, str_of(address), s, array_size(s)));
}

static void fill_here(struct changes *c, const char *domain, long users)
{
	done(domain_create(c, str_of(domain), NULL, 0));
	for (long k = 0; k < users; k++)
		add_user(c, domain, k, "hosted", "");
}

static void fill_elsewhere(struct changes *c, const char *domain, long users,
			   char **hosts)
{
	const struct setting relay = { S("relay"), str_of(hosts[0]) };
	const struct setting other = { S("hosts"), str_of(hosts[1]) };
	char system[80];

	/* a system's name has no dot */
	snprintf(system, sizeof(system), "other-%s", domain);
	system[strcspn(system, ".")] = 0;
	done(domain_create(c, str_of(domain), &relay, 1));
	done(system_create(c, str_of(system), &other, 1));
	for (long k = 0; k < users; k++)
		add_user(c, domain, k, "alternate", k % 2 ? system : "");
}

int main(int n, char **argument)
{
	struct changes *c;
	long users;

	if (n != 4 && n != 6) {
		fprintf(stderr, "usage: fill DIRECTORY.DB DOMAIN USERS "
				"[HOSTS HOSTS]\n");
		return 2;
	}
	c = changes_open(argument[1], "bench");
	if (!c || !changes_begin(c)) {
		fprintf(stderr, "fill: %s\n", cause());
		return 1;
	}
	users = strtol(argument[3], NULL, 10);
	if (n == 4)
		fill_here(c, argument[2], users);
	else
		fill_elsewhere(c, argument[2], users, argument + 4);
	if (!changes_end(c)) {
		fprintf(stderr, "fill: %s\n", cause());
		return 1;
	}
	changes_close(c);
	return 0;
}
