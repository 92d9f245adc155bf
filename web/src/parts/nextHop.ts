import type { QueueEntry } from "../api";
import type { Say } from "../words";

type Recipient = QueueEntry["recipients"][number];
type NextHop = Recipient["next_hop"];

/** The word for a next hop that has no name of its own. */
const nextHopWord = {
	undecided: "notDecided",
	mailboxes: "drawHere",
	system: "system",
	relay: "system",
	internet: "byMx",
} as const satisfies Record<NextHop, string>;

/** Where a recipient waits to go, as last tried. */
export function lastPlace(r: Recipient, say: Say) {
	return r.system || say(nextHopWord[r.next_hop]);
}

/** Where it would go now; empty: not known. */
export function placeNow({ now }: Recipient, say: Say) {
	if (!now) return "";
	if (now.action === "refuse") return say("nowRefused", { text: now.text });
	if (now.action === "later") return say("nowWaits", { text: now.text });
	const where = now.system || say(now.next_hop === "undecided" ? "nowMembers" : nextHopWord[now.next_hop]);
	return say("nowGoes", { where });
}
