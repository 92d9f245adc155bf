import type { MailSystem } from "../api";
import { useWords } from "../words";
import type { Word } from "../words";

const words: Record<MailSystem, Word> = { hosted: "hosted", alternate: "alternate", none: "noMail" };
const looks: Record<MailSystem, string> = { hosted: "here", alternate: "there", none: "" };

interface MailSystemTagProps {
	of: MailSystem;
	/** The name of the other system, or the hosts of the relay. */
	where?: string | null;
	/** In a list: that other system's name says enough. */
	short?: boolean;
}

export function MailSystemTag({ of, where, short = false }: MailSystemTagProps) {
	const { say } = useWords();
	const there = of === "alternate" ? where : null;
	if (short && there)
		return (
			<span className={`tag ${looks[of]}`} title={`${say(words[of])} · ${there}`}>
				<span className="for-readers">{say(words[of])} </span>
				<span className="clipped">{there}</span>
			</span>
		);
	return (
		<span className={`tag ${looks[of]}`}>
			{say(words[of])}
			{there && ` · ${there}`}
		</span>
	);
}
