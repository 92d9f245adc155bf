import { Button, Checkbox, Select, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { overview, queue } from "../api";
import type { QueueEntry, QueueFilters } from "../api";
import { useAskedByPath } from "../parts/filters";
import { useAttempt } from "../parts/form";
import { Icon } from "../parts/icons";
import { Page } from "../parts/page";
import { lastPlace, placeNow } from "../parts/nextHop";
import { Pager, useCursors } from "../parts/Pager";
import { Await, Empty } from "../parts/states";
import { subjectText } from "../parts/subject";
import { tell } from "../parts/tell";
import { sentence } from "../refusals";
import { useWho } from "../session";
import { useWords } from "../words";
import { QueuedMessage } from "./QueuedMessage";
import { RetriedNotice, useRetried } from "./Retried";
import { QueueOrders } from "./QueueOrders";
import type { Order } from "./QueueOrders";

interface QueueRowProps {
	entry: QueueEntry;
	onOpen: () => void;
	selected: boolean;
	select: (on: boolean) => void;
}

function QueueRow({ entry, onOpen, selected, select }: QueueRowProps) {
	const { say, time, moment, relative, bytes } = useWords();
	// ISO 8601 sorts as text does; held ones have none.
	const [next] = entry.recipients.flatMap((r) => r.next_attempt ?? []).sort();
	return (
		<tr>
			<td className="pick">
				<Checkbox
					aria-label={say("queueSelect", { id: entry.id })}
					checked={selected}
					onChange={(e) => select(e.currentTarget.checked)}
				/>
			</td>
			<td className="full">
				<div className="breakable subject">{subjectText(entry.subject) || say("noSubject")}</div>
				<button type="button" className="link mono small" onClick={onOpen}>
					{entry.id}
				</button>
				<div className="hint small" title={time(entry.arrived)}>
					{relative(entry.arrived)} · {bytes(entry.size)}
				</div>
			</td>
			<td className="sender breakable">{entry.sender || say("emptySender")}</td>
			<td className="full">
				{entry.recipients.slice(0, 5).map((r) => (
					<div key={r.address} style={{ marginBottom: 4 }}>
						<span className="breakable">{r.address}</span>{" "}
						<span className={`tag ${r.state === "held" ? "" : "there"}`}>{say(`state_${r.state}`)}</span>
						<div className="hint small breakable">
							{lastPlace(r, say)} · {say("attempts", { n: r.attempts })}
							{r.last_reply && ` · ${r.last_reply}`}
						</div>
						<div className="hint small breakable">{placeNow(r, say)}</div>
					</div>
				))}
				{entry.recipients.length > 5 && <span className="hint">… {entry.recipients.length}</span>}
			</td>
			<td className="small one-line" data-label={say("nextAttempt")}>{next ? moment(next) : "—"}</td>
		</tr>
	);
}

interface SelectionBarProps {
	filters: QueueFilters;
	/** Of the page; null: all that match, wherever they are shown. */
	entries: QueueEntry[] | null;
	/** As many. */
	n: number;
	/** Where there are more than the page shows. */
	selectMatching?: () => void;
	onRetry?: () => void;
	clear: () => void;
}

function SelectionBar({ filters, entries, n, selectMatching, onRetry, clear }: SelectionBarProps) {
	const { say } = useWords();

	// With the filters also where messages are named: a recipient that is not
	// shown is not meant.
	async function give(order: Order) {
		if (!entries) return (await queue.order({ ...filters, order, all: true })).recipients;
		let sum = 0;
		for (const { id } of entries) sum += (await queue.order({ ...filters, order, id })).recipients;
		return sum;
	}

	return (
		<div className="toolbar">
			<strong role="status">{say("queueSelected", { n })}</strong>
			{selectMatching && (
				<Button size="xs" variant="light" onClick={selectMatching}>
					{say("queueSelectMatching")}
				</Button>
			)}
			<Button size="xs" variant="subtle" onClick={clear}>
				{say("clearSelection")}
			</Button>
			<QueueOrders
				what={say("queueMany", { n })}
				recipients={entries && entries.flatMap((entry) => entry.recipients)}
				give={give}
				onRetry={onRetry}
				onGone={clear}
			/>
		</div>
	);
}

interface QueueTableProps {
	items: QueueEntry[];
	isSelected: (id: string) => boolean;
	select: (ids: string[], on: boolean) => void;
	onOpen: (id: string) => void;
}

function QueueTable({ items, isSelected, select, onOpen }: QueueTableProps) {
	const { say } = useWords();
	const ids = items.map((entry) => entry.id);
	const n = ids.filter(isSelected).length;
	return (
		<div className="table-scroll">
			<table className="table folds">
				<thead>
					<tr>
						<th scope="col" className="pick">
							<Checkbox
								aria-label={say("queueSelectAll")}
								checked={n === ids.length}
								indeterminate={n > 0 && n < ids.length}
								onChange={(e) => select(ids, e.currentTarget.checked)}
							/>
						</th>
						<th scope="col">{say("message")}</th>
						<th scope="col">{say("sender")}</th>
						<th scope="col">{say("recipients")}</th>
						<th scope="col">{say("nextAttempt")}</th>
					</tr>
				</thead>
				<tbody>
					{items.map((entry) => (
						<QueueRow
							key={entry.id}
							entry={entry}
							onOpen={() => onOpen(entry.id)}
							selected={isSelected(entry.id)}
							select={(on) => select([entry.id], on)}
						/>
					))}
				</tbody>
			</table>
		</div>
	);
}

/** A next hop as one text, for a list to choose from. */
const hopText = (kind: string, name: string) => `${kind} ${name}`.trim();
function hopOf(text: string): Pick<QueueFilters, "next_hop" | "system"> {
	const [kind, ...name] = text.split(" ");
	return {
		next_hop: (kind || undefined) as QueueFilters["next_hop"],
		system: name.join(" ") || undefined,
	};
}

/** Everything mail may wait for: the systems, the mailboxes, the Internet. */
function HopFilter({ value, onChange }: { value: string; onChange: (hop: string) => void }) {
	const { say } = useWords();
	const { domain } = useWho();
	const hops = useQuery({ queryKey: ["overview", domain], queryFn: () => overview(domain) }).data?.systems ?? [];
	const options = hops.map((h) => ({
		value: hopText(h.next_hop, h.name),
		label: h.kind === "system" ? h.name : say(h.kind === "mailboxes" ? "drawHere" : "byMx"),
	}));
	if (value && !options.some((o) => o.value === value))
		options.push({ value, label: hopOf(value).system ?? say("byMx") });
	return (
		<Select
			aria-label={say("filterSystem")}
			data={[{ value: "", label: say("everySystem") }, ...options]}
			value={value}
			onChange={(hop) => onChange(hop ?? "")}
			w={230}
		/>
	);
}

/** What is selected of ITEMS, or of all that match FILTERS. */
function useSelection(filters: QueueFilters, items: QueueEntry[], page: number) {
	const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
	const [matching, setMatching] = useState<number | null>(null);
	const attempt = useAttempt();

	function clear() {
		setSelected(new Set());
		setMatching(null);
	}
	// Another question or page shows others.
	useEffect(clear, [JSON.stringify(filters), page]);

	return {
		// Those that have left the queue since are not meant any more.
		entries: matching === null ? items.filter((entry) => selected.has(entry.id)) : null,
		matching,
		attempt,
		clear,
		isSelected: (id: string) => matching !== null || selected.has(id),
		select(ids: string[], on: boolean) {
			const after = new Set(matching === null ? selected : items.map((entry) => entry.id));
			for (const id of ids)
				if (on) after.add(id);
				else after.delete(id);
			setMatching(null);
			setSelected(after);
		},
		selectMatching: () => attempt.run(async () => setMatching(await queue.count(filters))),
	};
}

export function Queue() {
	const { say } = useWords();
	const { domain } = useWho();
	const [recipient, setRecipient] = useState("");
	const [hop, setHop] = useState("");
	const [asked] = useDebouncedValue(recipient.trim(), 250);
	const [open, setOpen] = useState<string | null>(null);
	const leavePath = useAskedByPath((path) => {
		setRecipient(path.recipient ?? "");
		setHop(path.next_hop || path.system ? hopText(path.next_hop ?? "system", path.system ?? "") : "");
		setOpen(path.id ?? null);
	});
	const filters: QueueFilters = {
		recipient: asked || undefined,
		...hopOf(hop),
		domain: domain ?? undefined,
	};
	const filtered = Boolean(asked || hop);
	const retried = useRetried(() => tell(say, say("retriedAllGone", { what: say("messages") })));
	const cursors = useCursors(JSON.stringify(filters));
	const query = useQuery({
		queryKey: ["queue", filters, cursors.current],
		queryFn: () => queue.list({ ...filters, cursor: cursors.current ?? undefined }),
		placeholderData: (before) => before,
	});
	const items = query.data?.items ?? [];
	const selection = useSelection(filters, items, cursors.page);
	const { entries, matching } = selection;
	const n = entries ? entries.length : (matching ?? 0);
	const wholePage = entries !== null && n === items.length;
	const more = cursors.page > 1 || Boolean(query.data?.next_cursor);

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
						onChange={(e) => {
							leavePath();
							setRecipient(e.currentTarget.value);
						}}
					/>
					<HopFilter
						value={hop}
						onChange={(chosen) => {
							leavePath();
							setHop(chosen);
						}}
					/>
				</div>
				{n > 0 && (
					<SelectionBar
						filters={filters}
						entries={entries}
						n={n}
						selectMatching={wholePage && more ? () => void selection.selectMatching() : undefined}
						onRetry={entries ? () => retried.follow(entries) : undefined}
						clear={selection.clear}
					/>
				)}
				{n === 0 && items.length > 0 && (
					<p className="toolbar hint small">{say("queueSelectHint")}</p>
				)}
				<RetriedNotice of={retried} />
				{selection.attempt.problem && (
					<p className="notice bad" role="alert">{sentence(selection.attempt.problem, say)}</p>
				)}
				<Await query={query}>
					{({ next_cursor }) =>
						items.length === 0 ? (
							filtered ? (
								<Empty icon="search" title={say("directoryNoMatch")} hint={say("directoryNoMatchHint")}>
									<Button
										variant="default"
										onClick={() => {
											leavePath();
											setRecipient("");
											setHop("");
										}}
									>
										{say("showAll")}
									</Button>
								</Empty>
							) : (
								<Empty icon="queue" title={say("queueEmpty")} hint={say("queueEmptyHint")} />
							)
						) : (
							<>
								<QueueTable
									items={items}
									isSelected={selection.isSelected}
									select={selection.select}
									onOpen={setOpen}
								/>
								<Pager cursors={cursors} next={next_cursor} />
							</>
						)
					}
				</Await>
			</section>
			<QueuedMessage
				id={open}
				onClose={() => {
					leavePath();
					setOpen(null);
				}}
			/>
		</Page>
	);
}
