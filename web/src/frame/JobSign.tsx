import { useState } from "react";
import type { Job } from "../api";
import { Dialog } from "../parts/dialog";
import { JobView } from "../parts/JobView";
import { hasEnded, useJob, useOwnJob, useSeenReport } from "../parts/useJob";
import { useWords } from "../words";

const round = 2 * Math.PI * 7;

function Ring({ part }: { part: number }) {
	return (
		<svg width="19" height="19" viewBox="0 0 19 19" fill="none" strokeWidth="3" aria-hidden="true">
			<circle cx="9.5" cy="9.5" r="7" stroke="currentColor" opacity="0.3" />
			<circle
				cx="9.5"
				cy="9.5"
				r="7"
				stroke="currentColor"
				strokeDasharray={`${part * round} ${round}`}
				transform="rotate(-90 9.5 9.5)"
			/>
		</svg>
	);
}

/** Long work that goes on, or whose report was not seen yet; on every page. */
export function JobSign() {
	const { say } = useWords();
	const own = useOwnJob();
	const [, setSeen] = useSeenReport();
	const [opened, setOpened] = useState<number | null>(null);
	const job = useJob(opened).data ?? null;

	const label = (of: Job) => {
		if (hasEnded(of)) return say("report");
		return `${Math.floor((100 * of.done) / Math.max(of.total, 1))} %`;
	};
	function close() {
		if (job) setSeen(job);
		setOpened(null);
	}
	return (
		<>
			{own && (
				<button
					type="button"
					className="bar-button"
					onClick={() => setOpened(own.id)}
					aria-label={`${say("longWork")}: ${label(own)}`}
				>
					<Ring part={hasEnded(own) ? 1 : own.done / Math.max(own.total, 1)} />
					<span className="numbers">{label(own)}</span>
				</button>
			)}
			<Dialog title={say("longWork")} opened={opened !== null && job !== null} onClose={close} size="md">
				{job && (
					<JobView
						key={job.id}
						job={job}
						onOther={(other) => {
							setSeen(job);
							setOpened(other.id);
						}}
						onClose={close}
					/>
				)}
			</Dialog>
		</>
	);
}
