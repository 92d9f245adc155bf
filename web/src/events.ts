/*
 * What changes is pushed: one stream for the whole application, which feeds
 * the cache of what was asked for.
 *
 * The browser comes back by itself when the stream breaks; when the server
 * refuses it, we look whether the session has ended and try again later.
 * A tab nobody sees has no stream.
 */
import { useQueryClient } from "@tanstack/react-query";
import type { QueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { events } from "./api";
import type { Overview } from "./api";
import { useWho } from "./session";

export type Live = "connecting" | "live" | "away";

const againMs = 10_000;

type Listener = (cache: QueryClient, domain: string | null, data: string) => void;

const askAgain = (...keys: string[]): Listener => (cache) => {
	for (const key of keys) void cache.invalidateQueries({ queryKey: [key] });
};

// What is done with each topic.
const topics: Record<string, Listener> = {
	overview: (cache, domain, data) =>
		cache.setQueryData(["overview", domain], JSON.parse(data) as Overview),
	// The list, and the message that is open.
	queue: askAgain("queue", "queued"),
	changes: askAgain("changes"),
};

/** Keeps a stream open while it can be seen; close() ends it for good. */
function stream(
	cache: QueryClient,
	names: readonly string[],
	domain: string | null,
	tell: (live: Live) => void,
) {
	let source: EventSource | null = null;
	let timer: number | undefined;

	function close() {
		clearTimeout(timer);
		source?.close();
		source = null;
	}

	function open() {
		close();
		source = events(names, domain);
		source.onopen = () => tell("live");
		source.onerror = () => {
			tell("away");
			if (source?.readyState !== EventSource.CLOSED) return;
			void cache.invalidateQueries({ queryKey: ["session"] });
			timer = window.setTimeout(open, againMs);
		};
		for (const name of names)
			source.addEventListener(name, (e) => topics[name]?.(cache, domain, e.data as string));
	}

	const look = () => (document.hidden ? close() : open());
	document.addEventListener("visibilitychange", look);
	tell("connecting");
	look();
	return () => {
		document.removeEventListener("visibilitychange", look);
		close();
	};
}

/** The stream of who is signed in; once, in the frame. */
export function useEvents(): Live {
	const cache = useQueryClient();
	const { domain, mayRoute } = useWho();
	const [live, setLive] = useState<Live>("connecting");

	useEffect(
		() => stream(cache, mayRoute ? ["overview", "queue", "changes"] : ["overview"], domain, setLive),
		[cache, domain, mayRoute],
	);
	return live;
}
