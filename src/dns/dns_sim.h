/*
 * The names of a simulated world (rt/sim/sim.h): dns_sim.c is linked instead
 * of dns.c and answers dns.h's questions from this table.
 *
 *	dns_sim_name("mx.b.test", "192.0.2.7 2001:db8::7");
 *	dns_sim_mx("b.test", "10 mx.b.test 20 mx2.b.test");
 *	dns_sim_mx("nomail.test", "0 .");
 *
 * A name is told in lower case; told again it is another.  All hosts hear it,
 * or one alone, which hears nothing else of that name.  dns_open()'s settings
 * are not looked at.
 */
#ifndef DNS_DNS_SIM_H
#define DNS_DNS_SIM_H

#include <stdbool.h>
#include <stdint.h>

struct sim_host;

/* Who hears what is told from now on; NULL: all. */
void dns_sim_at(struct sim_host *h);
/* ADDRESSES are separated by blanks; "": it has none. */
void dns_sim_name(const char *name, const char *addresses);
/* Pairs of preference and host. */
void dns_sim_mx(const char *domain, const char *hosts);
void dns_sim_txt(const char *name, const char *text);
/* What DNSSEC vouches for of HOST's certificate: usage, selector, matching and the
 * data as hexadecimal digits, again and again.  It vouches for all that is told. */
void dns_sim_tlsa(const char *host, const char *records);
/* Questions about NAME, or with NULL all of them, have no answer. */
void dns_sim_trouble(const char *name, bool has_trouble);
/* How long an answer takes. */
void dns_sim_latency(int64_t ms);
/* Nothing is known, and there is no trouble. */
void dns_sim_forget(void);

#endif
