import { Button, Select, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useLocation, useParams, useSearch } from "wouter";
import { Problem, route } from "../api";
import type { Route } from "../api";
import { Form, useAttempt } from "../parts/form";
import { named, Page, routePath } from "../parts/page";
import { Await } from "../parts/states";
import { useWords } from "../words";
import type { Say } from "../words";

const looks: Record<Route["action"], string> = {
	deliver: "here",
	expand: "here",
	relay: "there",
	both: "there",
	refuse: "bad",
	later: "",
};

/** A relay without a name is named by its hosts: they are said once. */
function systemOf({ system = "", hosts = [] }: Route["legs"][number], say: Say) {
	const by = hosts.join(", ");
	return by === system ? system : say("legSystem", { system, hosts: by });
}

function Leg({ leg }: { leg: Route["legs"][number] }) {
	const { say, moment } = useWords();
	const where = leg.mailbox
		? say("legMailbox", { mailbox: leg.mailbox })
		: leg.mx_of
			? say("legMx", { domain: leg.mx_of })
			: systemOf(leg, say);
	return (
		<li className={`notice ${leg.mailbox ? "here" : "there"}`}>
			<strong className="breakable">{leg.address}</strong>
			<div className="breakable">{where}</div>
			{leg.state === "down" && (
				<p className="notice bad">
					{leg.since ? say("legDownSince", { when: moment(leg.since) }) : say("legDown")}
					{leg.problem && <span className="mono breakable"> {leg.problem}</span>}
				</p>
			)}
			{leg.tls && <div className="hint small">TLS: {say(`tls_${leg.tls}`)}</div>}
		</li>
	);
}

function Answer({ answer }: { answer: Route }) {
	const { say, span } = useWords();
	return (
		<div className="stack" aria-live="polite">
			<section className="card">
				<div className="row">
					<h2 className="breakable">{answer.recipient}</h2>
					<span className={`tag ${looks[answer.action]}`}>{say(`action_${answer.action}`)}</span>
				</div>
				<dl className="facts" style={{ margin: "14px 0" }}>
					<dt>{say("senderSees")}</dt>
					<dd className="mono">
						{answer.code} {answer.status} {answer.text}
					</dd>
				</dl>
				{answer.legs.length > 0 && (
					<>
						<h3>{say("nextHops")}</h3>
						<ul className="stack tight" style={{ listStyle: "none", margin: "8px 0 0", padding: 0 }}>
							{answer.legs.map((leg, i) => (
								<Leg key={i} leg={leg} />
							))}
						</ul>
					</>
				)}
			</section>
			<section className="card flush" aria-label={say("reasons")}>
				<div className="toolbar">
					<h2>{say("reasons")}</h2>
				</div>
				<div className="table-scroll">
					<table className="table folds">
						<thead>
							<tr>
								<th scope="col">{say("rule")}</th>
								<th scope="col">{say("fact")}</th>
								<th scope="col">{say("source")}</th>
								<th scope="col">{say("age")}</th>
							</tr>
						</thead>
						<tbody>
							{answer.reasons.map((reason, i) => (
								<tr key={i}>
									<td>{say(`rule_${reason.rule}`)}</td>
									<td className="full breakable">{say.fact(reason.id, reason.values) ?? reason.fact}</td>
									<td className="hint" data-label={say("source")}>{say(`source_${reason.source}`)}</td>
									<td className="hint numbers">
										{reason.age_s > 0 ? span(reason.age_s) : say("now")}
									</td>
								</tr>
							))}
						</tbody>
					</table>
				</div>
			</section>
		</div>
	);
}

type From = "internet" | "user" | "system" | "server";

/** "user:alice@example.org" */
function fromOf(as: string): [From, string] {
	const [kind, ...name] = as.split(":");
	return kind === "user" || kind === "system" || kind === "server" ? [kind, name.join(":")] : ["internet", ""];
}

const routeAsValue = {
	user: "routeAsValueUser",
	system: "routeAsValueSystem",
	server: "routeAsValueServer",
} as const;

export function RouteQuestion() {
	const { say } = useWords();
	const [, go] = useLocation();
	const asked = named(useParams().address);
	const as = new URLSearchParams(useSearch()).get("as") ?? "internet";
	const [typed, setTyped] = useState(asked);
	const [from, setFrom] = useState<From>(fromOf(as)[0]);
	const [fromName, setFromName] = useState(fromOf(as)[1]);
	const field = from === "server" ? "from" : "as";
	const attempt = useAttempt();
	const query = useQuery({
		queryKey: ["route", asked, as],
		queryFn: () => route(asked, as),
		enabled: asked !== "",
		retry: false,
	});

	// Back, or a link, asks another question.
	useEffect(() => {
		setTyped(asked);
		setFrom(fromOf(as)[0]);
		setFromName(fromOf(as)[1]);
	}, [asked, as]);

	// A question that cannot be asked is refused at its field.
	const { error } = query;
	const refused = error instanceof Problem && error.field ? error : null;
	useEffect(() => {
		if (refused) attempt.show(refused);
	}, [refused]);

	function ask() {
		const address = typed.trim();
		if (!address) return attempt.refuse("address", say("required"));
		if (from !== "internet" && !fromName.trim()) return attempt.refuse(field, say("required"));
		attempt.forget();
		const asNow = from === "internet" ? "internet" : `${from}:${fromName.trim()}`;
		if (address === asked && asNow === as) void query.refetch();
		else go(routePath(address, asNow));
	}

	return (
		<Page title={say("whereDoesItGo")} crumbs={[{ label: say("mailFlow") }]} hint={say("routeHint")}>
			<section className="card" style={{ marginBottom: 18 }}>
				<Form attempt={attempt} onSubmit={ask}>
					<div className="row" style={{ alignItems: "flex-start" }}>
						<TextInput
							className="grow"
							label={say("address")}
							data-field="address"
							error={attempt.errorOf("address")}
							value={typed}
							onChange={(e) => setTyped(e.currentTarget.value)}
							placeholder="alice@example.org"
							autoCapitalize="none"
							spellCheck={false}
						/>
						<Select
							label={say("routeAs")}
							data={[
								{ value: "internet", label: say("routeAsInternet") },
								{ value: "user", label: say("routeAsUser") },
								{ value: "system", label: say("routeAsSystem") },
								{ value: "server", label: say("routeAsServer") },
							]}
							value={from}
							onChange={(value) => setFrom(value as From)}
						/>
						{from !== "internet" && (
							<TextInput
								className="grow"
								label={say(routeAsValue[from])}
								data-field={field}
								error={attempt.errorOf(field)}
								value={fromName}
								onChange={(e) => setFromName(e.currentTarget.value)}
								autoCapitalize="none"
								spellCheck={false}
							/>
						)}
						<Button type="submit" mt={25}>
							{say("ask")}
						</Button>
					</div>
				</Form>
			</section>
			{asked && !refused && <Await query={query}>{(answer) => <Answer answer={answer} />}</Await>}
		</Page>
	);
}
