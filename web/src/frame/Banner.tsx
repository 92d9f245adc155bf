import { useQuery } from "@tanstack/react-query";
import { Link, useLocation } from "wouter";
import { overview } from "../api";
import { useWho } from "../session";
import { useWords } from "../words";
import type { Overview } from "../api";
import { HopName } from "../parts/Hop";
import type { HopFigures } from "../parts/Hop";
import { queuePath } from "../parts/page";
import { TroubleText, keyOf, troublesOf } from "../parts/Troubles";

const shown = 3;

function Down({ of, domains }: { of: HopFigures; domains: Overview["domains"] }) {
	const { say, moment } = useWords();
	const { mayRoute } = useWho();
	return (
		<li>
			<HopName of={of} domains={domains} />{" "}
			{of.since ? say("bannerDownSince", { when: moment(of.since) }) : say("system_down")}
			{of.recipients > 0 && (
				<>
					{" · "}
					{mayRoute ? (
						<Link href={queuePath({ next_hop: of.next_hop, system: of.name })}>
							{say("bannerWaiting", { n: of.recipients })}
						</Link>
					) : (
						say("bannerWaiting", { n: of.recipients })
					)}
				</>
			)}
		</li>
	);
}

/** On every page while mail cannot come in, or a system takes none.  The
 *  overview says more of it itself. */
export function Banner() {
	const { say, moment } = useWords();
	const { domain } = useWho();
	const [location] = useLocation();
	const figures = useQuery({
		queryKey: ["overview", domain],
		queryFn: () => overview(domain),
		placeholderData: (before) => before,
	}).data;
	if (!figures || location === "/") return null;
	const down = figures.systems.filter((s) => s.state === "down");
	const troubles = troublesOf(figures.trouble, true);
	if (figures.engine.up && down.length === 0 && troubles.length === 0) return null;

	return (
		<div className="banner" role="status">
			{!figures.engine.up && <p>{say("engineAway", { when: moment(figures.engine.since) })}</p>}
			{troubles.map((trouble) => (
				<p key={keyOf(trouble)}>
					<TroubleText of={trouble} />
				</p>
			))}
			{down.length > 0 && (
				<ul>
					{down.slice(0, shown).map((s) => (
						<Down key={`${s.next_hop} ${s.name}`} of={s} domains={figures.domains} />
					))}
				</ul>
			)}
			<Link href="/">{down.length > shown ? say("bannerMore", { n: down.length - shown }) : say("overview")}</Link>
		</div>
	);
}
