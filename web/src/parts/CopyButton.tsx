import { Button } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { useWords } from "../words";

/** WHAT tells readers apart what is copied where there are several. */
export function CopyButton({ text, what }: { text: string; what: string }) {
	const { say } = useWords();
	const clipboard = useClipboard({ timeout: 3000 });
	return (
		<Button
			variant="default"
			onClick={() => clipboard.copy(text)}
			aria-label={`${say("copy")}: ${what}`}
		>
			<span aria-live="polite">{say(clipboard.copied ? "copied" : "copy")}</span>
		</Button>
	);
}
