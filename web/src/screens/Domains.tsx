import { Button, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useLocation } from "wouter";
import { domains } from "../api";
import type { Domain } from "../api";
import { Icon } from "../parts/icons";
import { domainPath, Page } from "../parts/page";
import { Pager, useCursors } from "../parts/Pager";
import { Await, Empty } from "../parts/states";
import { shapeOf } from "../parts/SplitDrawing";
import { useWho } from "../session";
import { useWords } from "../words";
import { CreateDomain } from "./CreateDomain";

function DomainTable({ items }: { items: Domain[] }) {
	const { say } = useWords();
	return (
		<div className="table-scroll">
			<table className="table folds">
				<thead>
					<tr>
						<th scope="col">{say("name")}</th>
						<th scope="col">{say("role_here")}</th>
						<th scope="col">{say("relay")}</th>
						<th scope="col" className="number">{say("hosted")}</th>
						<th scope="col" className="number">{say("alternate")}</th>
					</tr>
				</thead>
				<tbody>
					{items.map((d) => (
						<tr key={d.name}>
							<td className="full">
								<Link href={domainPath(d.name)}>{d.name}</Link>
								{d.aliases.length > 0 && <div className="hint small">{d.aliases.join(", ")}</div>}
							</td>
							<td>
								<span className={`tag ${d.relay ? "there" : "here"}`}>
									{say(`shape_${shapeOf(d.relay, d.forward_unknown, d.alternate)}`)}
								</span>
							</td>
							<td className="mono breakable">{d.relay || "—"}</td>
							<td className="number" data-label={say("hosted")}>{d.hosted}</td>
							<td className="number" data-label={say("alternate")}>{d.alternate}</td>
						</tr>
					))}
				</tbody>
			</table>
		</div>
	);
}

/** Modify Domain: the list.  Create Domain is the same, with its dialog open. */
export function Domains() {
	const { say } = useWords();
	const { isSuper } = useWho();
	const [location, go] = useLocation();
	const [typed, setTyped] = useState("");
	const [search] = useDebouncedValue(typed.trim(), 180);
	const cursors = useCursors(search);
	const creating = location === "/create-domain";
	const query = useQuery({
		queryKey: ["domains", search, cursors.current],
		queryFn: () => domains.list(search, cursors.current),
		placeholderData: (before) => before,
	});

	return (
		<Page
			title={say(creating ? "createDomain" : "modifyDomain")}
			crumbs={[{ label: say("systemManagement") }]}
			actions={
				isSuper && (
					<Button leftSection={<Icon name="plus" />} onClick={() => go("/create-domain")}>
						{say("newDomain")}
					</Button>
				)
			}
		>
			<section className="card flush" aria-label={say("modifyDomain")}>
				<div className="toolbar">
					<TextInput
						className="wide"
						aria-label={say("search")}
						placeholder={say("domainName")}
						leftSection={<Icon name="search" />}
						value={typed}
						onChange={(e) => setTyped(e.currentTarget.value)}
					/>
				</div>
				<Await query={query}>
					{({ items, next_cursor }) =>
						items.length === 0 ? (
							search ? (
								<Empty icon="search" title={say("directoryNoMatch")} hint={say("directoryNoMatchHint")} />
							) : (
								<Empty icon="domain" title={say("domainsEmpty")} hint={say("domainsEmptyHint")}>
									{isSuper && <Button onClick={() => go("/create-domain")}>{say("newDomain")}</Button>}
								</Empty>
							)
						) : (
							<>
								<DomainTable items={items} />
								<Pager cursors={cursors} next={next_cursor} />
							</>
						)
					}
				</Await>
			</section>
			<CreateDomain opened={creating && isSuper} onClose={() => go("/domains")} />
		</Page>
	);
}
