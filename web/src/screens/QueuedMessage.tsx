import { useQuery } from "@tanstack/react-query";
import { queue } from "../api";
import type { QueueMessage } from "../api";
import { Dialog } from "../parts/dialog";
import { lastPlace, placeNow } from "../parts/nextHop";
import { Await } from "../parts/states";
import { subjectText } from "../parts/subject";
import { tell } from "../parts/tell";
import { useWho } from "../session";
import { useWords } from "../words";
import { QueueOrders } from "./QueueOrders";
import type { Order } from "./QueueOrders";
import { RetriedNotice, useRetried } from "./Retried";

function Facts({ message }: { message: QueueMessage }) {
	const { say, time, relative, bytes } = useWords();
	const subject = subjectText(message.subject);
	return (
		<>
			<dl className="facts">
				{subject && (
					<>
						<dt>{say("subject")}</dt>
						<dd>{subject}</dd>
					</>
				)}
				<dt>{say("sender")}</dt>
				<dd>{message.sender || say("emptySender")}</dd>
				<dt>{say("arrived")}</dt>
				<dd>
					{time(message.arrived)} ({relative(message.arrived)})
				</dd>
				<dt>{say("size")}</dt>
				<dd>{bytes(message.size)}</dd>
				<dt>{say("client")}</dt>
				<dd>
					{message.client} {message.helo && `(${message.helo})`}
				</dd>
			</dl>
			<h3>{say("recipients")}</h3>
			<ul className="stack tight" style={{ listStyle: "none", margin: 0, padding: 0 }}>
				{message.recipients.map((r) => (
					<li key={r.address} className="notice">
						<strong className="breakable">{r.address}</strong>{" "}
						<span className={`tag ${r.state === "held" ? "" : "there"}`}>{say(`state_${r.state}`)}</span>
						<div className="small hint breakable">
							{lastPlace(r, say)} · {say("attempts", { n: r.attempts })} · {say("nextAttempt")}:{" "}
							{time(r.next_attempt)}
						</div>
						{r.last_reply && <div className="small mono breakable">{r.last_reply}</div>}
						<div className="small hint breakable">{placeNow(r, say)}</div>
					</li>
				))}
			</ul>
			<h3>{say("header")}</h3>
			<pre className="header" tabIndex={0} aria-label={say("header")}>
				{message.header}
			</pre>
		</>
	);
}

function Message({ id, onGone }: { id: string; onGone: () => void }) {
	const { say } = useWords();
	const { session } = useWho();
	const retried = useRetried(() => {
		tell(say, say("retriedAllGone", { what: say("queueOne", { id }) }));
		onGone();
	});
	const query = useQuery({ queryKey: ["queued", id], queryFn: () => queue.get(id), gcTime: 0 });
	const give = async (order: Order) =>
		(await queue.order({ order, id, domain: session.domain ?? undefined })).recipients;

	return (
		<Await query={query}>
			{(message) => (
				<div className="stack">
					<QueueOrders
						what={say("queueOne", { id })}
						recipients={message.recipients}
						give={give}
						onRetry={() => retried.follow([message])}
						onGone={onGone}
					/>
					<RetriedNotice of={retried} />
					<Facts message={message} />
				</div>
			)}
		</Await>
	);
}

export function QueuedMessage({ id, onClose }: { id: string | null; onClose: () => void }) {
	const { say } = useWords();
	return (
		<Dialog title={`${say("message")} ${id ?? ""}`} opened={id !== null} onClose={onClose} size="xl">
			{id && <Message id={id} onGone={onClose} />}
		</Dialog>
	);
}
