/*
 * The addresses of a user, group or shared mailbox.  For a user elsewhere
 * each has a check box (is it routed there?), for a user here a home.  Both
 * settings are kept whatever is shown: changing the mail system to and fro
 * loses nothing.
 */
import { ActionIcon, Button, Checkbox, Select, TextInput } from "@mantine/core";
import { useRef } from "react";
import type { Address, Home } from "../api";
import type { Attempt } from "./form";
import { useWords } from "../words";
import type { Word } from "../words";
import { Icon } from "./icons";
import { takeApart } from "./pasted";

export interface Row {
	key: string;
	left: string;
	name: string;
	fixed: boolean;
	default: boolean;
	routed: boolean;
	home: Home;
}

export type Show = "hosted" | "alternate" | "plain";

const homes: Record<Home, Word> = {
	hosted: "homeHosted",
	alternate: "homeAlternate",
	both: "homeBoth",
	none: "homeNone",
};

export const rowsOf = (addresses: Address[]): Row[] =>
	addresses.map((a) => {
		const at = a.address.lastIndexOf("@");
		return {
			key: a.address,
			left: a.address.slice(0, at),
			name: a.address.slice(at + 1),
			fixed: true,
			default: a.default,
			routed: a.routed ?? true,
			home: a.home ?? "hosted",
		};
	});

/** A whole address may have been typed into the left part. */
export function spelled(row: Row): string {
	const { left, domain } = takeApart(row.left);
	return row.fixed || !domain ? `${row.left.trim()}@${row.name}` : `${left}@${domain}`;
}

/** As the API takes them; routed and home are a user's only. */
export const settingsOf = (rows: Row[], ofUser: boolean) =>
	rows.map((row) => ({
		address: spelled(row),
		...(ofUser && { routed: row.routed, home: row.home }),
	}));

interface AddressTableProps {
	label: string;
	rows: Row[];
	/** Name and aliases of the domain. */
	names: string[];
	show: Show;
	/** The home "elsewhere" makes sense only when there is an elsewhere. */
	elsewhere?: boolean;
	readOnly?: boolean;
	errorOf: Attempt["errorOf"];
	onChange: (rows: Row[]) => void;
}

