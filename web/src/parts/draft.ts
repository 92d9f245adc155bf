import { useQueryClient } from "@tanstack/react-query";
import type { QueryKey } from "@tanstack/react-query";
import { useState } from "react";
import type { Versioned } from "../api";

/*
 * What is being typed over what was read.  The version is the one that was
 * read when typing began, so that a refresh behind the form cannot turn "I
 * saw the old" into "I overwrite the new".
 */
export function useDraft<T, D extends object>(
	key: QueryKey,
	read: Versioned<T>,
	draftOf: (value: T) => D,
) {
	const cache = useQueryClient();
	const [base, setBase] = useState(read);
	const [draft, setDraft] = useState(() => draftOf(read.value));
	const dirty = JSON.stringify(draft) !== JSON.stringify(draftOf(base.value));

	// Nothing typed yet: follow what was read.
	if (read !== base && !dirty) {
		setBase(read);
		setDraft(draftOf(read.value));
	}
	return {
		base: base.value,
		version: base.version,
		draft,
		dirty,
		type: (change: Partial<D>) => setDraft((d) => ({ ...d, ...change })),
		/** What is stored counts again: after Cancel, and after Save. */
		restart(fresh: Versioned<T> = read) {
			cache.setQueryData(key, fresh);
			setBase(fresh);
			setDraft(draftOf(fresh.value));
		},
	};
}
