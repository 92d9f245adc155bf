/*
 * A list one adds to by typing into a box.  Add takes what is in the box, and
 * so does Save: nothing that was typed is left out.
 *
 * The box is part of the draft, so that it counts as typed and comes back with
 * it:
 *
 *	draft:   { members: boxOf(group.members) }
 *	change:  { members: whole(draft.members) }
 */
import { ActionIcon, Button, TextInput } from "@mantine/core";
import { useWords } from "../words";
import { Icon } from "./icons";
import { addressesOf } from "./pasted";

export interface Boxed {
	list: string[];
	box: string;
}

export const boxOf = (list: string[]): Boxed => ({ list, box: "" });

/** The list with what stands in the box. */
export function whole({ list, box }: Boxed): string[] {
	return [...new Set([...list, ...addressesOf(box)])];
}

interface ListBoxProps {
	value: Boxed;
	onChange: (value: Boxed) => void;
	/** What may be typed, and the words of the buttons. */
	label: string;
	add: string;
	remove: (item: string) => string;
	/** Said when the list is empty. */
	empty?: string;
	/** Names of the fields the API refuses it by. */
	fields: string;
	error: string | null;
	readOnly?: boolean;
}

export function ListBox({ value, onChange, label, add, remove, empty, fields, error, readOnly }: ListBoxProps) {
	const { say } = useWords();
	const take = () => onChange(boxOf(whole(value)));
	return (
		<>
			{value.list.length === 0 ? (
				empty && <p className="notice">{empty}</p>
			) : (
				<ul className="addresses list-box">
					{value.list.map((item) => (
						<li key={item} className="row">
							<span className="breakable grow">{item}</span>
							{!readOnly && (
								<ActionIcon
									variant="subtle"
									color="gray"
									size="lg"
									aria-label={remove(item)}
									onClick={() => onChange({ ...value, list: value.list.filter((other) => other !== item) })}
								>
									<Icon name="trash" size={17} />
								</ActionIcon>
							)}
						</li>
					))}
				</ul>
			)}
			{!readOnly && (
				<div className="row" style={{ alignItems: "flex-start" }}>
					<TextInput
						className="grow"
						aria-label={label}
						placeholder={label}
						description={value.box.trim() ? say("boxCounts") : undefined}
						inputWrapperOrder={["label", "input", "description", "error"]}
						data-field={fields}
						error={error}
						value={value.box}
						onChange={(e) => onChange({ ...value, box: e.currentTarget.value })}
						onKeyDown={(e) => {
							if (e.key !== "Enter" || !value.box.trim()) return;
							e.preventDefault();
							take();
						}}
						autoCapitalize="none"
						spellCheck={false}
					/>
					<Button variant="default" onClick={take}>
						{add}
					</Button>
				</div>
			)}
		</>
	);
}
