import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { administrators } from "../api";
import type { Role } from "../api";
import { Icon } from "../parts/icons";
import { Page } from "../parts/page";
import { Await, Empty } from "../parts/states";
import { useWho } from "../session";
import { useWords } from "../words";
import type { Word } from "../words";
import { AdministratorDialog } from "./AdministratorDialog";

export const roleWord = (role: Role) => `role_${role.replace("-", "_")}` as Word;
export const roleHint = (role: Role) => `roleHint_${role.replace("-", "_")}` as Word;

export function Administrators() {
	const { say } = useWords();
	const { isSuper } = useWho();
	const [editing, setEditing] = useState<string | null | undefined>(undefined);
	const query = useQuery({ queryKey: ["administrators"], queryFn: administrators.list });

	return (
		<Page
			title={say("administrators")}
			crumbs={[{ label: say("systemManagement") }]}
			actions={
				isSuper && (
					<Button leftSection={<Icon name="plus" />} onClick={() => setEditing(null)}>
						{say("newAdministrator")}
					</Button>
				)
			}
		>
			<section className="card flush" aria-label={say("administrators")}>
				<Await query={query}>
					{({ items }) =>
						items.length === 0 ? (
							<Empty icon="key" title={say("administratorsEmpty")} hint={say("administratorsEmptyHint")} />
						) : (
							<div className="table-scroll">
								<table className="table folds">
									<thead>
										<tr>
											<th scope="col">{say("name")}</th>
											<th scope="col">{say("role")}</th>
											<th scope="col">{say("domain")}</th>
											<th scope="col">{say("password")}</th>
											<th scope="col">{say("secondFactor")}</th>
										</tr>
									</thead>
									<tbody>
										{items.map((a) => (
											<tr key={a.name}>
												<td className="full">
													<button type="button" className="link" onClick={() => setEditing(a.name)}>
														{a.name}
													</button>
												</td>
												<td>{say(roleWord(a.role))}</td>
												<td>{a.domain ?? say("allDomains")}</td>
												<td className="hint">{say(a.password === "set" ? "ownPassword" : "usersPassword")}</td>
												<td data-label={say("secondFactor")}>{say(a.totp)}</td>
											</tr>
										))}
									</tbody>
								</table>
							</div>
						)
					}
				</Await>
			</section>
			<AdministratorDialog name={editing} onClose={() => setEditing(undefined)} />
		</Page>
	);
}
