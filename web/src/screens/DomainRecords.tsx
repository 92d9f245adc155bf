import { Button, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { domains } from "../api";
import type { Published, PublishedRecord } from "../api";
import { CopyButton } from "../parts/CopyButton";
import { Trouble } from "../parts/states";
import { useWords } from "../words";

function State({ record }: { record: PublishedRecord }) {
	const { say } = useWords();
	const { state, needed } = record;
	if (state === "absent" && !needed) return <span className="tag">{say("record_optional")}</span>;
	const look = state === "right" ? "tag here" : state === "unknown" ? "tag" : "tag bad";
	return <span className={look}>{say(`record_${state}`)}</span>;
}

/** What is said of it: faults first, then notes. */
function Remarks({ of }: { of: PublishedRecord["remarks"] }) {
	const { say } = useWords();
	const inOrder = [...of].sort((a, b) => Number(b.fault) - Number(a.fault));
	return (
		<>
			{inOrder.map(({ id, fault, text, values }) => (
				<p key={`${id} ${text}`} className={fault ? "breakable" : "hint small breakable"}>
					{say.remark(id, values) ?? text}
				</p>
			))}
		</>
	);
}

function Found({ texts }: { texts: string[] }) {
	const { say } = useWords();
	if (texts.length === 0) return null;
	return (
		<>
			<span className="hint small">{say("recordFound")}</span>
			{texts.map((text, i) => (
				<pre key={i} className="header">
					{text}
				</pre>
			))}
		</>
	);
}

function Wanted({ record }: { record: PublishedRecord }) {
	const { say } = useWords();
	if (record.state === "right") return null;
	if (!record.value) return <p className="hint small">{say("recordUnknowable")}</p>;
	return (
		<>
			<span className="hint small">{say("recordPublish")}</span>
			<pre className="header">{record.value}</pre>
			<div>
				<CopyButton text={record.value} what={`${record.type} ${record.name}`} />
			</div>
		</>
	);
}

function Row({ record }: { record: PublishedRecord }) {
	const { say } = useWords();
	return (
		<tr>
			<td className="full">
				<strong>{say(`record_${record.what}`)}</strong>
				<div className="mono small breakable">
					{record.type} {record.name}
				</div>
			</td>
			<td>
				<State record={record} />
			</td>
			<td className="full">
				<div className="stack tight">
					<Remarks of={record.remarks} />
					<Found texts={record.found} />
					<Wanted record={record} />
				</div>
			</td>
		</tr>
	);
}

function Table({ of }: { of: Published }) {
	const { say } = useWords();
	return (
		<div className="table-scroll">
			<table className="table folds" aria-labelledby="records">
				<thead>
					<tr>
						<th scope="col">{say("record")}</th>
						<th scope="col">{say("filterState")}</th>
						<th scope="col">{say("recordSays")}</th>
					</tr>
				</thead>
				<tbody>
					{of.records.map((record) => (
						<Row key={`${record.what} ${record.type} ${record.name}`} record={record} />
					))}
				</tbody>
			</table>
		</div>
	);
}

/** What to publish of a domain, or of one of its aliases, and what is wrong with
 *  what is published. */
export function DomainRecords({ names }: { names: string[] }) {
	const { say } = useWords();
	const [domain, setDomain] = useState(names[0]!);
	const query = useQuery({
		queryKey: ["dns", domain],
		queryFn: () => domains.dns(domain),
		// Name servers are asked when somebody wants to know.
		staleTime: Infinity,
		refetchOnWindowFocus: false,
	});
	const { data, error, isFetching } = query;

	return (
		<section className="stack" aria-labelledby="records" aria-busy={isFetching}>
			<h2 id="records">{say("records")}</h2>
			<p className="hint">{say("recordsHint", { domain })}</p>
			{names.length > 1 && (
				<Select
					label={say("recordsOf")}
					data={names}
					value={domain}
					onChange={(chosen) => chosen && setDomain(chosen)}
				/>
			)}
			<div className="row">
				<Button variant="default" loading={isFetching} onClick={() => void query.refetch()}>
					{say("recordsAsk")}
				</Button>
				{data && (
					<>
						<span className="hint small">{say("recordsZone")}</span>
						<CopyButton text={data.zone} what={say("recordsZone")} />
					</>
				)}
			</div>
			<p className="hint small" role="status">
				{isFetching ? say("recordsAsking") : ""}
			</p>
			{error && !isFetching ? (
				<Trouble error={error} again={() => void query.refetch()} />
			) : (
				data && <Table of={data} />
			)}
		</section>
	);
}
