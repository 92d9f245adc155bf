/*
 * Editing something that is stored: what is typed over what was read, Save,
 * Cancel, and Undo for a while after Save.
 *
 * The version given with a change is the one that was read when typing began,
 * so that a refresh behind the form cannot turn "I saw the old" into "I
 * overwrite the new".  Undo has the version that Save made, for the same
 * reason.
 */
import { useQueryClient } from "@tanstack/react-query";
import type { QueryKey } from "@tanstack/react-query";
import { useState } from "react";
import type { Versioned } from "../api";
import { sentence } from "../refusals";
import { useWords } from "../words";
import { useAttempt } from "./form";
import { tell } from "./tell";

interface Subject<T, D, C> {
	/** Under which it was read. */
	key: QueryKey;
	read: Versioned<T>;
	/** As the form has it, and as the API takes it. */
	draftOf: (value: T) => D;
	changeOf: (draft: D) => C;
	change: (change: C, version: string | null) => Promise<Versioned<T>>;
}

export function useEditor<T, D extends object, C>(subject: Subject<T, D, C>) {
	const { key, read, draftOf, changeOf, change } = subject;
	const { say } = useWords();
	const cache = useQueryClient();
	const attempt = useAttempt();
	const [base, setBase] = useState(read);
	const [draft, setDraft] = useState(() => draftOf(read.value));
	const dirty = JSON.stringify(draft) !== JSON.stringify(draftOf(base.value));

	// Nothing typed yet: follow what was read.
	if (read !== base && !dirty) restart(read);

	function restart(fresh: Versioned<T>) {
		setBase(fresh);
		setDraft(draftOf(fresh.value));
	}

	async function put(body: C, version: string | null) {
		const fresh = await change(body, version);
		cache.setQueryData(key, fresh);
		restart(fresh);
		return fresh.version;
	}

	// By now another screen may be shown: what is refused is told there.
	async function undo(before: C, version: string | null) {
		try {
			await put(before, version);
			void cache.invalidateQueries();
			tell(say, say("undone"));
		} catch (e) {
			tell(say, sentence(e, say));
		}
	}

	return {
		attempt,
		base: base.value,
		draft,
		dirty,
		type: (typed: Partial<D>) => setDraft((d) => ({ ...d, ...typed })),
		async save() {
			const before = changeOf(draftOf(base.value));
			let made: string | null = null;
			const done = await attempt.run(async () => {
				made = await put(changeOf(draft), base.version);
			});
			if (done) tell(say, say("saved"), () => void undo(before, made));
			// Somebody was faster, perhaps: Cancel then shows what is there.
			else void cache.invalidateQueries({ queryKey: key });
		},
		cancel() {
			attempt.forget();
			restart(read);
		},
	};
}

export type Editor = Pick<
	ReturnType<typeof useEditor<unknown, object, unknown>>,
	"attempt" | "dirty" | "save" | "cancel"
>;
