import { useQuery } from "@tanstack/react-query";
import { filters } from "../api";
import type { Filter } from "../api";
import { useWords } from "../words";

/** Does it take mail at this moment?  Asking takes as long as it takes to answer. */
export function FilterState({ filter }: { filter: Filter }) {
	const { say } = useWords();
	const { data } = useQuery({
		queryKey: ["filter-state", filter.name, filter.socket],
		queryFn: () => filters.get(filter.name),
		enabled: filter.enabled,
	});
	if (!filter.enabled) return <span className="tag">{say("filterOff")}</span>;
	if (!data) return <span className="hint small">{say("filterAsked")}</span>;
	if (data.value.answers) return <span className="tag here">{say("filterAnswers")}</span>;
	return (
		<>
			<span className="tag bad">{say("filterSilent")}</span>
			<div className="hint small breakable">{data.value.trouble}</div>
		</>
	);
}
