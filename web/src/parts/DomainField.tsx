/*
 * Choosing a domain.  There may be thousands: the server searches, and only
 * the first of what it finds are offered.
 */
import { Select } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { domains } from "../api";
import { useWho } from "../session";
import { useWords } from "../words";
import type { Attempt } from "./form";

/** The first domains whose name holds what is searched. */
export function useDomains(search: string, enabled = true) {
	return useQuery({
		queryKey: ["domains", "found", search],
		queryFn: () => domains.list(search),
		enabled,
		placeholderData: (before) => before,
	});
}

/** The names to offer while TYPED stands in the field: the one that is chosen
 *  is always among them, and is no search itself. */
export function useDomainNames(typed: string, chosen: string | null, enabled = true): string[] {
	const [search] = useDebouncedValue(typed === chosen ? "" : typed.trim(), 200);
	const found = useDomains(search, enabled).data?.items ?? [];
	return [...new Set([...found.map((d) => d.name), ...(chosen ? [chosen] : [])])];
}

/** The domain of something new until another one is chosen: what the top bar
 *  has, or the only one there is. */
export function useLikelyDomain(): string | null {
	const { domain } = useWho();
	const items = useDomains("").data?.items;
	return domain ?? (items?.length === 1 ? items[0]!.name : null);
}

interface DomainFieldProps {
	attempt: Attempt;
	value: string | null;
	onChange: (name: string) => void;
	className?: string;
}

export function DomainField({ attempt, value, onChange, className }: DomainFieldProps) {
	const { say } = useWords();
	const [typed, setTyped] = useState("");
	const names = useDomainNames(typed, value);
	return (
		<Select
			className={className}
			label={say("domain")}
			data-field="domain"
			error={attempt.errorOf("domain")}
			required
			searchable
			// What was typed and not picked is meant, too.
			selectFirstOptionOnChange
			autoSelectOnBlur
			allowDeselect={false}
			value={value}
			data={names}
			filter={({ options }) => options}
			onSearchChange={setTyped}
			onChange={(name) => name && onChange(name)}
			nothingFoundMessage={say("searchNothing")}
			maxDropdownHeight={320}
		/>
	);
}
