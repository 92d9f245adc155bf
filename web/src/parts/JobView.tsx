import { Button, Progress } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { jobs } from "../api";
import type { Job, Refusal } from "../api";
import { useWords } from "../words";
import type { Say, Word } from "../words";
import { CopyButton } from "./CopyButton";
import { Form, useAttempt } from "./form";
import { hasEnded } from "./useJob";

const shown = 500;
const mailSystems: Record<string, Word> = { hosted: "hosted", alternate: "alternate", none: "noMail" };

/** "Mail system: Alternate mail server, System: partner" */
function changeText({ change }: Job, say: Say): string {
	if (!change) return say("jobPutsBack");
	const said: string[] = [];
	const add = (label: Word, value: string) => said.push(say("labelled", { label: say(label), value }));
	if (change.mail_system) add("mailSystem", say(mailSystems[change.mail_system]!));
	if (change.system !== undefined) add("system", change.system ?? say("relayOfDomain"));
	if (change.enabled !== undefined) add("state", say(change.enabled ? "enabled" : "disabled"));
	if (change.quota !== undefined) add("quota", String(change.quota));
	if (change.forward_copy !== undefined) add("forwardCopy", say(change.forward_copy ? "on" : "off"));
	return said.join(", ");
}

export const reasonOf = ({ reason, values, detail }: Refusal, say: Say) =>
	say.refusal(reason, values) ?? detail;

const whyFailed = ({ reason, values, detail }: Job, say: Say) =>
	(reason && say.refusal(reason, values ?? {})) ?? detail ?? "";

/** Every refusal on a line, for a spreadsheet. */
async function refusalLines(job: Job, say: Say): Promise<string> {
	const all = await jobs.refusals(job.id);
	return all.map((refusal) => `${refusal.address}\t${reasonOf(refusal, say)}`).join("\n");
}

function UndoButton({ job, onOther }: { job: Job; onOther: (job: Job) => void }) {
	const { say } = useWords();
	const cache = useQueryClient();
	const attempt = useAttempt();
	const undo = () =>
		attempt.run(async () => {
			const made = await jobs.undo(job.id);
			cache.setQueryData(["job", made.id], made);
			onOther(made);
		});
	return (
		<Form attempt={attempt} onSubmit={undo}>
			<Button type="submit" variant="light" loading={attempt.busy}>
				{say("undo")}
			</Button>
		</Form>
	);
}

function Refusals({ job }: { job: Job }) {
	const { say } = useWords();
	const query = useQuery({
		queryKey: ["job", job.id, "refusals"],
		queryFn: () => jobs.refusals(job.id, shown),
	});
	const list = query.data ?? [];
	return (
		<div className="stack tight">
			<p>{say("bulkRefused", { n: job.refused })}</p>
			<ul className="refusals small" tabIndex={0} aria-label={say("refusedUsers")}>
				{list.map((refusal, place) => (
					// An address may have been given twice.
					<li key={place}>
						<strong>{refusal.address}</strong>: {reasonOf(refusal, say)}
					</li>
				))}
				{list.length > 0 && job.refused > list.length && (
					<li>{say("andMore", { n: job.refused - list.length })}</li>
				)}
			</ul>
		</div>
	);
}

function Report({ job }: { job: Job }) {
	const { say } = useWords();
	const same = job.done - job.changed - job.refused;
	return (
		<>
			<div className="stack tight" role="status">
				{job.state === "cancelled" && <p>{say("jobStopped", { done: job.done, n: job.total })}</p>}
				{job.state === "failed" && (
					<p className="notice bad">{say("jobFailed", { detail: whyFailed(job, say) })}</p>
				)}
				<p>{say("bulkDone", { n: job.changed })}</p>
				{same > 0 && <p>{say("bulkSame", { n: same })}</p>}
			</div>
			{job.refused > 0 && <Refusals job={job} />}
		</>
	);
}

interface JobViewProps {
	job: Job;
	/** Instead of this one: the job that puts back what it did. */
	onOther: (job: Job) => void;
	onClose: () => void;
}

/** How far a job is; at its end what came of it. */
export function JobView({ job, onOther, onClose }: JobViewProps) {
	const { say } = useWords();
	const [stopping, setStopping] = useState(false);
	const ended = hasEnded(job);
	return (
		<div className="stack">
			<p className="hint">{changeText(job, say)}</p>
			{ended ? (
				<Report job={job} />
			) : (
				<div className="stack tight">
					<Progress.Root size="lg">
						<Progress.Section
							value={(100 * job.done) / Math.max(job.total, 1)}
							aria-label={say("longWork")}
						/>
					</Progress.Root>
					<p className="numbers">
						{say(job.state === "waiting" ? "jobWaits" : "bulkRunning", { done: job.done, n: job.total })}
					</p>
					{job.refused > 0 && <p className="small">{say("refusedSoFar", { n: job.refused })}</p>}
					<p className="hint small">{say("jobGoesOn")}</p>
				</div>
			)}
			<div className="row end">
				{ended && job.refused > 0 && (
					<CopyButton text={() => refusalLines(job, say)} what={say("refusedUsers")} />
				)}
				{job.can_undo && <UndoButton job={job} onOther={onOther} />}
				{!ended && (
					<Button
						variant="default"
						loading={stopping}
						onClick={() => {
							setStopping(true);
							void jobs.cancel(job.id).catch(() => setStopping(false));
						}}
					>
						{say("stop")}
					</Button>
				)}
				<Button onClick={onClose}>{say("close")}</Button>
			</div>
		</div>
	);
}
