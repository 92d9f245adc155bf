import { Button, Checkbox, Select, TextInput } from "@mantine/core";
import { useDebouncedValue, useSessionStorage } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Link, useLocation } from "wouter";
import { entries } from "../api";
import type { Entry, EntryFilters, Kind, MailSystem } from "../api";
import { Icon } from "../parts/icons";
import { useDomains } from "../parts/DomainField";
import { MailSystemTag } from "../parts/MailSystemTag";
import { entryPath, Page } from "../parts/page";
import { useAskedByPath } from "../parts/filters";
import { Pager, useCursors } from "../parts/Pager";
import { Await, Empty, NoDomain } from "../parts/states";
import { useWho } from "../session";
import { useWords } from "../words";
import { SetMailSystem } from "./SetMailSystem";

interface Filters {
	search: string;
	kind: Kind | "";
	mail_system: MailSystem | "";
	enabled: "true" | "false" | "";
	password: "set" | "none" | "";
	sort: NonNullable<EntryFilters["sort"]>;
}
const everything: Filters = { search: "", kind: "", mail_system: "", enabled: "", password: "", sort: "address" };

function SortHead({ column, label, filters, set }: {
	column: "address" | "name";
	label: string;
	filters: Filters;
	set: (change: Partial<Filters>) => void;
}) {
	const { say } = useWords();
	const up = filters.sort === column;
	const down = filters.sort === `-${column}`;
	return (
		<th scope="col" aria-sort={up ? "ascending" : down ? "descending" : undefined}>
			<button
				type="button"
				className="sort"
				title={say("sortedBy", { column: label })}
				onClick={() => set({ sort: up ? `-${column}` : column })}
			>
				{label}
				{(up || down) && <Icon name={up ? "up" : "down"} size={13} />}
			</button>
		</th>
	);
}

function FilterBar({ filters, set }: { filters: Filters; set: (change: Partial<Filters>) => void }) {
	const { say } = useWords();
	return (
		<div className="toolbar">
			<TextInput
				className="wide"
				aria-label={say("searchDirectory")}
				placeholder={say("searchDirectory")}
				leftSection={<Icon name="search" />}
				value={filters.search}
				onChange={(e) => set({ search: e.currentTarget.value })}
			/>
			<Select
				aria-label={say("kind")}
				data={[
					{ value: "", label: say("everyKind") },
					...(["user", "group", "shared"] as const).map((kind) => ({ value: kind, label: say(`kind_${kind}`) })),
				]}
				value={filters.kind}
				onChange={(value) => set({ kind: value as Filters["kind"] })}
				w={130}
			/>
			<Select
				aria-label={say("mailSystem")}
				data={[
					{ value: "", label: say("everyMailSystem") },
					{ value: "hosted", label: say("hosted") },
					{ value: "alternate", label: say("alternate") },
					{ value: "none", label: say("noMail") },
				]}
				value={filters.mail_system}
				onChange={(value) => set({ mail_system: value as Filters["mail_system"] })}
				w={190}
			/>
			<Select
				aria-label={say("state")}
				data={[
					{ value: "", label: say("everyState") },
					{ value: "true", label: say("enabled") },
					{ value: "false", label: say("disabled") },
				]}
				value={filters.enabled}
				onChange={(value) => set({ enabled: value as Filters["enabled"] })}
				w={134}
			/>
			<Select
				aria-label={say("password")}
				data={[
					{ value: "", label: say("everyPassword") },
					{ value: "set", label: say("withPassword") },
					{ value: "none", label: say("withoutPassword") },
				]}
				value={filters.password}
				onChange={(value) => set({ password: value as Filters["password"] })}
				w={160}
			/>
		</div>
	);
}

interface TableProps {
	items: Entry[];
	filters: Filters;
	set: (change: Partial<Filters>) => void;
	isSelected: (address: string) => boolean;
	select: (addresses: string[], on: boolean) => void;
}

const usersOf = (items: Entry[]) => items.filter((e) => e.kind === "user").map((e) => e.address);

