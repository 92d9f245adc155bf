/* A filter that does as it is told (filter_test_script.h). */
#include "filter/filter_test_script.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/test.h"

enum { SIGN_MS = 400, SIGNS = 3 };

struct visit {
	struct script *script;
	struct stream *peer;
};

static const struct script_rule *rule_at(const struct script *s, char command)
{
	for (size_t i = 0; i < array_size(s->rules); i++)
		if (s->rules[i].conduct && s->rules[i].at == command)
			return &s->rules[i];
	return NULL;
}

static void add_number(struct buf *b, uint32_t n)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_add_char(b, (char)(n >> shift));
}

static bool say(struct visit *v, const char *p, size_t n)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	add_number(&b, (uint32_t)n);
	buf_add(&b, (struct str){ p, n });
	stream_say(v->peer, buf_str(&b));
	return stream_flush(v->peer, after_ms(10000));
}

static bool say_options(struct visit *v)
{
	const struct script *s = v->script;
	struct buf b scoped(buf) = BUF_EMPTY;

	buf_add_char(&b, 'O');
	add_number(&b, s->version ? s->version : 6);
	add_number(&b, s->actions);
	add_number(&b, s->steps);
	return say(v, b.p, b.n);
}

/* Does it answer COMMAND, by what it has agreed on? */
static bool answers(const struct script *s, char command)
{
	static const struct {
		char command;
		uint32_t silent;
	} steps[] = {
		{ 'C', 0x1000 },  { 'H', 0x2000 },  { 'M', 0x4000 },
		{ 'R', 0x8000 },  { 'T', 0x10000 }, { 'L', 0x80 },
		{ 'N', 0x40000 }, { 'B', 0x80000 }, { 'E', 0 },
	};

	for (size_t i = 0; i < array_size(steps); i++)
		if (steps[i].command == command)
			return !(s->steps & steps[i].silent);
	return false;
}

static bool follow(struct visit *v, const struct script_rule *rule)
{
	switch (rule->conduct) {
	case SCRIPT_NONE:
	case SCRIPT_CLOSES:
		return false;
	case SCRIPT_SAYS:
		for (size_t i = 0; rule->says[i].n; i++)
			if (!say(v, rule->says[i].p, rule->says[i].n))
				return false;
		return true;
	case SCRIPT_FLOODS:
		while (say(v, rule->says[0].p, rule->says[0].n))
			;
		return false;
	case SCRIPT_LIES:
		stream_say(v->peer, S("HTTP/1.1 200 OK\r\n\r\n"));
		return stream_flush(v->peer, after_ms(10000));
	case SCRIPT_SLEEPS:
		return stream_fill(v->peer, after_ms(60000)) == STREAM_MORE;
	case SCRIPT_LABOURS:
		for (int i = 0; i < SIGNS; i++) {
			fiber_sleep(after_ms(SIGN_MS));
			if (!say(v, "p", 1))
				return false;
		}
		return say(v, "c", 1);
	}
	return false;
}

static void note(struct script *s, char command, struct str data)
{
	struct str name, value;

	if (command == 'D') {
		data = str_from(data, 1);
		while (str_split(&data, '\0', &name) &&
		       str_split(&data, '\0', &value))
			buf_printf(&s->macros, "%.*s=%.*s|", STR(name),
				   STR(value));
		return;
	}
	buf_add_char(&s->heard, command);
	if (command == 'B')
		buf_add(&s->body, data);
	if (command == 'L' && str_split(&data, '\0', &name) &&
	    str_split(&data, '\0', &value))
		buf_printf(&s->fields, "%.*s:%.*s|", STR(name), STR(value));
}

static bool hear(struct visit *v, char command, struct str data)
{
	struct script *s = v->script;
	const struct script_rule *rule = rule_at(s, command);

	note(s, command, data);
	if (rule)
		return follow(v, rule);
	if (command == 'O')
		return say_options(v);
	if (command == 'Q' || (command == 'K' && s->leaves))
		return false;
	return !answers(s, command) || say(v, "c", 1);
}

static void visit(void *arg)
{
	struct visit *v = arg;
	struct buf in scoped(buf) = BUF_EMPTY;
	bool goes_on = true;

	while (goes_on &&
	       stream_fill(v->peer, after_ms(60000)) == STREAM_MORE) {
		buf_add(&in, stream_bytes(v->peer));
		stream_skip(v->peer, stream_bytes(v->peer).n);
		while (goes_on && in.n > 4) {
			size_t n = (size_t)(unsigned char)in.p[1] << 16 |
				   (size_t)(unsigned char)in.p[2] << 8 |
				   (unsigned char)in.p[3];

			if (in.n < 4 + n)
				break;
			goes_on = hear(v, in.p[4],
				       str_part(buf_str(&in), 5, 4 + n));
			buf_take(&in, 4 + n);
		}
	}
	stream_close(v->peer);
	free(v);
}

static void serve(void *arg)
{
	struct script *s = arg;
	struct stream *peer;

	while ((peer = listener_accept(s->listener)) != NULL) {
		struct visit *v = must_alloc(sizeof(*v));

		*v = (struct visit){ s, peer };
		s->connections++;
		check(fiber_start("filter", visit, v));
	}
}

void script_open(struct script *s)
{
	struct inet at;

	check(inet_parse(S("127.0.0.1:0"), 0, &at));
	s->listener = listener_open(&at);
	check(s->listener);
	snprintf(s->socket, sizeof(s->socket), "inet:127.0.0.1:%u",
		 listener_address(s->listener)->port);
	listener_expect(s->listener);
	check(fiber_start("filter", serve, s));
}

void script_forget(struct script *s)
{
	buf_clear(&s->heard);
	buf_clear(&s->fields);
	buf_clear(&s->body);
	buf_clear(&s->macros);
}

void script_close(struct script *s)
{
	listener_close(s->listener);
}

void script_free(struct script *s)
{
	buf_free(&s->heard);
	buf_free(&s->fields);
	buf_free(&s->body);
	buf_free(&s->macros);
}
