import { Button, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import { changes, undoChange } from "../api";
import type { Change } from "../api";
import { changeText, nounOf, whoText } from "../parts/changeWords";
import { useAskedByPath } from "../parts/filters";
import { Icon } from "../parts/icons";
import { directoryPath, domainPath, entryPath, Page } from "../parts/page";
import { Pager, useCursors } from "../parts/Pager";
import { Await, Empty } from "../parts/states";
import { tell } from "../parts/tell";
import { sentence } from "../refusals";
import { useWords } from "../words";

/** What was done in one go is shown as one. */
function together(items: Change[]): Change[][] {
	const goes: Change[][] = [];
	for (const change of items) {
		const go = goes[goes.length - 1];
		const last = go?.[0];
		if (last && last.who === change.who && last.at === change.at && last.subject === change.subject)
			go.push(change);
		else goes.push([change]);
	}
	return goes;
}

/** Where it can be seen; nowhere when it was deleted. */
function pathOf(go: Change[]): string | null {
	const { noun, subject } = go[go.length - 1]!;
	const isGone = ({ field, noun: what }: Change) => what !== "token" && ["deleted", "erased"].includes(field);
	if (go.some(isGone)) return null;
	const kind = go.map((change) => change.noun).find((one) => ["user", "group", "shared"].includes(one));
	if (kind) return entryPath(kind, subject);
	if (noun === "address") return directoryPath({ search: subject.replace(/@\*$/, "@") });
	if (noun === "domain") return domainPath(subject);
	if (noun === "system") return "/systems";
	if (noun === "filter") return "/filters";
	if (noun === "admin") return "/administrators";
	return null;
}

/** What can be taken back alone: a name that was given. */
function UndoButton({ change }: { change: Change }) {
	const { say } = useWords();
	const cache = useQueryClient();

	async function undo() {
		try {
			await undoChange(change.id);
			tell(say, say("undone"));
		} catch (e) {
			tell(say, sentence(e, say));
		}
		void cache.invalidateQueries();
	}
	return (
		<Button
			size="compact-sm"
			variant="default"
			aria-label={say("undoRenaming", { name: change.old })}
			onClick={() => void undo()}
		>
			{say("undo")}
		</Button>
	);
}

function Row({ go }: { go: Change[] }) {
	const { say, time } = useWords();
	const first = go[0]!;
	const path = pathOf(go);
	return (
		<tr>
			<td className="small numbers one-line">{time(first.at)}</td>
			<td className="breakable">{whoText(first.who, say)}</td>
			<td className="full breakable">
				{path ? <Link href={path}>{first.subject}</Link> : <strong>{first.subject}</strong>}
				<div className="hint small">{nounOf(go[go.length - 1]!, say)}</div>
			</td>
			<td className="breakable">
				{/* Oldest first: as it was done. */}
				{[...go].reverse().map((change) => (
					<div key={change.id} className="row">
						{changeText(change, say)}
						{change.can_undo && <UndoButton change={change} />}
					</div>
				))}
			</td>
		</tr>
	);
}

/** The audit trail. */
export function Changes() {
	const { say } = useWords();
	const [typed, setTyped] = useState("");
	const [subject, setSubject] = useState("");
	const leavePath = useAskedByPath((path) => setSubject(path.subject ?? ""));
	const [search] = useDebouncedValue(typed.trim(), 250);
	const cursors = useCursors(`${search} ${subject}`);
	const filters = { search: search || undefined, subject: subject || undefined };
	const query = useQuery({
		queryKey: ["changes", filters, cursors.current],
		queryFn: () => changes({ ...filters, cursor: cursors.current ?? undefined }),
		placeholderData: (before) => before,
	});
	const filtered = Boolean(search || subject);
	const showAll = () => {
		leavePath();
		setTyped("");
		setSubject("");
	};

	return (
		<Page title={say("changes")} crumbs={[{ label: say("systemManagement") }]} hint={say("changesHint")}>
			<section className="card flush" aria-label={say("changes")}>
				<div className="toolbar">
					<TextInput
						className="wide"
						aria-label={say("searchChanges")}
						placeholder={say("searchChanges")}
						leftSection={<Icon name="search" />}
						value={typed}
						onChange={(e) => setTyped(e.currentTarget.value)}
					/>
					{subject && (
						<Button variant="light" onClick={() => (leavePath(), setSubject(""))} rightSection={<Icon name="cross" size={14} />}>
							{say("onlyOf", { name: subject })}
						</Button>
					)}
				</div>
				<Await query={query}>
					{({ items, next_cursor }) =>
						items.length === 0 ? (
							filtered ? (
								<Empty icon="search" title={say("directoryNoMatch")} hint={say("directoryNoMatchHint")}>
									<Button variant="default" onClick={showAll}>
										{say("showAll")}
									</Button>
								</Empty>
							) : (
								<Empty icon="changes" title={say("changesEmpty")} hint={say("changesEmptyHint")} />
							)
						) : (
							<>
								<div className="table-scroll">
									<table className="table folds top">
										<thead>
											<tr>
												<th scope="col">{say("when")}</th>
												<th scope="col">{say("who")}</th>
												<th scope="col">{say("what")}</th>
												<th scope="col">{say("changed")}</th>
											</tr>
										</thead>
										<tbody>
											{together(items).map((go) => (
												<Row key={go[0]!.id} go={go} />
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
