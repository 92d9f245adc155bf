/*
 * A link to a list may say what to look for: /directory?password=none.  The
 * page takes it over once for each such path; what is then typed is the page's,
 * and the path says it no longer: else it would come back with Back, and the
 * same link would do nothing when it is followed again.
 */
import { useEffect } from "react";
import { useLocation, useSearch } from "wouter";

/** Answers with what the page calls when its filters are changed by hand. */
export function useAskedByPath(take: (asked: Record<string, string>) => void): () => void {
	const search = useSearch();
	const [path, go] = useLocation();
	useEffect(() => {
		if (search) take(Object.fromEntries(new URLSearchParams(search)));
	}, [search]);
	return () => {
		if (search) go(path, { replace: true });
	};
}
