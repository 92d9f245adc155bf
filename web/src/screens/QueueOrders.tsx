import { Button } from "@mantine/core";
import { useState } from "react";
import type { QueueEntry, QueueOrder } from "../api";
import { Confirm } from "../parts/dialog";
import { Form, useAttempt } from "../parts/form";
import { tell } from "../parts/tell";
import { useWords } from "../words";

export type Order = QueueOrder["order"];

interface QueueOrdersProps {
	/** The messages, in words. */
	what: string;
	/** Their recipients, where they are known. */
	recipients: QueueEntry["recipients"] | null;
	/** Answers for how many recipients it was carried out. */
	give: (order: Order) => Promise<number>;
	/** After "try now": sees what comes of it. */
	onRetry?: () => void;
	/** Retried and held, a message still waits; after these it does not. */
	onGone: () => void;
}

/** The orders that make sense for these messages. */
export function QueueOrders({ what, recipients, give, onRetry, onGone }: QueueOrdersProps) {
	const { say } = useWords();
	const [sure, setSure] = useState<"bounce" | "delete" | null>(null);
	const attempt = useAttempt();
	const may = (state: "waiting" | "held") =>
		recipients === null || recipients.some((r) => r.state === state);

	async function carryOut(order: Order) {
		const n = await give(order);
		if (order === "retry") onRetry?.();
		tell(say, say("orderTold", { done: say(`ordered_${order}`), what, n }));
	}

	const gentle: Order[] = ["retry"];
	if (may("waiting")) gentle.push("hold");
	if (may("held")) gentle.push("release");
	return (
		<>
			<Form attempt={attempt} onSubmit={() => undefined} label={say("orders", { what })}>
				<div className="row">
					{gentle.map((order) => (
						<Button
							key={order}
							size="xs"
							variant="light"
							disabled={attempt.busy}
							onClick={() => attempt.run(() => carryOut(order))}
						>
							{say(`order_${order}`)}
						</Button>
					))}
					{(["bounce", "delete"] as const).map((order) => (
						<Button
							key={order}
							size="xs"
							variant="outline"
							color="red"
							disabled={attempt.busy}
							onClick={() => setSure(order)}
						>
							{say(`order_${order}`)}
						</Button>
					))}
				</div>
			</Form>
			<Confirm
				title={sure ? say(`order_${sure}`) : ""}
				text={sure ? say(`order_${sure}_text`, { what }) : ""}
				action={sure ? say(`order_${sure}`) : ""}
				opened={sure !== null}
				onClose={() => setSure(null)}
				onConfirm={() => carryOut(sure!)}
				onDone={onGone}
			/>
		</>
	);
}
