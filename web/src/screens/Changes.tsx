import { useQuery } from "@tanstack/react-query";
import { changes } from "../api";
import { Page } from "../parts/page";
import { Pager, useCursors } from "../parts/Pager";
import { Await, Empty } from "../parts/states";
import { useWords } from "../words";

/** The audit trail. */
export function Changes() {
	const { say, time } = useWords();
	const cursors = useCursors("");
	const query = useQuery({
		queryKey: ["changes", cursors.current],
		queryFn: () => changes(cursors.current),
		placeholderData: (before) => before,
	});

	return (
		<Page title={say("changes")} crumbs={[{ label: say("systemManagement") }]} hint={say("changesHint")}>
			<section className="card flush" aria-label={say("changes")}>
				<Await query={query}>
					{({ items, next_cursor }) =>
						items.length === 0 ? (
							<Empty icon="changes" title={say("changesEmpty")} hint={say("changesEmptyHint")} />
						) : (
							<>
								<div className="table-scroll">
									<table className="table folds">
										<thead>
											<tr>
												<th scope="col">{say("when")}</th>
												<th scope="col">{say("who")}</th>
												<th scope="col">{say("what")}</th>
												<th scope="col">{say("from")}</th>
												<th scope="col">{say("to")}</th>
											</tr>
										</thead>
										<tbody>
											{items.map((c) => (
												<tr key={c.id}>
													<td className="small numbers">{time(c.at)}</td>
													<td>{c.who}</td>
													<td className="full breakable">
														<strong>{c.subject}</strong>
														<div className="hint small">
															{c.noun}: {c.field}
														</div>
													</td>
													<td className="mono breakable" data-label={c.old && say("from")}>{c.old}</td>
													<td className="mono breakable" data-label={c.new && say("to")}>{c.new}</td>
												</tr>
											))}
										</tbody>
									</table>
								</div>
								<Pager cursors={cursors} next={next_cursor} />
							</>
						)
					}
				</Await>
			</section>
		</Page>
	);
}
