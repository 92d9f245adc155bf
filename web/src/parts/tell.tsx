import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import type { Say } from "../words";

/**
 * A short word that something is done, with a way back where there is one.
 * It takes the place of the one before, whose way back is closed: what was
 * done since lies in it.
 */
export function tell(say: Say, text: string, undo?: () => void) {
	notifications.clean();
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
