/*
 * What the two settings of Mail Routing mean, drawn: where mail from the
 * Internet goes, for users here, users there, and addresses nobody has.
 */
import { useWords } from "../words";

export type Shape = "whole" | "master" | "slave" | "both";

/** A domain with users elsewhere that also forwards unknowns is both. */
export function shapeOf(relay: string, forwardUnknown: boolean, alternateUsers: number): Shape {
	if (!relay.trim()) return "whole";
	if (!forwardUnknown) return "master";
	return alternateUsers > 0 ? "both" : "slave";
}

const clip = (text: string, most: number) =>
	text.length > most ? `${text.slice(0, most - 1)}…` : text;

interface DrawingProps {
	relay: string;
	forwardUnknown: boolean;
	hosted: number;
	alternate: number;
	/** Why it is not what was typed. */
	note?: string;
}

export function SplitDrawing({ relay, forwardUnknown, hosted, alternate, note }: DrawingProps) {
	const { say } = useWords();
	const shape = shapeOf(relay, forwardUnknown, alternate);
	const there = shape !== "whole";
	const knowsOthers = shape === "master" || shape === "both";
	const forwards = there && forwardUnknown;
	const text = say(`shapeText_${shape}`, { relay: relay.trim() });

	return (
		<figure className="drawing" style={{ margin: 0 }}>
			<svg viewBox="0 0 400 262" role="img" aria-label={`${say(`shape_${shape}`)}. ${text}`}>
				{/* lines first: boxes cover their ends */}
				<path className="line" d="M78 122H118" />
				<path className="line here" d="M196 106C230 106 216 40 252 40" />
				{knowsOthers && <path className="line there" d="M196 122H252" />}
				{forwards ? (
					<path className="line there dashed" d={knowsOthers ? "M196 138C226 138 222 146 252 146" : "M196 122H252"} />
				) : (
					<path className="line dashed" d="M196 138C230 138 216 222 252 222" />
				)}

				<rect className="box" x="4" y="100" width="76" height="44" rx="10" />
				<text x="42" y="126" fontSize="13" textAnchor="middle">{say("drawInternet")}</text>

				<rect className="box strong" x="112" y="90" width="88" height="64" rx="12" />
				<text className="on-strong" x="156" y="127" fontSize="14" fontWeight="700" textAnchor="middle">Splitmail</text>

				<rect className="box here" x="248" y="12" width="148" height="56" rx="10" />
				<text x="322" y="36" fontSize="13" fontWeight="600" textAnchor="middle">{say("drawHere")}</text>
				<text x="322" y="54" className="label" textAnchor="middle">{say("nUsers", { n: hosted })}</text>

				<g className={there ? "" : "off"}>
					<rect className={`box ${there ? "there" : ""}`} x="248" y="90" width="148" height="76" rx="10" />
					<text x="322" y="112" fontSize="13" fontWeight="600" textAnchor="middle">{clip(say("drawRelay"), 21)}</text>
					<text x="322" y="128" className="label" textAnchor="middle">{clip(relay.trim() || "—", 23)}</text>
					{knowsOthers && (
						<text x="322" y="143" className="label" textAnchor="middle">{say("nUsers", { n: alternate })}</text>
					)}
					{forwards && (
						<text x="322" y={knowsOthers ? 158 : 146} className="label" textAnchor="middle">{say("drawUnknown")}</text>
					)}
				</g>

				<g className={forwards ? "off" : ""}>
					<rect className="box" x="248" y="192" width="148" height="58" rx="10" />
					<text x="322" y="217" fontSize="13" fontWeight="600" textAnchor="middle">{say("drawRefused")}</text>
					<text x="322" y="235" className="label" textAnchor="middle">{forwards ? "550 5.1.1" : say("drawUnknown")}</text>
				</g>
			</svg>
			<figcaption className="words" aria-live="polite">
				<span className={`tag ${there ? "there" : "here"}`}>{say(`shape_${shape}`)}</span>
				<p className="small" style={{ marginTop: 6 }}>{text}</p>
				{note && <p className="small hint">{note}</p>}
			</figcaption>
		</figure>
	);
}
