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
import { Problem } from "../api";
import type { Versioned } from "../api";
import { sentence } from "../refusals";
import { useWords } from "../words";
import { settleDrafts, useTypedOver, whileSent } from "./drafts";
import type { Thing } from "./drafts";
import { useAttempt } from "./form";
import { tell } from "./tell";

interface Subject<T, D, C> {
	/** Under which it was read. */
	key: Thing;
	/** Which of several forms about it. */
	form?: string;
	read: Versioned<T>;
	/** As the form has it, and as the API takes it. */
	draftOf: (value: T) => D;
	changeOf: (draft: D) => C;
	change: (change: C, version: string | null) => Promise<Versioned<T>>;
}

export function useEditor<T, D extends object, C>(subject: Subject<T, D, C>) {
	const { key, form = "", read, draftOf, changeOf, change } = subject;
	const { say } = useWords();
	const cache = useQueryClient();
	const attempt = useAttempt();
	// Nothing typed yet: follow what was read, and what Save has just made.
	const now = cache.getQueryData<Versioned<T>>(key) ?? read;
	const { base, draft, dirty, type, forget } = useTypedOver(key, form, now, draftOf);

	// By now another screen may be shown: what is refused is told there.
	async function undo(before: C, version: string | null) {
		try {
			const fresh = await change(before, version);
			cache.setQueryData(key, fresh);
			settleDrafts(key, version, fresh);
			void cache.invalidateQueries();
			tell(say, say("undone"));
		} catch (e) {
			const late = e instanceof Problem && e.reason === "changed-meanwhile";
			tell(say, late ? say("undoTooLate", { name: key[1] }) : sentence(e, say));
		}
	}

	return {
		attempt,
		base: base.value,
		draft,
		dirty,
		type,
		async save() {
			const before = changeOf(draftOf(base.value));
			let made: string | null = null;
			const done = await attempt.run(() =>
				whileSent(key, form, async () => {
					const fresh = await change(changeOf(draft), base.version);
					cache.setQueryData(key, fresh);
					settleDrafts(key, base.version, fresh, form, draft);
					made = fresh.version;
				}),
			);
			if (done) tell(say, say("savedWhat", { name: key[1] }), () => void undo(before, made));
			// What only GET shows is not in a change's answer.  Somebody was faster,
			// perhaps: Cancel then shows what is there.
			void cache.invalidateQueries({ queryKey: key });
		},
		cancel() {
			attempt.forget();
			forget();
		},
	};
}

export type Editor = Pick<
	ReturnType<typeof useEditor<unknown, object, unknown>>,
	"attempt" | "dirty" | "save" | "cancel"
>;
