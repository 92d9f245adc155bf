/* A domain with an alias, alone or split: alice's mail is here, bob's on
 * mail.b.test. */
#ifndef DIRECTORY_DIRECTORY_TEST_SPLIT_H
#define DIRECTORY_DIRECTORY_TEST_SPLIT_H

#include "directory/directory_test.h"

#define ORG S("example.org")
#define ALICE S("alice@example.org")
#define BOB S("bob@example.org")

#define HASH_A "{MD5}00112233445566778899aabbccddeeff"
#define HASH_B "{MD5}ffeeddccbbaa99887766554433221100"

static inline void make_domain(void)
{
	assert_done(domain_create(c, ORG, SET("aliases=example.net")));
}

static inline void make_split(void)
{
	assert_done(domain_create(
		c, ORG, SET("aliases=example.net", "relay=mail.b.test:2525")));
	assert_done(user_create(c, ALICE, NOTHING));
	assert_done(user_create(c, BOB, SET("mail_system=alternate")));
}

/* The same, with passwords, another address of alice's and two settings. */
static inline void make_split_with_logins(void)
{
	assert_done(domain_create(
		c, ORG,
		SET("aliases=example.net", "relay=mail.b.test:2525",
		    "max_message_size=10M", "own_senders=refuse")));
	assert_done(user_create(c, ALICE,
				SET("password_hash=" HASH_A, "address=al@*")));
	assert_done(user_create(
		c, BOB, SET("mail_system=alternate", "password_hash=" HASH_B)));
}

#endif
