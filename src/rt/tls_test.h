/*
 * For the tests of TLS: a certificate, and both sides' contexts.
 */
#ifndef RT_TLS_TEST_H
#define RT_TLS_TEST_H

#include "base/test.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rt/folder.h"
#include "rt/loop.h"
#include "rt/stream.h"
#include "rt/tls.h"

static char folder[48];
static char certificate[64], key[64];
static struct tls_context *server, *client, *strict;

static inline void expect(struct stream *s, const char *text)
{
	size_t n = strlen(text);

	while (stream_bytes(s).n < n)
		check(stream_fill(s, after_ms(3000)) == STREAM_MORE);
	check(memcmp(stream_bytes(s).p, text, n) == 0);
	stream_skip(s, n);
}

static inline void say(struct stream *s, const char *text)
{
	stream_say(s, str_of(text));
	check(stream_flush(s, after_ms(3000)));
}

static inline int test_keys_make(void **state)
{
	snprintf(folder, sizeof(folder), "/tmp/rt-tls-%d", (int)getpid());
	check(folder_make(folder));
	snprintf(certificate, sizeof(certificate), "%s/cert.pem", folder);
	snprintf(key, sizeof(key), "%s/key.pem", folder);
	check(tls_self_signed("mx.test", certificate, key));
	server = tls_server(certificate, key);
	client = tls_client(TLS_ANY, NULL);
	strict = tls_client(TLS_VERIFIED, certificate);
	check(server && client && strict);
	return 0;
}

static inline int test_keys_remove(void **state)
{
	tls_close(server);
	tls_close(client);
	tls_close(strict);
	check(folder_erase("/tmp", folder + strlen("/tmp/")));
	return 0;
}

#endif
