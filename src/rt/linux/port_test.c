/* Lines as a kernel 6.1 wrote them. */
#include "rt/port.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/str.h"
#include "base/test.h"

static const char heading[] =
	"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when "
	"retrnsmt   uid  timeout inode";
static const char any_25[] =
	"   1: 00000000:0019 00000000:0000 0A 00000000:00000000 00:00000000 "
	"00000000     0        0 23781 1 0000000000000000 100 0 0 10 0";
static const char home_8025[] =
	"  12: 0100007F:1F59 00000000:0000 0A 00000000:00000000 00:00000000 "
	"00000000  1000        0 4294967311 1 0000000000000000 100 0 0 10 5";
static const char connected[] =
	"   5: 0100007F:1F59 0100007F:D431 01 00000000:00000000 02:000AF1B2 "
	"00000000  1000        0 23785 2 0000000000000000 20 4 30 10 -1";
static const char any6_25[] =
	"   0: 00000000000000000000000000000000:0019 "
	"00000000000000000000000000000000:0000 0A 00000000:00000000 "
	"00:00000000 00000000   105        0 18000 1 0000000000000000 100 0";
static const char home6_993[] =
	"   0: 00000000000000000000000001000000:03E1 "
	"00000000000000000000000000000000:0000 0A 00000000:00000000 "
	"00:00000000 00000000   105        0 18001 1 0000000000000000 100 0";

static struct inet at(const char *text)
{
	struct inet a;

	assert_true(inet_parse(str_of(text), 0, &a));
	return a;
}

static bool holds(const char *line, const char *wanted)
{
	struct inet a = at(wanted);
	struct port_row row;

	return port_row_parse(line, &row) && port_row_holds(&row, &a);
}

static void lines_are_read(void **unused)
{
	struct port_row row;

	assert_false(port_row_parse(heading, &row));
	assert_false(port_row_parse("", &row));
	assert_false(port_row_parse(connected, &row));
	assert_true(port_row_parse(home_8025, &row));
	assert_string_equal(inet_text(&row.at).c, "127.0.0.1:8025");
	assert_int_equal(row.uid, 1000);
	assert_true(row.inode == 4294967311);
	assert_true(port_row_parse(home6_993, &row));
	assert_string_equal(inet_text(&row.at).c, "[::1]:993");
	assert_int_equal(row.uid, 105);
}

static void any_line_cut_anywhere_is_survived(void **unused)
{
	for (size_t n = 0; n < sizeof(home6_993); n++) {
		char line[sizeof(home6_993)];
		struct port_row row;

		memcpy(line, home6_993, n);
		line[n] = '\0';
		if (port_row_parse(line, &row))
			assert_int_equal(row.at.port, 993);
	}
}

static void the_address_counts(void **unused)
{
	assert_true(holds(any_25, "0.0.0.0:25"));
	assert_true(holds(any_25, "192.0.2.1:25"));
	assert_false(holds(any_25, "192.0.2.1:26"));
	assert_true(holds(home_8025, "127.0.0.1:8025"));
	assert_true(holds(home_8025, "0.0.0.0:8025"));
	assert_false(holds(home_8025, "127.0.0.2:8025"));
	assert_true(holds(any6_25, "192.0.2.1:25")); /* one that takes both */
	assert_true(holds(any6_25, "[2001:db8::1]:25"));
	assert_false(holds(home6_993, "127.0.0.1:993"));
}

/* By this very process. */
static void who_has_it_is_named(void **unused)
{
	struct inet wanted = at("127.0.0.1:1");
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char mine[64];

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, n), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	wanted.port = ntohs(a.sin_port);
	assert_false(port_is_free(&wanted));
	snprintf(mine, sizeof(mine), "by rt_port_test (process %d)",
		 (int)getpid());
	assert_non_null(strstr(cause(), "Address already in use, "));
	assert_non_null(strstr(cause(), mine));
	close(fd);
	assert_true(port_is_free(&wanted));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_read),
		cmocka_unit_test(any_line_cut_anywhere_is_survived),
		cmocka_unit_test(the_address_counts),
		cmocka_unit_test(who_has_it_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