interface SelectionBarProps {
	picked: number;
	/** Everybody who matches, when that is more than the page shows. */
	matching: number | null;
	everybody: boolean;
	selectMatching: () => void;
	setMailSystem: () => void;
	clear: () => void;
}

function SelectionBar({ picked, matching, everybody, selectMatching, setMailSystem, clear }: SelectionBarProps) {
	const { say } = useWords();
	return (
		<div className="toolbar" role="status">
			<strong>
				{everybody ? say("matchingSelected", { n: picked }) : say("selectedUsers", { n: picked })}
			</strong>
			<Button size="xs" onClick={setMailSystem}>
				{say("setMailSystem")}
			</Button>
			{matching !== null && (
				<Button size="xs" variant="light" onClick={selectMatching}>
					{say("selectMatching", { n: matching })}
				</Button>
			)}
			<Button size="xs" variant="subtle" onClick={clear}>
				{say("clearSelection")}
			</Button>
		</div>
	);
}

function EntryTable({ items, filters, set, isSelected, select }: TableProps) {
	const { say } = useWords();
	const pickable = usersOf(items);
	const picked = pickable.filter(isSelected).length;
	return (
		<div className="table-scroll">
			<table className="table folds directory">
				<thead>
					<tr>
						<th scope="col" className="pick">
							<Checkbox
								aria-label={say("selectAllEntries")}
								checked={picked > 0 && picked === pickable.length}
								indeterminate={picked > 0 && picked < pickable.length}
								disabled={pickable.length === 0}
								onChange={(e) => select(pickable, e.currentTarget.checked)}
							/>
						</th>
						<SortHead column="address" label={say("address")} filters={filters} set={set} />
						<SortHead column="name" label={say("name")} filters={filters} set={set} />
						<th scope="col">{say("mailSystem")}</th>
					</tr>
				</thead>
				<tbody>
					{items.map((entry) => (
						<tr key={entry.address}>
							<td className="pick">
								{entry.kind === "user" && (
									<Checkbox
										aria-label={say("selectEntry", { address: entry.address })}
										checked={isSelected(entry.address)}
										onChange={(e) => select([entry.address], e.currentTarget.checked)}
									/>
								)}
							</td>
							<td className="full">
								<span className="in-line">
									<span className="clipped">
										<Link href={entryPath(entry.kind, entry.address)} title={entry.address}>
											{entry.address}
										</Link>
									</span>
									{!entry.enabled && <span className="tag bad">{say("disabled")}</span>}
								</span>
							</td>
							<td className={entry.name ? "" : "nothing"} title={entry.name}>
								{entry.name || <span className="hint">—</span>}
							</td>
							<td>
								{entry.mail_system ? (
									<MailSystemTag of={entry.mail_system} where={entry.routed_to} short />
								) : (
									<span className="tag plain">
										{say(`kind_${entry.kind}`)}
										{entry.builtin && ` (${say("builtin")})`}
									</span>
								)}
							</td>
						</tr>
					))}
				</tbody>
			</table>
		</div>
	);
}

