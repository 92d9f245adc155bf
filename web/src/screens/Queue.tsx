import { TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { queue } from "../api";
import type { QueueEntry } from "../api";
import { Icon } from "../parts/icons";
import { Page } from "../parts/page";
import { Pager, useCursors } from "../parts/Pager";
import { Await, Empty } from "../parts/states";
import { useWho } from "../session";
import { useWords } from "../words";
import { QueuedMessage } from "./QueuedMessage";

function QueueRow({ entry, onOpen }: { entry: QueueEntry; onOpen: () => void }) {
	const { say, time, bytes } = useWords();
	return (
		<tr>
			<td className="full">
				<button type="button" className="link mono" onClick={onOpen}>
					{entry.id}
				</button>
				<div className="hint small">
					{time(entry.arrived)} · {bytes(entry.size)}
				</div>
			</td>
			<td className="breakable">{entry.sender || say("emptySender")}</td>
			<td className="full">
				{entry.recipients.slice(0, 5).map((r) => (
					<div key={r.address} style={{ marginBottom: 4 }}>
						<span className="breakable">{r.address}</span>{" "}
						<span className={`tag ${r.state === "held" ? "" : "there"}`}>{say(`state_${r.state}`)}</span>
						<div className="hint small breakable">
							{r.system || say("byMx")} · {say("attempts", { n: r.attempts })}
							{r.last_reply && ` · ${r.last_reply}`}
						</div>
					</div>
				))}
				{entry.recipients.length > 5 && <span className="hint">… {entry.recipients.length}</span>}
			</td>
			<td className="small">{time(entry.recipients[0]?.next_attempt ?? null)}</td>
		</tr>
	);
}

export function Queue() {
	const { say } = useWords();
	const { domain } = useWho();
	const [recipient, setRecipient] = useState("");
	const [system, setSystem] = useState("");
	const [asked] = useDebouncedValue({ recipient: recipient.trim(), system: system.trim() }, 250);
	const [open, setOpen] = useState<string | null>(null);
	const cursors = useCursors(JSON.stringify([asked, domain]));
	const query = useQuery({
		queryKey: ["queue", asked, domain, cursors.current],
		queryFn: () =>
			queue.list({
				recipient: asked.recipient || undefined,
				system: asked.system || undefined,
				domain: domain ?? undefined,
				cursor: cursors.current ?? undefined,
			}),
		placeholderData: (before) => before,
	});

	return (
		<Page title={say("queue")} crumbs={[{ label: say("mailFlow") }]} hint={say("queueHint")}>
			<section className="card flush" aria-label={say("queue")}>
				<div className="toolbar">
					<TextInput
						className="wide"
						aria-label={say("filterRecipient")}
						placeholder={say("filterRecipient")}
						leftSection={<Icon name="search" />}
						value={recipient}
						onChange={(e) => setRecipient(e.currentTarget.value)}
					/>
					<TextInput
						aria-label={say("filterSystem")}
						placeholder={say("filterSystem")}
						value={system}
						onChange={(e) => setSystem(e.currentTarget.value)}
					/>
				</div>
				<Await query={query}>
					{({ items, next_cursor }) =>
						items.length === 0 ? (
							<Empty icon="queue" title={say("queueEmpty")} hint={say("queueEmptyHint")} />
						) : (
							<>
								<div className="table-scroll">
									<table className="table folds">
										<thead>
											<tr>
												<th scope="col">{say("message")}</th>
												<th scope="col">{say("sender")}</th>
												<th scope="col">{say("recipients")}</th>
												<th scope="col">{say("nextAttempt")}</th>
											</tr>
										</thead>
										<tbody>
											{items.map((entry) => (
												<QueueRow key={entry.id} entry={entry} onOpen={() => setOpen(entry.id)} />
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
			<QueuedMessage id={open} onClose={() => setOpen(null)} />
		</Page>
	);
}
