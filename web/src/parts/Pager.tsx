import { Button } from "@mantine/core";
import { useEffect, useState } from "react";
import type { ReactNode } from "react";
import { useWords } from "../words";

export interface Cursors {
	current: string | null;
	page: number;
	forward: (cursor: string) => void;
	back: () => void;
}

/** The pages seen so far; another question begins at the first. */
export function useCursors(question: string): Cursors {
	const [trail, setTrail] = useState<string[]>([]);
	useEffect(() => setTrail([]), [question]);
	return {
		current: trail[trail.length - 1] ?? null,
		page: trail.length + 1,
		forward: (cursor) => setTrail((t) => [...t, cursor]),
		back: () => setTrail((t) => t.slice(0, -1)),
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
