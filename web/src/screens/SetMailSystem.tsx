import { Button, Select } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import { systems, users } from "../api";
import type { BulkChange, BulkPreview, MailSystem } from "../api";
import { Dialog } from "../parts/dialog";
import { Form, useAttempt } from "../parts/form";
import { JobView, reasonOf } from "../parts/JobView";
import { directoryPath } from "../parts/page";
import { useJob, useSeenReport } from "../parts/useJob";
import { sentence } from "../refusals";
import { useWords } from "../words";

/** Some users by their addresses, or all that match. */
export type Chosen = Pick<BulkChange, "addresses" | "filter" | "expect">;

const reasonsShown = 3;


/** What follows for those who will be changed, with how many they are. */
function Consequences({ effects, password }: { effects: BulkPreview["effects"]; password: string }) {
	const { say } = useWords();
	const { without_password, left_here, left_elsewhere, waiting } = effects;
	if (!without_password && !left_here && !left_elsewhere && !waiting) return null;
	return (
		<ul className="consequences">
			{without_password > 0 && (
				<li>
					{say("bulkWithoutPassword", { n: without_password })}{" "}
					<Link href={password}>{say("bulkWhoHasNone")}</Link>
				</li>
			)}
			{left_here > 0 && <li>{say("bulkLeftHere", { n: left_here })}</li>}
			{left_elsewhere > 0 && <li>{say("bulkLeftElsewhere", { n: left_elsewhere })}</li>}
			{waiting !== null && waiting > 0 && <li>{say("bulkWaiting", { n: waiting })}</li>}
		</ul>
	);
}

/** What will happen, before it does. */
function Effect({ preview, password }: { preview: BulkPreview; password: string }) {
	const { say } = useWords();
	const same = preview.tried - preview.changed - preview.refused;
	const reasons = preview.refusals.slice(0, reasonsShown);
	return (
		<div className="notice stack tight" role="status">
			{preview.tried < preview.matching && <p>{say("previewFirst", { n: preview.tried })}</p>}
			<p>{say("previewChanged", { n: preview.changed })}</p>
			{same > 0 && <p>{say("previewSame", { n: same })}</p>}
			<Consequences effects={preview.effects} password={password} />
			{preview.refused > 0 && (
				<>
					<p>{say("previewRefused", { n: preview.refused })}</p>
					<ul className="refusals small">
						{reasons.map((r, place) => (
							<li key={place}>
								<strong>{r.address}</strong>: {reasonOf(r, say)}
							</li>
						))}
						{preview.refused > reasons.length && (
							<li>{say("andMore", { n: preview.refused - reasons.length })}</li>
						)}
					</ul>
				</>
			)}
		</div>
	);
}

interface Props {
	chosen: Chosen;
	count: number;
	/** What the list is filtered by that they were chosen from. */
	among: Parameters<typeof directoryPath>[0];
	opened: boolean;
	onClose: () => void;
	onDone: () => void;
}

/** One mail system for many users: what will happen, the job, its report. */
export function SetMailSystem({ chosen, count, among, opened, onClose, onDone }: Props) {
	const { say } = useWords();
	const [mailSystem, setMailSystem] = useState<MailSystem>("hosted");
	const [system, setSystem] = useState("");
	const [started, setStarted] = useState<number | null>(null);
	const [, setSeen] = useSeenReport();
	const attempt = useAttempt();
	const cache = useQueryClient();
	const job = useJob(started).data;
	const named = useQuery({ queryKey: ["systems"], queryFn: systems.list, enabled: opened });
	const order: BulkChange = {
		...chosen,
		change: { mail_system: mailSystem, ...(mailSystem === "alternate" && { system: system || null }) },
	};
	const preview = useQuery({
		queryKey: ["preview", order],
		queryFn: () => users.tryBulk(order),
		enabled: opened && started === null,
		// What was so a while ago is no preview.
		gcTime: 0,
		staleTime: 0,
	});
	const changesNobody = preview.data?.changed === 0 && preview.data.tried === preview.data.matching;

	const start = () =>
		attempt.run(async () => {
			const made = await users.bulk(order);
			cache.setQueryData(["job", made.id], made);
			setStarted(made.id);
		});

	function close() {
		if (job) setSeen(job);
		if (started !== null) onDone();
		setStarted(null);
		attempt.forget();
		onClose();
	}

	return (
		<Dialog title={say("setMailSystemTitle")} opened={opened} onClose={close} size="md">
			{job ? (
				<JobView key={job.id} job={job} onOther={(other) => setStarted(other.id)} onClose={close} />
			) : (
				<Form attempt={attempt} onSubmit={start}>
					<p>{say("setMailSystemText", { n: count })}</p>
					<Select
						label={say("mailSystem")}
						data-field="mail_system change"
						error={attempt.errorOf("mail_system")}
						data={[
							{ value: "hosted", label: say("hosted") },
							{ value: "alternate", label: say("alternate") },
							{ value: "none", label: say("noMail") },
						]}
						value={mailSystem}
						onChange={(value) => setMailSystem(value as MailSystem)}
					/>
					{mailSystem === "alternate" && (
						<Select
							label={say("system")}
							data-field="system"
							error={attempt.errorOf("system")}
							data={[
								{ value: "", label: say("relayOfDomain") },
								...(named.data?.items ?? []).map((s) => ({ value: s.name, label: s.name })),
							]}
							value={system}
							onChange={(value) => setSystem(value ?? "")}
						/>
					)}
					{preview.data ? (
						<Effect
							preview={preview.data}
							password={directoryPath({ ...among, password: "none" })}
						/>
					) : preview.isError ? (
						<div className="notice bad" role="alert">
							<p>{say("previewFails", { why: sentence(preview.error, say) })}</p>
							<Button size="compact-sm" variant="default" onClick={() => void preview.refetch()}>
								{say("tryAgain")}
							</Button>
						</div>
					) : (
						<p className="notice" role="status">{say("previewRuns")}</p>
					)}
					<div className="row end">
						<Button variant="default" onClick={close}>
							{say("cancel")}
						</Button>
						<Button type="submit" loading={attempt.busy} disabled={preview.isPending || changesNobody}>
							{say("apply")}
						</Button>
					</div>
				</Form>
			)}
		</Dialog>
	);
}
