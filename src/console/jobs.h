/* Jobs as they are shown (jobs.c), and what asks for them (bulk.c). */
#ifndef CONSOLE_JOBS_H
#define CONSOLE_JOBS_H

#include "console/request.h"
#include "directory/jobs.h"

json_t *job_json(const struct job *j);
/* 202, and where it is. */
struct response answer_new_job(struct request *r, int64_t id);
/* One entry of a report to a json_t *ARRAY; an EACH of list_refusals(). */
void add_refusal(void *array, const struct job_refusal *e);

#endif
