/* The names of a simulated world. */
#include "dns/dns_sim.h"

#include "base/test.h"
#include "dns/dns.h"
#include "rt/loop.h"
#include "rt/sim/sim.h"

static struct dns *dns;

static void ask(void *arg)
{
	struct arena *arena = arg;
	struct inet *ip;
	struct mx_list mx;
	struct tlsa_list tlsa;
	size_t n;
	int64_t begun = now_ms();

	check(dns_addresses(dns, S("MX.b.test"), 25, NEVER, arena, &ip, &n) ==
	      DNS_FOUND);
	check(n == 2 && ip[0].port == 25 && now_ms() - begun == 30);
	check(str_same(str_of(inet_text(&ip[1]).c), S("[2001:db8::7]:25")));
	check(dns_addresses(dns, S("192.0.2.9"), 26, NEVER, arena, &ip, &n) ==
		      DNS_FOUND &&
	      n == 1 && ip[0].port == 26);
	check(dns_addresses(dns, S("none.test"), 25, NEVER, arena, &ip, &n) ==
	      DNS_NONE);
	check(dns_addresses(dns, S("mx.b.test"), 25, after_ms(20), arena, &ip,
			    &n) == DNS_TROUBLE);
	check(dns_mx(dns, S("b.test"), NEVER, arena, &mx) == DNS_FOUND &&
	      mx.n == 3 && !mx.is_null && mx.is_secure);
	check(str_same(mx.mx[0].name, S("first.test")) &&
	      mx.mx[1].preference == 20);
	check(dns_mx(dns, S("mx.b.test"), NEVER, arena, &mx) == DNS_FOUND);
	check(mx.n == 1 && str_same(mx.mx[0].name, S("mx.b.test")));
	check(dns_mx(dns, S("nomail.test"), NEVER, arena, &mx) == DNS_NONE &&
	      mx.is_null);
	check(dns_tlsa(dns, S("c.test"), 25, NEVER, arena, &tlsa) == DNS_NONE);
	dns_sim_tlsa("mx.b.test", "3 1 1 00ff80 2 0 0 41");
	check(dns_tlsa(dns, S("mx.b.test"), 25, NEVER, arena, &tlsa) ==
		      DNS_FOUND &&
	      tlsa.n == 2 && tlsa.records[0].usage == TLSA_SERVER);
	check(str_same(tlsa.records[0].data, (struct str){ "\0\xff\x80", 3 }) &&
	      str_same(tlsa.records[1].data, S("A")));
	dns_sim_trouble("mx.b.test", true);
	check(dns_tlsa(dns, S("mx.b.test"), 25, NEVER, arena, &tlsa) ==
	      DNS_TROUBLE);
	dns_sim_trouble("b.test", true);
	check(dns_mx(dns, S("b.test"), NEVER, arena, &mx) == DNS_TROUBLE);
}

static void names_are_as_they_were_told(void **state)
{
	struct arena *arena = arena_open();

	(void)state;
	sim_open(1);
	dns = dns_open(NULL);
	dns_sim_latency(30);
	dns_sim_name("mx.b.test", "192.0.2.7 2001:db8::7");
	dns_sim_mx("b.test", "20 c.test 10 first.test 20 d.test");
	dns_sim_mx("nomail.test", "0 .");
	loops_run(1, ask, arena);
	dns_close(dns);
	dns_sim_forget();
	sim_close();
	arena_close(arena);
}

static void ask_here(void *arg)
{
	struct arena *arena = arg;
	struct inet *ip;
	size_t n;

	check(dns_addresses(dns, S("a.test"), 25, NEVER, arena, &ip, &n) ==
	      DNS_FOUND);
	check(str_same(str_of(inet_text(&ip[0]).c), S("192.0.2.2:25")));
	check(dns_addresses(dns, S("b.test"), 25, NEVER, arena, &ip, &n) ==
	      DNS_NONE);
	check(dns_addresses(dns, S("c.test"), 25, NEVER, arena, &ip, &n) ==
	      DNS_FOUND);
}

static void a_host_hears_of_its_own(void **state)
{
	struct arena *arena = arena_open();

	(void)state;
	sim_open(1);
	dns = dns_open(NULL);
	dns_sim_name("a.test", "192.0.2.1");
	dns_sim_name("c.test", "192.0.2.1");
	dns_sim_at(sim_host_named("localhost"));
	dns_sim_name("a.test", "192.0.2.2");
	dns_sim_at(sim_host("elsewhere", "192.0.2.9"));
	dns_sim_name("a.test", "192.0.2.3");
	dns_sim_name("b.test", "192.0.2.3");
	loops_run(1, ask_here, arena);
	dns_close(dns);
	dns_sim_forget();
	sim_close();
	arena_close(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_as_they_were_told),
		cmocka_unit_test(a_host_hears_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
