import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useId } from "react";
import type { ReactNode } from "react";
import { Link, useLocation } from "wouter";
import { overview } from "../api";
import type { Overview as Figures } from "../api";
import { TrafficCard, WaitingChart } from "../parts/HourCharts";
import { HopName } from "../parts/Hop";
import type { HopFigures } from "../parts/Hop";
import { directoryPath, domainPath, Page, queuePath } from "../parts/page";
import { shapeOf, SplitDrawing } from "../parts/SplitDrawing";
import { Await, Empty } from "../parts/states";
import { TroubleText, keyOf, troublesOf } from "../parts/Troubles";
import { useWho } from "../session";
import { useWords } from "../words";

type DomainFigures = Figures["domains"][number];

interface ToDirectoryProps {
	domain: string;
	filters: Parameters<typeof directoryPath>[0];
	children: ReactNode;
}

/** To those of a domain that are counted: it is selected, too. */
function ToDirectory({ domain, filters, children }: ToDirectoryProps) {
	const { session, setDomain } = useWho();
	return (
		<Link href={directoryPath(filters)} onClick={() => session.domain === null && setDomain(domain)}>
			{children}
		</Link>
	);
}

function Split({ of }: { of: DomainFigures }) {
	const { say } = useWords();
	const parts = [
		{ look: "here", n: of.hosted, word: "hosted", mail_system: "hosted" },
		{ look: "there", n: of.alternate, word: "alternate", mail_system: "alternate" },
		{ look: "nowhere", n: of.none, word: "noMail", mail_system: "none" },
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
						{say(p.word)}{" "}
						<ToDirectory domain={of.name} filters={{ kind: "user", mail_system: p.mail_system }}>
							<strong className="numbers">{p.n}</strong>
							<span className="for-readers"> {say("inDomain", { domain: of.name })}</span>
						</ToDirectory>
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
				{say("groups")}:{" "}
				<ToDirectory domain={of.name} filters={{ kind: "group" }}>
					{of.groups}
				</ToDirectory>{" "}
				· {say("sharedMailboxes")}:{" "}
				<ToDirectory domain={of.name} filters={{ kind: "shared" }}>
					{of.shared}
				</ToDirectory>
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
	const { mayRoute } = useWho();
	const { queue } = figures;
	return (
		<section className="card" style={{ margin: 0 }} aria-labelledby="waiting">
			<h2 id="waiting">{mayRoute ? <Link href="/queue">{say("overviewQueue")}</Link> : say("overviewQueue")}</h2>
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

const isDown = (of: HopFigures) => of.state === "down";

const looks = { up: "here", down: "bad", unknown: "" } as const;

function SystemRow({ of, domains }: { of: HopFigures; domains: Figures["domains"] }) {
	const { say, time, moment } = useWords();
	const { mayRoute } = useWho();
	const name = of.kind === "system" ? of.name : say(of.kind === "mailboxes" ? "drawHere" : "byMx");
	return (
		<tr>
			<td className="full breakable">
				<HopName of={of} domains={domains} />
				{of.hosts && of.hosts !== of.name && <div className="hint small mono">{of.hosts}</div>}
			</td>
			<td className="condition">
				{of.state === "unknown" && of.tested ? (
					<>
						<span className={`tag ${of.tested.good ? "here" : "bad"}`}>
							{say(of.tested.good ? "system_tested" : "system_testFailed")}
						</span>
						<div className="hint small">{say("testedWhen", { when: moment(of.tested.at) })}</div>
					</>
				) : (
					<span className={`tag ${looks[of.state]}`}>{say(`system_${of.state}`)}</span>
				)}
				{of.since && (
					<div className="hint small" title={time(of.since)}>
						{say("sinceWhen", { when: moment(of.since) })}
					</div>
				)}
			</td>
			<td className="number" data-label={say("waitingHere")}>
				{mayRoute && of.recipients > 0 ? (
					<Link
						href={queuePath({ next_hop: of.next_hop, system: of.name })}
						aria-label={`${name}: ${say("bannerWaiting", { n: of.recipients })}`}
					>
						{of.recipients}
					</Link>
				) : (
					of.recipients
				)}
			</td>
			<td className="number" data-label={say("lastMinute")}>{of.last_minute ?? "—"}</td>
			<td className="small breakable">{of.state === "down" ? of.problem : of.last_reply}</td>
			<td className="small" data-label={of.next_attempt && say("nextAttempt")}>{of.next_attempt && moment(of.next_attempt)}</td>
		</tr>
	);
}

interface SystemsCardProps {
	systems: HopFigures[];
	domains: Figures["domains"];
	title: string;
}

function SystemsCard({ systems, domains, title }: SystemsCardProps) {
	const { say } = useWords();
	const id = useId();
	if (systems.length === 0) return null;
	return (
		<section className="card flush" style={{ margin: 0 }} aria-labelledby={id}>
			<div className="toolbar">
				<h2 id={id}>{title}</h2>
			</div>
			<div className="table-scroll" role="group" tabIndex={0} aria-labelledby={id}>
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
							<SystemRow key={`${s.next_hop} ${s.name}`} of={s} domains={domains} />
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

type Certificate = Figures["engine"]["certificates"][number];

/** The one for everybody has no name. */
function CertificateLine({ of }: { of: Certificate }) {
	const { say, moment } = useWords();
	const when = of.ends ? moment(of.ends) : "";
	if (of.name === null) return <p className="hint small">{say("certificateEnds", { when })}</p>;
	if (!of.ends) return <p className="hint small">{say("certificateIsNone", { name: of.name })}</p>;
	const names = of.names.join(", ") + (of.names_left_out > 0 ? ` + ${of.names_left_out}` : "");
	return <p className="hint small breakable">{say("certificateOfEnds", { name: of.name, names, when })}</p>;
}

const fewCertificates = 5;

function Certificates({ all }: { all: Certificate[] }) {
	const { say } = useWords();
	const lines = all.map((one) => <CertificateLine key={one.name ?? ""} of={one} />);
	return all.length <= fewCertificates ? (
		<div>{lines}</div>
	) : (
		<details>
			<summary className="hint small">{say("certificates", { n: all.length })}</summary>
			{lines}
		</details>
	);
}

function Troubles({ all }: { all: Figures["trouble"] }) {
	return (
		<>
			{troublesOf(all).map((trouble) => (
				<p key={keyOf(trouble)} className={trouble.stops_mail ? "notice bad" : "notice"} role="status">
					<TroubleText of={trouble} />
				</p>
			))}
		</>
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
							<Troubles all={figures.trouble} />
							<SystemsCard
								title={say("overviewDown")}
								systems={figures.systems.filter(isDown)}
								domains={figures.domains}
							/>
							<div className="columns wide">
								<QueueCard figures={figures} />
								<TrafficCard history={figures.history} />
							</div>
							<WhoLivesWhere domains={figures.domains} />
							<SystemsCard
								title={say("overviewSystems")}
								systems={figures.systems.filter((s) => !isDown(s))}
								domains={figures.domains}
							/>
							{isSuper && figures.engine.certificates.length > 0 && (
								<Certificates all={figures.engine.certificates} />
							)}
						</div>
					);
				}}
			</Await>
		</Page>
	);
}
