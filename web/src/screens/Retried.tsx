import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import type { QueueEntry } from "../api";
import { useWords } from "../words";
import { follow } from "./followRetry";
import type { Retried } from "./followRetry";

const shown = 5;

/** Follows the messages that are tried now; ALLGONE: none of them waits any
 *  more. */
export function useRetried(allGone: () => void) {
	const cache = useQueryClient();
	const [outcome, setOutcome] = useState<Retried | null>(null);
	const run = useRef(0);
	useEffect(() => () => void (run.current = -1), []);

	return {
		outcome,
		forget() {
			run.current++;
			setOutcome(null);
		},
		follow(before: QueueEntry[]) {
			const mine = ++run.current;
			const isWanted = () => run.current === mine;
			void follow(
				before,
				(sofar) => {
					if (!isWanted()) return;
					setOutcome(sofar);
					if (sofar.open > 0) return;
					void cache.invalidateQueries({ queryKey: ["queue"] });
					void cache.invalidateQueries({ queryKey: ["queued"] });
					if (sofar.again.length === 0) allGone();
				},
				isWanted,
			)
				.catch(() => undefined)
				.then(() => isWanted() && setOutcome((sofar) => sofar && { ...sofar, ended: true }));
			setOutcome({ again: [], gone: 0, open: 1 });
		},
	};
}

/** The answer one pressed "Try now" for. */
export function RetriedNotice({ of }: { of: { outcome: Retried | null } }) {
	const { say, moment } = useWords();
	if (!of.outcome) return null;
	const { again, gone, open, ended } = of.outcome;
	return (
		<div className={`notice ${again.length > 0 ? "bad" : ""}`} role="status">
			{open > 0 && <p>{say(ended ? "retriedNotYet" : "retriedOpen")}</p>}
			{gone > 0 && <p>{say("retriedGone", { n: gone })}</p>}
			{again.slice(0, shown).map((r) => (
				<p key={r.address} className="breakable">
					{say("retriedAgain", { address: r.address, reply: r.last_reply.replace(/\.$/, "") || "—" })}
					{r.next_attempt && ` ${say("retriedNext", { when: moment(r.next_attempt) })}`}
				</p>
			))}
			{again.length > shown && <p>{say("andMore", { n: again.length - shown })}</p>}
		</div>
	);
}