export function AddressTable({ label, rows, names, show, elsewhere = false, readOnly = false, errorOf, onChange }: AddressTableProps) {
	const { say } = useWords();
	const box = useRef<HTMLDivElement>(null);
	const routed = rows.filter((row) => row.routed).length;
	// On all aliases, an address is shown with the domain's own name.
	const shown = (row: Row) => (row.name === "*" ? `${row.left}@${names[0]}` : spelled(row));
	const put = (key: string, change: Partial<Row>) =>
		onChange(rows.map((row) => (row.key === key ? { ...row, ...change } : row)));

	/** A whole address is taken apart, when its domain is one of these. */
	function settle(row: Row) {
		const { left, domain } = takeApart(row.left);
		const name = names.find((one) => one === domain.toLowerCase());
		if (name) put(row.key, { left, name });
	}

	// The API names an entry by its place.  What no field of a row is for is
	// said of the whole table.
	const others = rows.flatMap((row, i) => [
		`addresses/${i}`,
		`addresses/${i}/routed`,
		...(row.fixed ? [`addresses/${i}/address`] : []),
		...(show === "hosted" ? [] : [`addresses/${i}/home`]),
	]);
	const fields = ["addresses", "address", ...others];
	const error = errorOf(...fields);

	function add() {
		onChange([
			...rows,
			{
				key: `new ${Date.now()}`,
				left: "",
				name: names[0] ?? "",
				fixed: false,
				default: false,
				routed: true,
				home: "hosted",
			},
		]);
		setTimeout(() => {
			const fresh = box.current?.querySelectorAll<HTMLInputElement>("tr .left-part > :first-child input");
			fresh?.[fresh.length - 1]?.focus();
		});
	}

	return (
		<div className="stack tight" ref={box}>
			<div className="addresses" data-field={fields.join(" ")} tabIndex={-1} aria-label={label} role="group">
				<table className="table folds">
					<thead>
						<tr>
							{show === "alternate" && (
								<th scope="col" className="pick">
									<Checkbox
										aria-label={say(routed === rows.length ? "selectNone" : "selectAll")}
										checked={routed === rows.length}
										indeterminate={routed > 0 && routed < rows.length}
										disabled={readOnly}
										onChange={(e) => {
											const all = e.currentTarget.checked;
											onChange(rows.map((row) => ({ ...row, routed: all })));
										}}
									/>
								</th>
							)}
							<th scope="col">{say("address")}</th>
							{show === "hosted" && <th scope="col">{say("homeColumn")}</th>}
							<th scope="col"><span className="for-readers">{say("remove")}</span></th>
						</tr>
					</thead>
					<tbody>
						{rows.map((row, i) => (
							<tr key={row.key}>
								{show === "alternate" && (
									<td className="pick">
										<Checkbox
											aria-label={say("routeAddress", { address: shown(row) })}
											checked={row.routed}
											disabled={readOnly}
											onChange={(e) => put(row.key, { routed: e.currentTarget.checked })}
										/>
									</td>
								)}
								<td className="full">
									{row.fixed ? (
										<span className="row" style={{ gap: 8 }}>
											<span className={`breakable ${show === "alternate" && !row.routed ? "unrouted" : ""}`}>
												{shown(row)}
											</span>
											{row.name === "*" && names.length > 1 && (
												<span className="tag plain here">{say("allAliases")}</span>
											)}
											{row.default && <span className="tag plain">{say("defaultAddress")}</span>}
										</span>
									) : (
										<span className="left-part">
											<TextInput
												aria-label={say("newAddressLeft")}
												data-field={`addresses/${i}/address`}
												error={errorOf(`addresses/${i}/address`)}
												value={row.left}
												onChange={(e) => put(row.key, { left: e.currentTarget.value })}
												onBlur={() => settle(row)}
												autoCapitalize="none"
												spellCheck={false}
											/>
											<span aria-hidden="true">@</span>
											<Select
												aria-label={say("newAddressDomain")}
												data={[
													{ value: "*", label: say("allAliases") },
													...names.map((name) => ({ value: name, label: name })),
												]}
												value={row.name}
												onChange={(name) => name && put(row.key, { name })}
											/>
										</span>
									)}
								</td>
								{show === "hosted" && (
									<td>
										<Select
											aria-label={say("homeOf", { address: shown(row) })}
											data-field={`addresses/${i}/home`}
											error={errorOf(`addresses/${i}/home`)}
											size="xs"
											data={(Object.keys(homes) as Home[]).map((home) => ({
												value: home,
												label: say(homes[home]),
												disabled: !elsewhere && (home === "alternate" || home === "both") && row.home !== home,
											}))}
											value={row.home}
											onChange={(home) => home && put(row.key, { home: home as Home })}
											disabled={readOnly}
										/>
									</td>
								)}
								<td className="number">
									{!row.default && !readOnly && (
										<ActionIcon
											variant="subtle"
											color="gray"
											size="lg"
											aria-label={say("removeAddress", { address: shown(row) })}
											title={say("remove")}
											onClick={() => onChange(rows.filter((other) => other !== row))}
										>
											<Icon name="trash" size={17} />
										</ActionIcon>
									)}
								</td>
							</tr>
						))}
					</tbody>
				</table>
			</div>
			<div role="alert">{error && <p className="notice bad">{error}</p>}</div>
			{!readOnly && (
				<div className="row">
					<Button variant="default" size="xs" leftSection={<Icon name="plus" size={15} />} onClick={add}>
						{say("addAddress")}
					</Button>
					{show === "alternate" && (
						<>
							<Button variant="subtle" size="xs" onClick={() => onChange(rows.map((row) => ({ ...row, routed: true })))}>
								{say("selectAll")}
							</Button>
							<Button variant="subtle" size="xs" onClick={() => onChange(rows.map((row) => ({ ...row, routed: false })))}>
								{say("selectNone")}
							</Button>
						</>
					)}
				</div>
			)}
		</div>
	);
}
