import type { MailSystem } from "../api";
import { useWords } from "../words";
import type { Word } from "../words";

const words: Record<MailSystem, Word> = { hosted: "hosted", alternate: "alternate", none: "noMail" };
const looks: Record<MailSystem, string> = { hosted: "here", alternate: "there", none: "" };

export function MailSystemTag({ of, where }: { of: MailSystem; where?: string | null }) {
	const { say } = useWords();
	return (
		<span className={`tag ${looks[of]}`}>
			{say(words[of])}
			{where && of === "alternate" && ` · ${where}`}
		</span>
	);
}
