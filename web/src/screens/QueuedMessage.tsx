import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { queue } from "../api";
import type { QueueMessage, QueueOrder } from "../api";
import { Confirm, Dialog } from "../parts/dialog";
import { Form, useAttempt } from "../parts/form";
import { Await } from "../parts/states";
import { tell } from "../parts/tell";
import { useWho } from "../session";
import { useWords } from "../words";

type Order = QueueOrder["order"];

function Facts({ message }: { message: QueueMessage }) {
	const { say, time, bytes } = useWords();
	return (
		<>
			<dl className="facts">
				<dt>{say("sender")}</dt>
				<dd>{message.sender || say("emptySender")}</dd>
				<dt>{say("arrived")}</dt>
				<dd>{time(message.arrived)}</dd>
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
							{r.system || say("byMx")} · {say("attempts", { n: r.attempts })} · {say("nextAttempt")}:{" "}
							{time(r.next_attempt)}
						</div>
						{r.last_reply && <div className="small mono breakable">{r.last_reply}</div>}
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
	const { session, domain } = useWho();
	const [sure, setSure] = useState<"delete" | "bounce" | null>(null);
	const attempt = useAttempt();
	const query = useQuery({ queryKey: ["queued", id], queryFn: () => queue.get(id), gcTime: 0 });

	async function give(order: Order) {
		const done = await queue.order({ order, id, ...(session.domain && { domain: domain! }) });
		tell(say, say("orderDone", { n: done.recipients }));
	}

	return (
		<Await query={query}>
			{(message) => (
				<>
					<Form attempt={attempt} onSubmit={() => undefined} label={say("orders", { id })}>
						<div className="row">
							{(["retry", "hold", "release"] as const).map((order) => (
								<Button key={order} size="xs" variant="light" onClick={() => attempt.run(() => give(order))}>
									{say(`order_${order}`)}
								</Button>
							))}
							{(["bounce", "delete"] as const).map((order) => (
								<Button key={order} size="xs" variant="outline" color="red" onClick={() => setSure(order)}>
									{say(`order_${order}`)}
								</Button>
							))}
						</div>
						<Facts message={message} />
					</Form>
					<Confirm
						title={sure ? say(`order_${sure}`) : ""}
						text={sure ? say(`order_${sure}_text`, { id }) : ""}
						action={sure ? say(`order_${sure}`) : ""}
						opened={sure !== null}
						onClose={() => setSure(null)}
						onConfirm={() => give(sure!)}
						onDone={onGone}
					/>
				</>
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
