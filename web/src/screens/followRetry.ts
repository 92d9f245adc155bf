/*
 * What comes of "Try now": the order only makes a message due, the answer of
 * the other system comes later.  Until it is there, the messages are asked for
 * again and again.
 */
import { Problem, queue } from "../api";
import type { QueueEntry, QueueMessage } from "../api";

type Recipient = QueueEntry["recipients"][number];

const everyMs = 500;
/** A host that does not answer takes its time; the list shows it later. */
const patienceMs = 60_000;
const atOnce = 20;

export interface Retried {
	/** Those that still wait, with the new answer. */
	again: Recipient[];
	/** Recipients that have left the queue. */
	gone: number;
	/** Recipients whose attempt has not ended yet, or that were not followed. */
	open: number;
	/** They are not followed any longer. */
	ended?: boolean;
}

const key = (id: string, r: Recipient) => `${id} ${r.address}`;

async function now(id: string): Promise<QueueMessage | null> {
	try {
		return await queue.get(id);
	} catch (e) {
		if (e instanceof Problem && e.status === 404) return null;
		throw e;
	}
}

/** BEFORE: the messages as they were when the order was given. */
export async function follow(
	before: QueueEntry[],
	onStep: (sofar: Retried) => void,
	isWanted: () => boolean,
): Promise<void> {
	const due = before.flatMap((m) => m.recipients.filter((r) => r.state === "waiting").map((r) => [m.id, r] as const));
	const tried = new Map(due.map(([id, r]) => [key(id, r), r.attempts]));
	const outcome: Retried = { again: [], gone: 0, open: tried.size };
	const end = Date.now() + patienceMs;
	let ids = before.map((m) => m.id).slice(0, atOnce);

	function settle(id: string, message: QueueMessage | null) {
		const there = new Map((message?.recipients ?? []).map((r) => [key(id, r), r]));
		for (const [at, attempts] of [...tried]) {
			if (!at.startsWith(`${id} `)) continue;
			const r = there.get(at);
			if (r && r.attempts === attempts && r.state === "waiting") continue;
			tried.delete(at);
			outcome.open--;
			// Held meanwhile: nothing came of it.
			if (r?.state === "held") continue;
			if (r) outcome.again.push(r);
			else outcome.gone++;
		}
	}

	while (isWanted() && ids.length > 0 && Date.now() < end) {
		await new Promise((go) => setTimeout(go, everyMs));
		for (const id of ids) settle(id, await now(id));
		ids = ids.filter((id) => [...tried.keys()].some((at) => at.startsWith(`${id} `)));
		onStep({ ...outcome, again: [...outcome.again] });
	}
}
