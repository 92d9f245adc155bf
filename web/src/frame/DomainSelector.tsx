import { Select } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { domains } from "../api";
import { useWho } from "../session";
import { useWords } from "../words";

const all = "*";

/** What the lists show: one domain, or all of them. */
export function DomainSelector() {
	const { say } = useWords();
	const { session, domain, setDomain } = useWho();
	const [typed, setTyped] = useState("");
	const [search] = useDebouncedValue(typed === domain ? "" : typed, 200);
	const query = useQuery({
		queryKey: ["domains", "selector", search],
		queryFn: () => domains.list(search === say("allDomains") ? "" : search),
		enabled: session.domain === null,
		placeholderData: (before) => before,
	});

	if (session.domain !== null) return <span className="bar-fixed">{session.domain}</span>;
	const names = new Set(query.data?.items.map((d) => d.name));
	if (domain) names.add(domain);
	return (
		<Select
			className="bar-domain"
			aria-label={say("domain")}
			searchable
			value={domain ?? all}
			data={[
				{ value: all, label: say("allDomains") },
				...[...names].map((name) => ({ value: name, label: name })),
			]}
			filter={({ options }) => options}
			onSearchChange={setTyped}
			onChange={(value) => setDomain(value === all ? null : value)}
			nothingFoundMessage={say("searchNothing")}
			maxDropdownHeight={320}
		/>
	);
}
