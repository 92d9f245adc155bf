/*
 * Connections that libmicrohttpd leaves alone meanwhile (parking.h).
 */
#include "console/parking.h"

#include <microhttpd.h>

void request_park(struct request *r)
{
	MHD_suspend_connection(r->connection);
}

void request_resume(struct request *r)
{
	MHD_resume_connection(r->connection);
}
