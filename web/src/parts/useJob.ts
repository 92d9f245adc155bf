/*
 * A job as it is now, wherever it is shown: the one place that asks again and
 * again while it runs.
 */
import { useLocalStorage } from "@mantine/hooks";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { jobs } from "../api";
import type { Job } from "../api";
import { useWho } from "../session";

const everyMs = 1000;

export const hasEnded = (job: Job) => job.ended_at !== null;

export function useJob(id: number | null) {
	const cache = useQueryClient();
	const query = useQuery({
		queryKey: ["job", id],
		queryFn: () => jobs.get(id!),
		enabled: id !== null,
		refetchInterval: ({ state }) => (state.data && hasEnded(state.data) ? false : everyMs),
	});
	const ended = query.data ? hasEnded(query.data) : null;
	const before = useRef<boolean | null>(null);

	// At its end, everything else that is shown may be different.
	useEffect(() => {
		if (before.current === false && ended)
			void cache.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== "job" });
		before.current = ended;
	}, [ended, cache]);
	return query;
}

const dayMs = 24 * 3600 * 1000;

/** Of the administrator's own jobs the one to be shown, or null: one that has
 *  not ended, else the last report that he has not seen. */
export function useOwnJob() {
	const [seen] = useSeenReport();
	const { data } = useQuery({
		queryKey: ["jobs", "own"],
		queryFn: () => jobs.list({ own: true, limit: 50 }),
	});
	const items = data?.items ?? [];
	const open = items.filter((job) => !hasEnded(job));
	const last = items[0];
	const unseen = last && last.id > seen && Date.parse(last.created_at) > Date.now() - dayMs;
	return useJob(open[open.length - 1]?.id ?? (unseen ? last.id : null)).data ?? null;
}

/** The administrator's newest job whose report he looked at; his browser
 *  remembers it. */
export function useSeenReport() {
	const { session } = useWho();
	const [seen, setSeen] = useLocalStorage({
		key: `splitmail-job-seen ${session.name}`,
		defaultValue: 0,
		getInitialValueInEffect: false,
	});
	return [seen, (job: Job) => hasEnded(job) && setSeen((before) => Math.max(before, job.id))] as const;
}
