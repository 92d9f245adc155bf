import { Button } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { sentence } from "../refusals";
import { useWords } from "../words";
import { tell } from "./tell";

interface Props {
	/** A long text is fetched when it is wanted. */
	text: string | (() => Promise<string>);
	/** Tells readers apart what is copied where there are several. */
	what: string;
}

export function CopyButton({ text, what }: Props) {
	const { say } = useWords();
	const clipboard = useClipboard({ timeout: 3000 });

	async function copy() {
		if (typeof text === "string") return clipboard.copy(text);
		try {
			clipboard.copy(await text());
		} catch (e) {
			tell(say, sentence(e, say));
		}
	}
	return (
		<Button
			variant="default"
			onClick={() => void copy()}
			aria-label={`${say("copy")}: ${what}`}
		>
			<span aria-live="polite">{say(clipboard.copied ? "copied" : "copy")}</span>
		</Button>
	);
}
