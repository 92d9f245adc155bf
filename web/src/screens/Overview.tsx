import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useId } from "react";
import { Link, useLocation } from "wouter";
import { overview } from "../api";
import type { Overview as Figures } from "../api";
import { TrafficCard, WaitingChart } from "../parts/HourCharts";
import { domainPath, Page } from "../parts/page";
import { shapeOf, SplitDrawing } from "../parts/SplitDrawing";
import { Await, Empty } from "../parts/states";
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
	const { say, moment, bytes } = useWords();
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
					<dd className="modest">{queue.oldest ? moment(queue.oldest) : "—"}</dd>
				</div>
			</dl>
			<WaitingChart history={figures.history} />
		</section>
	);
}

type SystemFigures = Figures["systems"][number];
const isDown = (of: SystemFigures) => of.state === "down";

const looks = { up: "here", down: "bad", unknown: "" } as const;

function SystemRow({ of }: { of: SystemFigures }) {
	const { say, time, moment } = useWords();
	const name = of.kind === "system" ? of.name : say(of.kind === "mailboxes" ? "drawHere" : "byMx");
	return (
		<tr>
			<td className="full breakable">
				<strong>{name}</strong>
				{of.hosts && of.hosts !== of.name && <div className="hint small mono">{of.hosts}</div>}
			</td>
			<td className="condition">
				<span className={`tag ${looks[of.state]}`}>{say(`system_${of.state}`)}</span>
				{of.since && (
					<div className="hint small" title={time(of.since)}>
						{say("sinceWhen", { when: moment(of.since) })}
					</div>
				)}
			</td>
			<td className="number" data-label={say("waitingHere")}>{of.recipients}</td>
			<td className="number" data-label={say("lastMinute")}>{of.last_minute ?? "—"}</td>
			<td className="small breakable">{of.state === "down" ? of.problem : of.last_reply}</td>
			<td className="small" data-label={of.next_attempt && say("nextAttempt")}>{of.next_attempt && moment(of.next_attempt)}</td>
		</tr>
	);
}

function SystemsCard({ systems, title }: { systems: SystemFigures[]; title: string }) {
	const { say } = useWords();
	const id = useId();
	if (systems.length === 0) return null;
	return (
		<section className="card flush" style={{ margin: 0 }} aria-labelledby={id}>
			<div className="toolbar">
				<h2 id={id}>{title}</h2>
			</div>
			<div className="table-scroll">
				<table className="table folds">
					<thead>
						<tr>
							<th scope="col">{say("system")}</th>
							<th scope="col">{say("state")}</th>
							<th scope="col" className="number">{say("waitingHere")}</th>
							<th scope="col" className="number">{say("lastMinute")}</th>
							<th scope="col">{say("lastReply")}</th>
							<th scope="col">{say("nextAttempt")}</th>
						</tr>
					</thead>
					<tbody>
						{systems.map((s) => (
							<SystemRow key={`${s.kind} ${s.name}`} of={s} />
						))}
					</tbody>
				</table>
			</div>
		</section>
	);
}

function EngineAway({ since }: { since: string }) {
	const { say, moment } = useWords();
	return (
		<p className="notice bad" role="status">
			{say("engineAway", { when: moment(since) })}
		</p>
	);
}

const atMost = 12;

/** The domains that are split, before those that live here as a whole. */
function splitFirst(domains: DomainFigures[]): DomainFigures[] {
	const whole = (d: DomainFigures) => Number(d.alternate === 0 && d.relay === "");
	return [...domains].sort((a, b) => whole(a) - whole(b));
}

function WhoLivesWhere({ domains }: { domains: DomainFigures[] }) {
	const { say } = useWords();
	const only = domains.length === 1 ? domains[0] : undefined;
	return (
		<>
			<div className="row">
				<h2>{say("overviewSplit")}</h2>
				{domains.length > atMost && (
					<Link href="/domains">{say("overviewAllDomains", { n: domains.length })}</Link>
				)}
			</div>
			<div className="columns">
				{splitFirst(domains).slice(0, atMost).map((d) => (
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
		</>
	);
}

/** What is in trouble first. */
export function Overview() {
	const { say } = useWords();
	const { domain, isSuper } = useWho();
	const [, go] = useLocation();
	const query = useQuery({
		queryKey: ["overview", domain],
		queryFn: () => overview(domain),
		placeholderData: (before) => before,
	});

	return (
		<Page title={say("overview")}>
			<Await query={query}>
				{(figures) => {
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
							{!figures.engine.up && <EngineAway since={figures.engine.since} />}
							<SystemsCard title={say("overviewDown")} systems={figures.systems.filter(isDown)} />
							<div className="columns wide">
								<QueueCard figures={figures} />
								<TrafficCard history={figures.history} />
							</div>
							<WhoLivesWhere domains={figures.domains} />
							<SystemsCard
								title={say("overviewSystems")}
								systems={figures.systems.filter((s) => !isDown(s))}
							/>
						</div>
					);
				}}
			</Await>
		</Page>
	);
}
