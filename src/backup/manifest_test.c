/* What is written into a backup's lists is read again, and nothing else is. */
#include "backup/manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/test.h"
#include "rt/folder.h"

static char folder[] = "/tmp/splitmail-manifest-XXXXXX";

static const char *const odd[] = {
	"directory.db",
	"mail/1-a/Maildir/folders/INBOX/maildir-Mails/cur/1.M2:2,S",
	"mail/1-a/a b  c",
	"mail/1-a/line\nfeed",
	"mail/1-a/back\\slash\\n",
	"mail/1-a/\xff\xfe",
};

static const char *in(struct arena *arena, const char *name)
{
	return arena_printf(arena, "%s/%s", folder, name);
}

static void write_text(const char *name, const char *text)
{
	struct arena *arena scoped(arena) = arena_open();
	FILE *f = fopen(in(arena, name), "w");

	check(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void write_whole(struct manifest *m)
{
	struct manifest_writer w;

	check(manifest_begin(&w, folder));
	for (size_t i = 0; i < array_size(odd); i++) {
		struct file_made made = { .kind = FILE_LINKED, .bytes = i };

		check(manifest_add(&w, odd[i], &made));
	}
	*m = (struct manifest){ .version = "1",
				.hostname = "mx.example.org",
				.node = "n" };
	memset(m->id, 'a', sizeof(m->id) - 1);
	check(manifest_end(&w, m));
}

static bool compare(void *at, const char *path, const struct file_made *made)
{
	size_t *i = at;

	assert_string_equal(path, odd[*i]);
	assert_int_equal(made->bytes, *i);
	assert_string_equal(made->hash, "");
	++*i;
	return true;
}

static void test_paths_come_back(void **state)
{
	struct arena *arena scoped(arena) = arena_open();
	struct manifest wrote, read;
	size_t n = 0;

	write_whole(&wrote);
	assert_true(manifest_read(folder, arena, &read));
	assert_string_equal(read.id, wrote.id);
	assert_int_equal(read.files, array_size(odd));
	assert_true(manifest_each(folder, compare, &n));
	assert_int_equal(n, array_size(odd));
}

static bool count(void *n, const char *path, const struct file_made *made)
{
	++*(size_t *)n;
	return true;
}

/* A backup comes from a disk that anybody may have had. */
static void test_lines_that_are_refused(void **state)
{
	static const char *const lines[] = {
		"h - 1 /etc/passwd\n",
		"h - 1 ../x\n",
		"h - 1 mail/../../x\n",
		"h - 1 mail/..\n",
		"h - 1 \n",
		"h - 1\n",
		"x - 1 mail/a\n",
		"c abc 1 mail/a\n",
		"h - many mail/a\n",
		"h - 1 mail/\\t\n",
		"h - 1 mail/\\\n",
		"\n",
	};

	for (size_t i = 0; i < array_size(lines); i++) {
		size_t n = 0;

		write_text("files", lines[i]);
		if (manifest_each(folder, count, &n))
			fail_msg("%s is taken", lines[i]);
		assert_non_null(strstr(cause(), "line 1"));
	}
}

static void test_what_is_no_backup(void **state)
{
	static const char *const texts[] = {
		"", "{", "[]", "{}", "{\"format\": 2}", "{\"format\": 1}",
	};
	struct arena *arena scoped(arena) = arena_open();
	struct manifest m;

	for (size_t i = 0; i < array_size(texts); i++) {
		write_text("manifest.json", texts[i]);
		assert_false(manifest_read(folder, arena, &m));
	}
	write_whole(&m);
	write_text("files", "h - 1 mail/a\n");
	assert_false(manifest_read(folder, arena, &m));
	assert_true(folder_remove(folder, "manifest.json"));
	assert_false(manifest_read(folder, arena, &m));
	assert_non_null(strstr(cause(), "no backup"));
}

static int begin(void **state)
{
	return mkdtemp(folder) ? 0 : -1;
}

static int end(void **state)
{
	return folder_erase("/tmp", strrchr(folder, '/') + 1) ? 0 : -1;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths_come_back),
		cmocka_unit_test(test_lines_that_are_refused),
		cmocka_unit_test(test_what_is_no_backup),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
