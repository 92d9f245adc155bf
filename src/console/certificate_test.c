/* What a renewal leaves behind: pairs that are shown, and as few as can be. */
#include "console/certificate.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/test.h"
#include "rt/file.h"
#include "rt/folder.h"
#include "rt/tls.h"

static char folder[64];
static char first[96], named[96], chain_path[96], key_path[96];

static int make_folder(void **unused)
{
	snprintf(folder, sizeof(folder), "/tmp/certificate-test-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(first, sizeof(first), "%s/first", folder);
	snprintf(named, sizeof(named), "%s/named", folder);
	snprintf(chain_path, sizeof(chain_path), "%s/chain", folder);
	snprintf(key_path, sizeof(key_path), "%s/key", folder);
	return 0;
}

static int remove_folder(void **unused)
{
	char command[96];

	certificate_free();
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static void add_file(const char *path, struct buf *to)
{
	char part[4096];
	FILE *f = fopen(path, "re");
	size_t n;

	check(f);
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		buf_add(to, (struct str){ part, n });
	fclose(f);
}

/* Another certificate for NAME, as the supervisor writes it. */
static void renew(const char *file, const char *name)
{
	struct arena *arena scoped(arena) = arena_open();
	struct buf text scoped(buf) = BUF_EMPTY, pair scoped(buf) = BUF_EMPTY;
	struct tls_said said;

	check(tls_self_signed(name, chain_path, key_path));
	add_file(chain_path, &text);
	add_file(key_path, &text);
	check(tls_pair_read(
		&(struct tls_texts){ buf_str(&text), buf_str(&text), "C", "K" },
		arena, &said, &pair));
	buf_add_char(&pair, '\0');
	check(folder_note(folder, file, pair.p));
}

static void load(void)
{
	assert_true(
		certificate_load(&(struct certificate_files){ first, named }));
}

/* The key that who names no host is shown. */
static gnutls_privkey_t shown(void)
{
	gnutls_pcert_st *chain;
	gnutls_session_t session;
	gnutls_privkey_t key;
	unsigned n;

	check(gnutls_init(&session, GNUTLS_SERVER) == 0);
	assert_int_equal(
		certificate_give(session, NULL, 0, NULL, 0, &chain, &n, &key),
		0);
	assert_int_equal(n, 1);
	gnutls_deinit(session);
	return key;
}

static bool is_usable(gnutls_privkey_t key)
{
	return gnutls_privkey_get_pk_algorithm(key, NULL) == GNUTLS_PK_ECDSA;
}

static void what_has_not_changed_is_not_read_again(void **unused)
{
	gnutls_privkey_t before;

	renew("first", "mx.test");
	renew("named", "a.test");
	load();
	before = shown();
	for (int i = 0; i < 3; i++) {
		renew("named", "a.test");
		load();
		assert_ptr_equal(shown(), before);
	}
}

/* By a handshake that has begun. */
static void what_was_replaced_is_still_used(void **unused)
{
	gnutls_privkey_t before;

	renew("first", "mx.test");
	load();
	before = shown();
	renew("first", "mx.test");
	load();
	assert_ptr_not_equal(shown(), before);
	assert_true(is_usable(before) && is_usable(shown()));
}

/* The clock of files may not have ticked. */
static void what_is_changed_within_a_tick_is_seen(void **unused)
{
	for (int i = 0; i < 50; i++) {
		renew("first", "mx.test");
		load();
		check(folder_note(folder, "first", "no certificate\n"));
		assert_false(certificate_load(
			&(struct certificate_files){ first, named }));
	}
}

static void what_is_no_good_leaves_the_old_in_force(void **unused)
{
	gnutls_privkey_t before;

	renew("first", "mx.test");
	load();
	before = shown();
	check(folder_note(folder, "first", "no certificate\n"));
	assert_false(
		certificate_load(&(struct certificate_files){ first, named }));
	assert_non_null(strstr(cause(), first));
	assert_ptr_equal(shown(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_has_not_changed_is_not_read_again),
		cmocka_unit_test(what_was_replaced_is_still_used),
		cmocka_unit_test(what_is_changed_within_a_tick_is_seen),
		cmocka_unit_test(what_is_no_good_leaves_the_old_in_force),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
