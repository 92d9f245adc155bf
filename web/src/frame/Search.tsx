import { Autocomplete } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation } from "wouter";
import { domains, entries, queue } from "../api";
import { Icon } from "../parts/icons";
import { domainPath, entryPath, queuePath } from "../parts/page";
import { useWho } from "../session";
import { useWords } from "../words";

interface Found {
	group: "searchDomains" | "searchEntries" | "searchMessages";
	label: string;
	to: string;
}

async function find(text: string, domain: string | null, mayQueue: boolean): Promise<Found[]> {
	const [names, people, waiting] = await Promise.all([
		domains.list(text, null, 4),
		entries.list({ search: text, limit: 7, domain: domain ?? undefined }),
		mayQueue && /^[0-9A-Za-z-]{6,}$/.test(text)
			? queue.list({ id: text, limit: 3 }).catch(() => ({ items: [] }))
			: { items: [] },
	]);
	return [
		...names.items.map((d): Found => ({ group: "searchDomains", label: d.name, to: domainPath(d.name) })),
		...people.items.map((e): Found => ({ group: "searchEntries", label: e.address, to: entryPath(e.kind, e.address) })),
		...waiting.items.map((m): Found => ({ group: "searchMessages", label: m.id, to: queuePath({ id: m.id }) })),
	];
}

/** Finds users, addresses, domains and queue ids from anywhere. */
export function Search() {
	const { say } = useWords();
	const { domain, mayRoute } = useWho();
	const [, go] = useLocation();
	const [typed, setTyped] = useState("");
	const [text] = useDebouncedValue(typed.trim(), 180);
	const query = useQuery({
		queryKey: ["find", text, domain],
		queryFn: () => find(text, domain, mayRoute),
		enabled: text.length > 1,
		placeholderData: (before) => before,
	});
	const found = text.length > 1 ? (query.data ?? []) : [];
	const nothing =
		text.length > 1 && text === typed.trim() && query.isSuccess && !query.isPlaceholderData && found.length === 0;
	const groups = (["searchDomains", "searchEntries", "searchMessages"] as const)
		.map((group) => ({
			group: say(group),
			items: [...new Set(found.filter((f) => f.group === group).map((f) => f.label))],
		}))
		.filter((group) => group.items.length > 0);

	return (
		<div role="search" className="bar-search">
			<Autocomplete
				aria-label={say("search")}
				placeholder={say("searchEverything")}
				leftSection={<Icon name="search" />}
				value={typed}
				onChange={setTyped}
				data={nothing ? [{ value: say("searchNothing"), disabled: true }] : groups}
				filter={({ options }) => options}
				// Enter takes the first that is found.
				selectFirstOptionOnChange
				onOptionSubmit={(label) => {
					const chosen = found.find((f) => f.label === label);
					if (chosen) go(chosen.to);
					setTimeout(() => setTyped(""));
				}}
				maxDropdownHeight={380}
			/>
			<span className="for-readers" role="status">
				{nothing && say("searchNothing")}
			</span>
		</div>
	);
}
