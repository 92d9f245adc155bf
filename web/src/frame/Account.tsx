import { Link } from "wouter";
import { Icon } from "../parts/icons";
import { useWho } from "../session";
import { useWords } from "../words";

interface AccountProps {
	className?: string;
	onGo?: () => void;
}

/** Who is signed in; leads to his account. */
export function Account({ className = "bar-button", onGo }: AccountProps) {
	const { say } = useWords();
	const { session } = useWho();
	return (
		<Link
			href="/account"
			className={className}
			onClick={onGo}
			aria-label={say("account", { name: session.name })}
		>
			<Icon name="user" />
			{session.name}
		</Link>
	);
}
