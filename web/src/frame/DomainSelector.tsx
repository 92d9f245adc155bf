import { Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useLocation } from "wouter";
import { domains, Problem } from "../api";
import { useDomainNames } from "../parts/DomainField";
import { tell } from "../parts/tell";
import { useWho } from "../session";
import { useWords } from "../words";

const all = "*";

/** A selected domain that somebody deletes is selected no longer.  Looked at
 *  on every page, and again whenever a page misses something (main.tsx). */
function useSelectedIsThere() {
	const { say } = useWords();
	const { session, domain, setDomain } = useWho();
	const [location] = useLocation();
	const { error } = useQuery({
		queryKey: ["selected-domain", domain, location],
		queryFn: () => domains.get(domain!),
		enabled: session.domain === null && domain !== null,
		gcTime: 0,
	});
	const gone = error instanceof Problem && error.status === 404;
	useEffect(() => {
		if (!gone || domain === null) return;
		setDomain(null);
		tell(say, say("selectedDomainGone", { name: domain }));
	}, [gone, domain]);
}

/** What the lists show: one domain, or all of them. */
export function DomainSelector() {
	const { say } = useWords();
	const { session, domain, setDomain } = useWho();
	const [typed, setTyped] = useState("");
	useSelectedIsThere();
	const names = useDomainNames(typed === say("allDomains") ? "" : typed, domain, session.domain === null);

	if (session.domain !== null) return <span className="bar-fixed">{session.domain}</span>;
	return (
		<Select
			className="bar-domain"
			aria-label={say("domain")}
			searchable
			allowDeselect={false}
			value={domain ?? all}
			data={[
				{ value: all, label: say("allDomains") },
				...names.map((name) => ({ value: name, label: name })),
			]}
			filter={({ options }) => options}
			onSearchChange={setTyped}
			onChange={(value) => setDomain(value === all ? null : value)}
			nothingFoundMessage={say("searchNothing")}
			maxDropdownHeight={320}
		/>
	);
}
