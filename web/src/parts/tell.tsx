import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import type { Say } from "../words";

/** A short word that something is done, with a way back where there is one. */
export function tell(say: Say, text: string, undo?: () => void) {
	const id = notifications.show({
		autoClose: undo ? 12000 : 5000,
		withBorder: true,
		closeButtonProps: { "aria-label": say("close") },
		message: (
			<div className="row" role="status">
				<span className="breakable">{text}</span>
				{undo && (
					<Button
						size="compact-sm"
						variant="light"
						onClick={() => {
							notifications.hide(id);
							undo();
						}}
					>
						{say("undo")}
					</Button>
				)}
			</div>
		),
	});
}
