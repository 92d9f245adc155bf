import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { systems } from "../api";
import { Icon } from "../parts/icons";
import { Page } from "../parts/page";
import { Await, Empty } from "../parts/states";
import { useWho } from "../session";
import { useWords } from "../words";
import { SystemDialog } from "./SystemDialog";

/** Mail systems: alternate mail servers that have a name. */
export function Systems() {
	const { say } = useWords();
	const { isSuper } = useWho();
	// A name: being edited; null: a new one; undefined: none of them.
	const [editing, setEditing] = useState<string | null | undefined>(undefined);
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
												<td>{say(`whenDown_${s.when_down.replace("-", "_") as "keep_known" | "keep_all" | "defer"}`)}</td>
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
			<SystemDialog name={editing} onClose={() => setEditing(undefined)} />
		</Page>
	);
}
