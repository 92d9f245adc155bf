import type { Overview } from "../api";
import { useWords } from "../words";

type Trouble = Overview["trouble"][number];

/** The engine that is away, and systems that are down, have places of their own. */
const shownElsewhere = ["engine-down", "mailboxes-down", "system-down"];
const toldInTime = ["certificate-ends", "named-certificate-ends"];

/** There may be several of one kind. */
export const keyOf = ({ what, values }: Trouble) => `${what} ${values.name ?? ""}`;

/** What the overview names, and, URGENT, every page. */
export const troublesOf = (all: Trouble[], urgent = false) =>
	all.filter(({ what }) => !shownElsewhere.includes(what) && !(urgent && toldInTime.includes(what)));

/** One in words. */
export function TroubleText({ of }: { of: Trouble }) {
	const { say, moment } = useWords();
	const values = {
		...of.values,
		...(of.values.at !== undefined && { at: moment(String(of.values.at)) }),
	};
	return (
		<>
			{say.trouble(of.what, values) ?? of.text}
			{of.detail && <span className="small"> {of.detail}</span>}
		</>
	);
}
