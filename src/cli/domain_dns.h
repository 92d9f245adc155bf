/* `splitmail domain dns`, a file of its own (domain_dns.c). */
#ifndef CLI_DOMAIN_DNS_H
#define CLI_DOMAIN_DNS_H

#include "cli/cli.h"

int domain_dns(struct cli *c, const struct args *a);

#endif
