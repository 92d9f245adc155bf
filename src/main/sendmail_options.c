/*
 * The options of sendmail (sendmail.h).
 */
#include <string.h>

#include "main/sendmail.h"

/* With a value, in the same word or the next one. */
static const char with_value[] = "BCFLNOQRVXfhopr";
/* With a value in the same word only, or none. */
static const char with_rest[] = "ADbdeq";
static const char alone[] = "GIUimnstvwx";

static bool set_mode(struct sendmail *o, char mode)
{
	switch (mode) {
	case 'm':
	case 'a':
	case 'l':
		return true;
	case 's':
		o->job = SENDMAIL_TALK;
		return true;
	case 'p':
		o->job = SENDMAIL_LIST;
		return true;
	case 'i':
		o->job = SENDMAIL_ALIASES;
		return true;
	case 'd':
	case 'D':
		return fail("-b%c: the server is started by `splitmail serve`",
			    mode);
	case 'v':
		o->job = SENDMAIL_VERIFY;
		return true;
	case 't':
		return fail("-bt: `splitmail route ADDRESS` says where an "
			    "address goes, -bv whether it is taken");
	default:
		return fail("-b%c is not supported", mode);
	}
}

/* -oi, -oem, -odb...; -em is -oem. */
static void set_option(struct sendmail *o, const char *value)
{
	if (!strcmp(value, "i"))
		o->dot_ends = false;
	if (*value == 'e')
		o->mail_errors = value[1] == 'm' || value[1] == 'w';
}

/* What becomes a parameter of MAIL or RCPT: RFC 3461's letters without those
 * that xtext would have to encode. */
static bool set_parameter(const char **to, char option, const char *value)
{
	for (const char *p = value; *p; p++)
		if (*p <= ' ' || *p > '~' || strchr("+=<>", *p))
			return fail("-%c \"%s\": only printable characters, no "
				    "spaces and none of + = < >",
				    option, value);
	*to = value;
	return *value || fail("-%c needs a value", option);
}

static bool set_value(struct sendmail *o, char option, const char *value)
{
	switch (option) {
	case 'f':
	case 'r':
		o->sender = value;
		return true;
	case 'F':
		o->full_name = value;
		return true;
	case 'N':
		return set_parameter(&o->notify, option, value);
	case 'R':
		return set_parameter(&o->ret, option, value);
	case 'V':
		return set_parameter(&o->envelope_id, option, value);
	case 'o':
		set_option(o, value);
		return true;
	case 'b':
		return set_mode(o, *value);
	case 'e':
		o->mail_errors = *value == 'm' || *value == 'w';
		return true;
	case 'q':
		o->job = SENDMAIL_RETRY;
		return true;
	default:
		return true;
	}
}

static void set_flag(struct sendmail *o, char option)
{
	if (option == 'i')
		o->dot_ends = false;
	if (option == 't')
		o->from_header = true;
	if (option == 'I')
		o->job = SENDMAIL_ALIASES;
}

/* argv[*I] is "-ti", "-fbob@b.example" or "-f" with its value behind. */
static bool take_option(struct sendmail *o, char **argv, int *i)
{
	for (const char *p = argv[*i] + 1; *p; p++) {
		if (strchr(alone, *p)) {
			set_flag(o, *p);
			continue;
		}
		if (strchr(with_rest, *p))
			return set_value(o, *p, p + 1);
		if (!strchr(with_value, *p))
			return fail("there is no option -%c", *p);
		if (p[1])
			return set_value(o, *p, p + 1);
		if (!argv[*i + 1])
			return fail("-%c needs a value", *p);
		return set_value(o, *p, argv[++*i]);
	}
	return true;
}

bool sendmail_options(int argc, char **argv, struct sendmail *out)
{
	int i = 1;

	*out = (struct sendmail){ .dot_ends = true };
	for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		if (!strcmp(argv[i], "--")) {
			i++;
			break;
		}
		if (!take_option(out, argv, &i))
			return false;
	}
	out->recipients = argv + i;
	out->n = argc - i;
	if (out->n > 0)
		return true;
	if (out->job == SENDMAIL_VERIFY)
		return fail("-bv: no recipient; name those to verify");
	return out->job != SENDMAIL_SEND || out->from_header ||
	       fail("no recipient; -t takes them from To, Cc and Bcc");
}
