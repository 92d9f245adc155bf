/*
 * Who was deleted a moment ago is had back.
 */
import { useQueryClient } from "@tanstack/react-query";
import { kept, Problem } from "../api";
import { sentence } from "../refusals";
import { useWords } from "../words";
import { tell } from "./tell";

async function restoreLast(address: string) {
	// The youngest first.
	const [last] = (await kept.list({ address })).items;
	if (!last) throw new Problem(404, "", null, "no-such-deleted", { who: address });
	await kept.restore(last.id);
}

/** Says that a user or a shared mailbox was deleted, with the way back.  ALONG:
 *  what led there was taken away, too, and stays away. */
export function useTellDeleted() {
	const { say } = useWords();
	const cache = useQueryClient();

	async function undo(address: string, along: boolean) {
		try {
			await restoreLast(address);
			tell(say, say(along ? "undeletedAlone" : "keptRestored", { name: address }));
		} catch (e) {
			tell(say, sentence(e, say));
		}
		void cache.invalidateQueries();
	}
	return (address: string, along: boolean) =>
		tell(say, say("deleted", { name: address }), () => void undo(address, along));
}
