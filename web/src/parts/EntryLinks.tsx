import { Link } from "wouter";
import { useWho } from "../session";
import { useWords } from "../words";
import { changesPath, routePath } from "./page";

/** From an entry of the directory to what else there is to know of it. */
export function EntryLinks({ address }: { address: string }) {
	const { say } = useWords();
	const { mayRoute } = useWho();
	return (
		<>
			<Link href={routePath(address)}>{say("whereDoesItGo")}</Link>
			{mayRoute && <Link href={changesPath(address)}>{say("changes")}</Link>}
		</>
	);
}
