import { Button } from "@mantine/core";
import { useState } from "react";
import type { ReactNode } from "react";
import { useWords } from "../words";

export interface Cursors {
	current: string | null;
	page: number;
	forward: (cursor: string) => void;
	back: () => void;
}

interface Seen {
	question: string;
	trail: string[];
}

/** Where the lists that are come back to were left. */
const left = new Map<string, Seen>();

/** The pages seen so far; another question begins at the first.  LIST: who comes
 *  back to it finds the page he left. */
export function useCursors(question: string, list?: string): Cursors {
	const [seen, setSeen] = useState<Seen>(() => left.get(list ?? "") ?? { question, trail: [] });
	const trail = seen.question === question ? seen.trail : [];

	function turn(to: string[]) {
		const now = { question, trail: to };
		if (list) left.set(list, now);
		setSeen(now);
	}
	return {
		current: trail[trail.length - 1] ?? null,
		page: trail.length + 1,
		forward: (cursor) => turn([...trail, cursor]),
		back: () => turn(trail.slice(0, -1)),
	};
}

export function Pager({ cursors, next, children }: {
	cursors: Cursors;
	next: string | null;
	children?: ReactNode;
}) {
	const { say } = useWords();
	if (cursors.page === 1 && !next && !children) return null;
	return (
		<div className="pager">
			<span className="hint small numbers" aria-live="polite">{children}</span>
			{(cursors.page > 1 || next) && (
				<div className="row">
					<Button variant="default" size="xs" disabled={cursors.page === 1} onClick={cursors.back}>
						{say("previousPage")}
					</Button>
					<span className="small numbers">{say("pageNumber", { n: cursors.page })}</span>
					<Button variant="default" size="xs" disabled={!next} onClick={() => next && cursors.forward(next)}>
						{say("nextPage")}
					</Button>
				</div>
			)}
		</div>
	);
}
