import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { filters } from "../api";
import type { Filter } from "../api";
import { useAskedByPath } from "../parts/filters";
import { Icon } from "../parts/icons";
import { Page } from "../parts/page";
import { Await, Empty } from "../parts/states";
import { useWords } from "../words";
import { FilterDialog } from "./FilterDialog";
import { FilterState } from "./FilterState";

function Row({ filter, onEdit }: { filter: Filter; onEdit: () => void }) {
	const { say } = useWords();
	return (
		<tr>
			<td className="full">
				<button type="button" className="link" onClick={onEdit}>
					{filter.name}
				</button>
			</td>
			<td className="mono breakable">{filter.socket}</td>
			<td>{say(`filterMail_${filter.direction}`)}</td>
			<td className="breakable" data-label={filter.listeners.length ? say("listeners") : undefined}>
				{filter.listeners.join(", ")}
			</td>
			<td data-label={say("whenDown")}>{say(`filterDown_${filter.when_down}`)}</td>
			<td>
				<FilterState filter={filter} />
			</td>
		</tr>
	);
}

/** Filters: programs that mail passes before it is accepted, in their order. */
export function Filters() {
	const { say } = useWords();
	// A name: being edited; null: a new one; undefined: none of them.
	const [editing, setEditing] = useState<string | null | undefined>(undefined);
	const leavePath = useAskedByPath(({ name }) => name && setEditing(name));
	const query = useQuery({ queryKey: ["filters"], queryFn: filters.list });

	return (
		<Page
			title={say("filters")}
			crumbs={[{ label: say("systemManagement") }]}
			hint={say("filtersHint")}
			actions={
				<Button leftSection={<Icon name="plus" />} onClick={() => setEditing(null)}>
					{say("newFilter")}
				</Button>
			}
		>
			<section className="card flush" aria-label={say("filters")}>
				<Await query={query}>
					{({ items }) =>
						items.length === 0 ? (
							<Empty icon="filter" title={say("filtersEmpty")} hint={say("filtersEmptyHint")}>
								<Button onClick={() => setEditing(null)}>{say("newFilter")}</Button>
							</Empty>
						) : (
							<div className="table-scroll">
								<table className="table folds">
									<thead>
										<tr>
											<th scope="col">{say("name")}</th>
											<th scope="col">{say("filterSocket")}</th>
											<th scope="col">{say("filterMail")}</th>
											<th scope="col">{say("listeners")}</th>
											<th scope="col">{say("whenDown")}</th>
											<th scope="col">{say("filterState")}</th>
										</tr>
									</thead>
									<tbody>
										{items.map((filter) => (
											<Row key={filter.name} filter={filter} onEdit={() => setEditing(filter.name)} />
										))}
									</tbody>
								</table>
							</div>
						)
					}
				</Await>
			</section>
			<FilterDialog name={editing} onClose={() => (leavePath(), setEditing(undefined))} />
		</Page>
	);
}
