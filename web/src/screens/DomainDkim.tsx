import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { dkim } from "../api";
import type { DkimKey, DkimKeys, DkimRecord } from "../api";
import { CopyButton } from "../parts/CopyButton";
import { Confirm } from "../parts/dialog";
import { Form, useAttempt } from "../parts/form";
import { Await, Empty } from "../parts/states";
import { tell } from "../parts/tell";
import { useWords } from "../words";
import type { Word } from "../words";

function Record({ record, text }: { record: DkimRecord; text: string }) {
	const { say } = useWords();
	const { published } = record;
	return (
		<div className="stack tight">
			<div className="row">
				<span className="mono breakable grow">
					{record.name} <span className="hint">TXT</span>{" "}
					{published && (
						<span className={`tag ${published === "yes" ? "here" : "bad"}`}>
							{say(`dkim_${published}` as Word)}
						</span>
					)}
				</span>
				<CopyButton text={text} what={`${say("dkimText")} ${record.name}`} />
				<CopyButton text={record.zone} what={`${say("dkimZone")} ${record.name}`} />
			</div>
			{record.trouble && <div className="hint small breakable">{record.trouble}</div>}
		</div>
	);
}

function Key({ one, onDelete }: { one: DkimKey; onDelete: () => void }) {
	const { say, time } = useWords();
	return (
		<section className="stack" aria-label={one.selector}>
			<div className="row">
				<h3 className="grow breakable">
					{one.selector} <span className="tag plain">{one.algorithm}</span>{" "}
					<span className={`tag ${one.state === "active" ? "here" : "plain"}`}>
						{say(`dkim_${one.state}` as Word)}
					</span>
				</h3>
				<Button
					variant="default"
					size="compact-sm"
					onClick={onDelete}
					aria-label={say("dkimDeleteNamed", { name: one.selector })}
				>
					{say("delete")}
				</Button>
			</div>
			{one.needed_until && (
				<p className="hint">{say("dkimNeeded", { time: time(one.needed_until) })}</p>
			)}
			<pre className="header">{one.text}</pre>
			{one.records.map((record) => (
				<Record key={record.name} record={record} text={one.text} />
			))}
		</section>
	);
}

/** What was found in DNS, in what is there now. */
function withFound(now: DkimKeys, found: DkimKeys | null): DkimKey[] {
	const records = new Map(
		found?.keys.flatMap((key) => key.records.map((r) => [r.name + key.text, r] as const)),
	);
	return now.keys.map((key) => ({
		...key,
		records: key.records.map((record) => records.get(record.name + key.text) ?? record),
	}));
}

/** What deleting it would mean. */
const deletingWords: { [state in DkimKey["state"]]: Word } = {
	new: "dkimDeleteNew",
	active: "dkimDeleteActive",
	old: "dkimDeleteOld",
};

/** The keys that sign a domain's mail, and their records for DNS. */
export function DomainDkim({ domain }: { domain: string }) {
	const { say, time } = useWords();
	const attempt = useAttempt();
	const [found, setFound] = useState<DkimKeys | null>(null);
	const [deleting, setDeleting] = useState<DkimKey | null>(null);
	const query = useQuery({ queryKey: ["dkim", domain], queryFn: () => dkim.get(domain) });

	async function act(what: () => Promise<DkimKeys>, done: Word) {
		if (await attempt.run(what)) tell(say, say(done, { name: domain }));
	}
	return (
		<Await query={query}>
			{(now) => {
				const isNew = now.keys.some((key) => key.state === "new");
				const isActive = now.keys.some((key) => key.state === "active");
				return (
					<Form attempt={attempt} label={say("dkimTitle")} onSubmit={() => undefined}>
						<h2>{say("dkimTitle")}</h2>
						<p className="hint">
							{now.why_not
								? say(`dkim_${now.why_not.replaceAll("-", "_")}` as Word)
								: say("dkimSigns", { name: domain })}
						</p>
						<div className="row">
							{!isNew && (
								<Button
									variant={isActive ? "default" : "filled"}
									disabled={attempt.busy}
									onClick={() =>
										void act(() => (isActive ? dkim.rotate(domain) : dkim.create(domain)), "dkimMade")
									}
								>
									{say(isActive ? "dkimRotate" : "dkimCreate")}
								</Button>
							)}
							{now.keys.length > 0 && (
								<Button
									variant="default"
									disabled={attempt.busy}
									onClick={() =>
										void attempt.run(async () => setFound(await dkim.check(domain)))
									}
								>
									{say("dkimCheck")}
								</Button>
							)}
							{isNew && (
								<Button
									disabled={attempt.busy}
									onClick={() => void act(() => dkim.use(domain), "dkimUsed")}
								>
									{say("dkimUse")}
								</Button>
							)}
						</div>
						{now.keys.length === 0 && (
							<Empty icon="key" title={say("dkimEmpty")} hint={say("dkimEmptyHint")} />
						)}
						{withFound(now, found).map((key) => (
							<Key key={key.selector} one={key} onDelete={() => setDeleting(key)} />
						))}
						<Confirm
							title={say("dkimDelete")}
							text={say(deletingWords[deleting?.state ?? "new"], {
								name: deleting?.selector ?? "",
								domain,
								time: deleting?.needed_until ? time(deleting.needed_until) : "",
							})}
							action={say("delete")}
							opened={deleting !== null}
							onClose={() => setDeleting(null)}
							onConfirm={() => dkim.remove(domain, deleting!.selector)}
							onDone={() => tell(say, say("deleted", { name: deleting?.selector ?? "" }))}
						/>
					</Form>
				);
			}}
		</Await>
	);
}
