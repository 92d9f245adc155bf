/*
 * splitmail domain dkim: keys that sign a domain's mail.  They are commands of
 * the noun domain.
 */
#ifndef CLI_DKIM_H
#define CLI_DKIM_H

#include "cli/cli.h"

int dkim_run_create(struct cli *c, const struct args *a);
int dkim_run_show(struct cli *c, const struct args *a);
int dkim_run_check(struct cli *c, const struct args *a);
int dkim_run_use(struct cli *c, const struct args *a);
int dkim_run_rotate(struct cli *c, const struct args *a);
int dkim_run_delete(struct cli *c, const struct args *a);

#define DKIM_COMMANDS \
	{ "dkim create", \
	  "DOMAIN [--selector NAME] [--algorithm rsa|ed25519] [--now]", \
	  "Make keys that sign a domain's mail.", \
	  "splitmail domain dkim create example.org", \
	  dkim_run_create, \
	  "Without a selector: one of each algorithm, which all receivers " \
	  "together understand. They sign once their records are published, " \
	  "which `splitmail domain dkim show` shows, and they are used: " \
	  "`splitmail domain dkim use`. --now: at once, published or not." }, \
		{ "dkim show", \
		  "DOMAIN", \
		  "Show a domain's keys, and their records for DNS.", \
		  "splitmail domain dkim show example.org", \
		  dkim_run_show, \
		  "For each record: its text, as forms of the web want it, and its " \
		  "line, as a zone file does." }, \
		{ "dkim check", \
		  "DOMAIN", \
		  "Ask DNS for the records of a domain's keys.", \
		  "splitmail domain dkim check example.org", \
		  dkim_run_check, \
		  "The server's name servers are asked, which remember for a while " \
		  "what they have been told. Exit status 1: a key that signs, has " \
		  "signed or is to sign is not published." }, \
		{ "dkim use", \
		  "DOMAIN [SELECTOR] [--now]", \
		  "Sign with new keys from now on, if they are published.", \
		  "splitmail domain dkim use example.org", \
		  dkim_run_use, \
		  "Without a selector: with all new keys. One of the same algorithm " \
		  "that signed until now is old; its record has to stay for 5 days, " \
		  "while mail that it has signed may be on its way. --now: DNS is " \
		  "not asked." }, \
		{ "dkim rotate", \
		  "DOMAIN [--now]", \
		  "Make a new key for each one that signs a domain's mail.", \
		  "splitmail domain dkim rotate example.org", \
		  dkim_run_rotate, \
		  "Publish them, then `splitmail domain dkim use`; after 5 days " \
		  "`splitmail domain dkim delete` the old ones, and take their " \
		  "records away. --now: they sign at once, published or not." }, \
	{ \
		"dkim delete", "DOMAIN SELECTOR", \
			"Delete a key of a domain, for good.", \
			"splitmail domain dkim delete example.org rsa-202611", \
			dkim_run_delete, \
			"Its record may go, too. What it has signed and is not delivered " \
			"yet has a signature then that nobody can verify: that is asked " \
			"first." \
	}

#endif
