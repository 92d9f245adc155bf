/*
 * The last hour: what waits, and what became of mail.  The console keeps its
 * points, so they are there after a reload and at the first sign-in.
 */
import type { Overview } from "../api";
import { useWords } from "../words";
import { Chart } from "./Chart";

type History = Overview["history"];
type Points = History["waiting"];

/** At each point, the sum of the minute before it. */
function perMinute(points: Points, stepSeconds: number): (number | null)[] {
	const most = Math.round(60 / stepSeconds);
	return points.map((point, i) =>
		point === null
			? null
			: points.slice(Math.max(0, i + 1 - most), i + 1).reduce<number>((sum, n) => sum + (n ?? 0), 0),
	);
}

const lastOf = (points: readonly (number | null)[]) => points[points.length - 1] ?? null;
const mostOf = (points: readonly (number | null)[]) =>
	points.reduce<number>((most, n) => Math.max(most, n ?? 0), 0);

export function WaitingChart({ history }: { history: History }) {
	const { say } = useWords();
	const now = lastOf(history.waiting) ?? 0;
	return (
		<figure className="hour">
			<Chart
				end={history.end}
				stepSeconds={history.step_seconds}
				lines={[{ label: say("waitingRecipients"), colour: "--there-fill", fill: true, values: history.waiting }]}
				text={say("waitingChart", { now, most: mostOf(history.waiting) })}
			/>
			<figcaption className="hint small">{say("waitingOverTime")}</figcaption>
		</figure>
	);
}

const kinds = [
	{ name: "handed_over", word: "handedOver", colour: "--here-fill", dash: undefined },
	{ name: "kept", word: "kept", colour: "--there-fill", dash: [8, 4] },
	{ name: "refused", word: "refused", colour: "--mantine-color-error", dash: [2, 3] },
] as const;

export function TrafficCard({ history }: { history: History }) {
	const { say } = useWords();
	const lines = kinds.map(({ name, word, colour, dash }) => ({
		label: say(word),
		colour,
		dash: dash && [...dash],
		values: perMinute(history[name], history.step_seconds),
	}));
	const figure = (n: number | null) => (n === null ? "—" : n);
	return (
		<section className="card" style={{ margin: 0 }} aria-labelledby="traffic">
			<h2 id="traffic">{say("overviewTraffic")}</h2>
			<dl className="figures">
				{lines.map((line, i) => (
					<div key={line.label}>
						<dt>
							<svg className="stroke" viewBox="0 0 24 4" aria-hidden="true">
								<path d="M0 2H24" stroke={`var(${line.colour})`} strokeDasharray={kinds[i]!.dash?.join(" ")} />
							</svg>
							{line.label}
						</dt>
						<dd>{figure(lastOf(line.values))}</dd>
					</div>
				))}
			</dl>
			<figure className="hour">
				<Chart
					end={history.end}
					stepSeconds={history.step_seconds}
					lines={lines}
					text={lines
						.map((line) =>
							say("trafficChart", {
								what: line.label,
								now: figure(lastOf(line.values)),
								most: mostOf(line.values),
							}),
						)
						.join(" ")}
				/>
				<figcaption className="hint small">{say("trafficOverTime")}</figcaption>
			</figure>
		</section>
	);
}
