import { Empty } from "../parts/states";
import { useWords } from "../words";

export function Missing() {
	const { say } = useWords();
	return <Empty icon="search" title={say("notFound")} hint={say("notFoundHint")} />;
}
