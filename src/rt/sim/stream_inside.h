/* A stream from inside, for rt/sim only: an end, with buffers both ways. */
#ifndef RT_SIM_STREAM_INSIDE_H
#define RT_SIM_STREAM_INSIDE_H

#include <openssl/ssl.h>

#include "base/limits.h"
#include "rt/sim/net_inside.h"

struct stream {
	struct held held;
	struct sim_process *process;
	struct end *end_of;
	struct fiber *waiter;
	int wanted; /* CAN_READ, CAN_WRITE */
	struct buf in, out;
	size_t unsent; /* out.n */
	SSL *ssl;      /* NULL: in clear */
	char *tls_name;
	size_t at_most; /* of one read; 0: no limit */
	bool end;
	bool broken;
	struct inet peer, local;
};

enum wait_result waits stream_wait(struct stream *s, int events,
				   int64_t deadline_ms);
void stream_forget_input(struct stream *s);

#endif