export function DirectoryBrowser() {
	const { say } = useWords();
	const { domain } = useWho();
	const [, go] = useLocation();
	const [filters, setFilters] = useSessionStorage({
		key: "splitmail-directory",
		defaultValue: everything,
		getInitialValueInEffect: false,
	});
	const leavePath = useAskedByPath((asked) => setFilters({ ...everything, ...asked }));
	const [selected, setSelected] = useState<Set<string>>(new Set());
	const [setting, setSetting] = useState(false);
	const [asked] = useDebouncedValue(filters, 180);
	const question: EntryFilters = {
		domain: domain ?? undefined,
		search: asked.search.trim() || undefined,
		kind: asked.kind || undefined,
		mail_system: asked.mail_system || undefined,
		enabled: asked.enabled ? asked.enabled === "true" : undefined,
		password: asked.password || undefined,
		sort: asked.sort,
	};
	const cursors = useCursors(JSON.stringify(question), "directory");
	const [total, setTotal] = useState<number>();
	const query = useQuery({
		queryKey: ["entries", question, cursors.current],
		queryFn: () => entries.list({ ...question, cursor: cursors.current ?? undefined, limit: 50, count: cursors.current === null || total === undefined }),
		placeholderData: (before) => before,
	});
	useEffect(() => {
		if (query.data?.total !== undefined) setTotal(query.data.total);
	}, [query.data]);
	useEffect(() => setSelected(new Set()), [domain]);

	// Everybody who matches, wherever he is shown; another question, and he
	// is somebody else.
	const [everybody, setEverybody] = useState<number | null>(null);
	const { kind: _, sort: __, ...filter } = question;
	const onPage = usersOf(query.data?.items ?? []);
	const wholePage = onPage.length > 0 && onPage.every((address) => selected.has(address));
	const matching = useQuery({
		queryKey: ["entries", "matching", filter],
		queryFn: () => entries.list({ ...filter, kind: "user", limit: 1, count: true }),
		enabled: wholePage && (asked.kind || "user") === "user",
	}).data?.total;
	useEffect(() => setEverybody(null), [JSON.stringify(filter), asked.kind]);

	const isSelected = (address: string) => everybody !== null || selected.has(address);
	const filtered = Boolean(asked.search || asked.kind || asked.mail_system || asked.enabled || asked.password);
	const noDomain = useDomains("").data?.items.length === 0;
	const set = (change: Partial<Filters>) => {
		leavePath();
		setFilters((f) => ({ ...f, ...change }));
	};
	const clear = () => {
		setEverybody(null);
		setSelected(new Set());
	};
	const select = (addresses: string[], on: boolean) => {
		setEverybody(null);
		setSelected((before) => {
			const after = new Set(everybody === null ? before : onPage);
			for (const address of addresses)
				if (on) after.add(address);
				else after.delete(address);
			return after;
		});
	};

	return (
		<Page
			title={say("directoryBrowser")}
			crumbs={[{ label: say("directories") }]}
			actions={
				<Button leftSection={<Icon name="plus" />} onClick={() => go("/directory/new/user")}>
					{say("newUser")}
				</Button>
			}
		>
			<section className="card flush" aria-label={say("directoryBrowser")}>
				<FilterBar filters={filters} set={set} />
				{selected.size > 0 && (
					<SelectionBar
						picked={everybody ?? selected.size}
						matching={
							wholePage && everybody === null && matching !== undefined && matching > selected.size
								? matching
								: null
						}
						everybody={everybody !== null}
						selectMatching={() => setEverybody(matching ?? null)}
						setMailSystem={() => setSetting(true)}
						clear={clear}
					/>
				)}
				<Await query={query}>
					{({ items, next_cursor }) =>
						items.length === 0 && noDomain ? (
							<NoDomain />
						) : items.length === 0 ? (
							<Empty
								icon={filtered ? "search" : "directory"}
								title={say(filtered ? "directoryNoMatch" : "directoryEmpty")}
								hint={say(filtered ? "directoryNoMatchHint" : "directoryEmptyHint")}
							>
								{filtered ? (
									<Button variant="default" onClick={() => set(everything)}>
										{say("showAll")}
									</Button>
								) : (
									<Button onClick={() => go("/directory/new/user")}>{say("newUser")}</Button>
								)}
							</Empty>
						) : (
							<>
								<EntryTable items={items} filters={filters} set={set} isSelected={isSelected} select={select} />
								<Pager cursors={cursors} next={next_cursor}>
									{total !== undefined && say("entriesFound", { n: total })}
								</Pager>
							</>
						)
					}
				</Await>
			</section>
			<SetMailSystem
				chosen={everybody === null ? { addresses: [...selected] } : { filter, expect: everybody }}
				count={everybody ?? selected.size}
				among={{ search: filter.search, mail_system: filter.mail_system }}
				opened={setting}
				onClose={() => setSetting(false)}
				onDone={clear}
			/>
		</Page>
	);
}
