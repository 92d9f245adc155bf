import { Link } from "wouter";
import { Icon } from "../parts/icons";
import { useWho } from "../session";
import { useWords } from "../words";

/** Who is signed in; leads to his account. */
export function Account() {
	const { say } = useWords();
	const { session } = useWho();
	return (
		<Link href="/account" className="bar-button" aria-label={say("account", { name: session.name })}>
			<Icon name="user" />
			<span className="wide-only">{session.name}</span>
		</Link>
	);
}
