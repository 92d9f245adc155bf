import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import { overview, systems } from "../api";
import { useAskedByPath } from "../parts/filters";
import { Icon } from "../parts/icons";
import { domainPath, Page } from "../parts/page";
import { Await, Empty } from "../parts/states";
import { useWho } from "../session";
import { useWords } from "../words";
import { SystemDialog, whenDownWord } from "./SystemDialog";

/** What domains have without a name: their relays, each with its domains. */
function Relays() {
	const { say } = useWords();
	const { domain } = useWho();
	const figures = useQuery({ queryKey: ["overview", domain], queryFn: () => overview(domain) }).data;
	const relays = (figures?.systems ?? []).filter((s) => s.next_hop === "relay");
	if (!figures || relays.length === 0) return null;
	return (
		<section className="card flush" aria-labelledby="relays">
			<div className="toolbar">
				<h2 id="relays">{say("relaysOfDomains")}</h2>
				<p className="hint small" style={{ flexBasis: "100%" }}>{say("relaysOfDomainsHint")}</p>
			</div>
			<div className="table-scroll">
				<table className="table folds">
					<thead>
						<tr>
							<th scope="col">{say("hosts")}</th>
							<th scope="col">{say("domain")}</th>
						</tr>
					</thead>
					<tbody>
						{relays.map((relay) => {
							const of = figures.domains.filter((d) => d.relay === relay.name);
							return (
								<tr key={relay.name}>
									<td className="full mono breakable">{relay.name}</td>
									<td className="breakable">
										{of.slice(0, domainsShown).map((d, i) => (
											<span key={d.name}>
												{i > 0 && ", "}
												<Link href={domainPath(d.name, "mail")}>{d.name}</Link>
											</span>
										))}
										{of.length > domainsShown && `, ${say("andMore", { n: of.length - domainsShown })}`}
									</td>
								</tr>
							);
						})}
					</tbody>
				</table>
			</div>
		</section>
	);
}

const domainsShown = 5;

/** Mail systems: alternate mail servers that have a name. */
export function Systems() {
	const { say } = useWords();
	const { isSuper } = useWho();
	// A name: being edited; null: a new one; undefined: none of them.
	const [editing, setEditing] = useState<string | null | undefined>(undefined);
	const leavePath = useAskedByPath(({ name }) => isSuper && name && setEditing(name));
	const query = useQuery({ queryKey: ["systems"], queryFn: systems.list });

	return (
		<Page
			title={say("mailSystems")}
			crumbs={[{ label: say("systemManagement") }]}
			hint={say("systemsHint")}
			actions={
				isSuper && (
					<Button leftSection={<Icon name="plus" />} onClick={() => setEditing(null)}>
						{say("newSystem")}
					</Button>
				)
			}
		>
			<section className="card flush" aria-label={say("mailSystems")}>
				<Await query={query}>
					{({ items }) =>
						items.length === 0 ? (
							<Empty icon="system" title={say("systemsEmpty")} hint={say("systemsEmptyHint")}>
								{isSuper && <Button onClick={() => setEditing(null)}>{say("newSystem")}</Button>}
							</Empty>
						) : (
							<div className="table-scroll">
								<table className="table folds">
									<thead>
										<tr>
											<th scope="col">{say("name")}</th>
											<th scope="col">{say("hosts")}</th>
											<th scope="col">{say("tls")}</th>
											<th scope="col">{say("whenDown")}</th>
											<th scope="col">{say("trust")}</th>
											<th scope="col">{say("options")}</th>
										</tr>
									</thead>
									<tbody>
										{items.map((s) => (
											<tr key={s.name}>
												<td className="full">
													{isSuper ? (
														<button type="button" className="link" onClick={() => setEditing(s.name)}>
															{s.name}
														</button>
													) : (
														s.name
													)}
												</td>
												<td className="mono breakable">{s.hosts}</td>
												<td data-label={say("tls")}>{say(`tls_${s.tls}`)}</td>
												<td>{say(`whenDown_${whenDownWord(s.when_down)}`)}</td>
												<td className="mono breakable small" data-label={s.trust?.length ? say("trust") : undefined}>
													{s.trust?.join(", ")}
												</td>
												<td>
													{s.may_relay && <div className="small">{say("mayRelay")}</div>}
													{s.smart_host && <div className="small">{say("smartHost")}</div>}
												</td>
											</tr>
										))}
									</tbody>
								</table>
							</div>
						)
					}
				</Await>
			</section>
			<Relays />
			<SystemDialog name={editing} onClose={() => (leavePath(), setEditing(undefined))} />
		</Page>
	);
}
