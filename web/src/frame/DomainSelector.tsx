import { Select } from "@mantine/core";
import { useState } from "react";
import { useDomainNames } from "../parts/DomainField";
import { useWho } from "../session";
import { useWords } from "../words";

const all = "*";

/** What the lists show: one domain, or all of them. */
export function DomainSelector() {
	const { say } = useWords();
	const { session, domain, setDomain } = useWho();
	const [typed, setTyped] = useState("");
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
