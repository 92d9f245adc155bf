import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useLocation } from "wouter";
import { overview } from "../api";
import type { Overview as Figures } from "../api";
import { domainPath, Page } from "../parts/page";
import { shapeOf, SplitDrawing } from "../parts/SplitDrawing";
import { Await, Empty } from "../parts/states";
import { WaitingChart } from "../parts/WaitingChart";
import { useWho } from "../session";
import { useWords } from "../words";

type DomainFigures = Figures["domains"][number];

function Split({ of }: { of: DomainFigures }) {
	const { say } = useWords();
	const parts = [
		{ look: "here", n: of.hosted, word: "hosted" },
		{ look: "there", n: of.alternate, word: "alternate" },
		{ look: "nowhere", n: of.none, word: "noMail" },
	] as const;
	return (
		<>
			<div className="split" aria-hidden="true">
				{parts.filter((p) => p.n > 0).map((p) => (
					<i key={p.look} className={p.look} style={{ flexGrow: p.n }} />
				))}
			</div>
			<ul className="legend">
				{parts.map((p) => (
					<li key={p.look} className={p.look}>
						<i aria-hidden="true" />
						{say(p.word)} <strong className="numbers">{p.n}</strong>
					</li>
				))}
			</ul>
		</>
	);
}

function DomainCard({ of }: { of: DomainFigures }) {
	const { say } = useWords();
	return (
		<section className="card stack tight" style={{ margin: 0 }}>
			<div className="row">
				<h3 className="breakable">
					<Link href={domainPath(of.name, "mail")}>{of.name}</Link>
				</h3>
				<span className={`tag ${of.relay ? "there" : "here"}`}>
					{say(`shape_${shapeOf(of.relay, of.forward_unknown, of.alternate)}`)}
				</span>
			</div>
			<Split of={of} />
			<p className="hint small">
				{say("groups")}: {of.groups} · {say("sharedMailboxes")}: {of.shared}
				{of.relay && (
					<>
						{" "}· <span className="mono">{of.relay}</span>
					</>
				)}
			</p>
		</section>
	);
}

function QueueCard({ figures }: { figures: Figures }) {
	const { say, time, bytes } = useWords();
	const { queue } = figures;
	return (
		<section className="card" style={{ margin: 0 }} aria-labelledby="waiting">
			<h2 id="waiting">{say("overviewQueue")}</h2>
			<dl className="figures">
				<div>
					<dt>{say("messages")}</dt>
					<dd>{queue.messages}</dd>
				</div>
				<div>
					<dt>{say("waitingRecipients")}</dt>
					<dd>{queue.recipients}</dd>
				</div>
				<div>
					<dt>{say("held")}</dt>
					<dd>{queue.held}</dd>
				</div>
				<div>
					<dt>{say("size")}</dt>
					<dd className="modest">{bytes(queue.bytes)}</dd>
				</div>
				<div>
					<dt>{say("oldest")}</dt>
					<dd className="modest">{time(queue.oldest)}</dd>
				</div>
			</dl>
			<WaitingChart now={queue.recipients} />
		</section>
	);
}

function SystemsCard({ systems }: { systems: Figures["systems"] }) {
	const { say, time } = useWords();
	return (
		<section className="card flush" style={{ margin: 0 }} aria-labelledby="waiting-systems">
			<div className="toolbar">
				<h2 id="waiting-systems">{say("overviewSystems")}</h2>
			</div>
			{systems.length === 0 ? (
				<p className="hint" style={{ padding: "18px 20px" }}>{say("overviewNothingWaits")}</p>
			) : (
				<div className="table-scroll">
					<table className="table folds">
						<thead>
							<tr>
								<th scope="col">{say("system")}</th>
								<th scope="col" className="number">{say("waitingRecipients")}</th>
								<th scope="col">{say("lastReply")}</th>
								<th scope="col">{say("nextAttempt")}</th>
							</tr>
						</thead>
						<tbody>
							{systems.map((s) => (
								<tr key={s.name}>
									<td className="full breakable"><strong>{s.name || say("byMx")}</strong></td>
									<td className="number" data-label={say("waitingRecipients")}>{s.recipients}</td>
									<td className="small breakable">{s.last_reply}</td>
									<td className="small">{time(s.next_attempt)}</td>
								</tr>
							))}
						</tbody>
					</table>
				</div>
			)}
		</section>
	);
}

export function Overview() {
	const { say } = useWords();
	const { domain, isSuper } = useWho();
	const [, go] = useLocation();
	const query = useQuery({
		queryKey: ["overview", domain],
		queryFn: () => overview(domain),
		refetchInterval: 3000,
		placeholderData: (before) => before,
	});

	return (
		<Page title={say("overview")}>
			<Await query={query}>
				{(figures) => {
					const only = figures.domains.length === 1 ? figures.domains[0] : undefined;
					if (figures.domains.length === 0)
						return (
							<section className="card">
								<Empty icon="domain" title={say("overviewWelcome")} hint={say("domainsEmptyHint")}>
									{isSuper && <Button onClick={() => go("/create-domain")}>{say("createDomain")}</Button>}
								</Empty>
							</section>
						);
					return (
						<div className="stack">
							<h2>{say("overviewSplit")}</h2>
							<div className="columns">
								{figures.domains.map((d) => (
									<DomainCard key={d.name} of={d} />
								))}
								{only && (
									<SplitDrawing
										relay={only.relay}
										forwardUnknown={only.forward_unknown}
										hosted={only.hosted}
										alternate={only.alternate}
									/>
								)}
							</div>
							<QueueCard figures={figures} />
							<SystemsCard systems={figures.systems} />
						</div>
					);
				}}
			</Await>
		</Page>
	);
}
