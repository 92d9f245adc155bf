import { Button, Progress, Select } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { systems, users } from "../api";
import type { BulkReport, MailSystem } from "../api";
import { Dialog } from "../parts/dialog";
import { Form, useAttempt } from "../parts/form";
import { useWords } from "../words";

const atOnce = 100;

interface Props {
	addresses: string[];
	opened: boolean;
	onClose: () => void;
	onDone: () => void;
}

/** One mail system for many users, a hundred at a time, with a report. */
export function SetMailSystem({ addresses, opened, onClose, onDone }: Props) {
	const { say } = useWords();
	const cache = useQueryClient();
	const [chosen, setChosen] = useState<MailSystem>("hosted");
	const [system, setSystem] = useState("");
	const [progress, setProgress] = useState<{ done: number; of: number } | null>(null);
	const [report, setReport] = useState<BulkReport | null>(null);
	const attempt = useAttempt();
	const named = useQuery({ queryKey: ["systems"], queryFn: systems.list, enabled: opened });

	async function apply() {
		const total: BulkReport = { changed: 0, refused: [] };
		const done = await attempt.run(async () => {
			for (let i = 0; i < addresses.length; i += atOnce) {
				setProgress({ done: i, of: addresses.length });
				const part = await users.bulk({
					addresses: addresses.slice(i, i + atOnce),
					change: { mail_system: chosen, ...(chosen === "alternate" && { system: system || null }) },
				});
				total.changed += part.changed;
				total.refused.push(...part.refused);
			}
		});
		setProgress(null);
		if (done || total.changed > 0) setReport(total);
	}

	function close() {
		if (report) onDone();
		setReport(null);
		attempt.forget();
		void cache.invalidateQueries({ queryKey: ["entries"] });
		onClose();
	}

	return (
		<Dialog title={say("setMailSystemTitle")} opened={opened} onClose={close} size="md">
			{report ? (
				<div className="stack">
					<div className="stack tight" role="status">
						<p>{say("bulkDone", { n: report.changed })}</p>
						{report.refused.length > 0 && (
							<>
								<p>{say("bulkRefused", { n: report.refused.length })}</p>
								<ul className="small" tabIndex={0} style={{ maxHeight: 240, overflow: "auto", margin: 0 }}>
									{report.refused.map((r) => (
										<li key={r.address}>
											<strong>{r.address}</strong>: {say.refusal(r.reason, r.values) ?? r.detail}
										</li>
									))}
								</ul>
							</>
						)}
					</div>
					<div className="row end">
						<Button onClick={close}>{say("close")}</Button>
					</div>
				</div>
			) : (
				<Form attempt={attempt} onSubmit={apply}>
					<p>{say("setMailSystemText", { n: addresses.length })}</p>
					<Select
						label={say("mailSystem")}
						data-field="mail_system change"
						error={attempt.errorOf("mail_system")}
						data={[
							{ value: "hosted", label: say("hosted") },
							{ value: "alternate", label: say("alternate") },
							{ value: "none", label: say("noMail") },
						]}
						value={chosen}
						onChange={(value) => setChosen(value as MailSystem)}
					/>
					{chosen === "alternate" && (
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
					{progress && (
						<div>
							<Progress value={(100 * progress.done) / progress.of} aria-label={say("setMailSystemTitle")} />
							<p className="hint small" aria-live="polite">
								{say("bulkRunning", { done: progress.done, n: progress.of })}
							</p>
						</div>
					)}
					<div className="row end">
						<Button variant="default" onClick={close}>
							{say("cancel")}
						</Button>
						<Button type="submit" loading={attempt.busy}>
							{say("apply")}
						</Button>
					</div>
				</Form>
			)}
		</Dialog>
	);
}
