import { TextInput } from "@mantine/core";
import { useWords } from "../words";
import { CheckField } from "./CheckField";
import type { fieldsOf } from "./fields";
import { addressesOf } from "./pasted";

/** What the API says in one list: logins, and of a group the word "members". */
export const sendersDraft = (senders: string[]) => ({
	members_send: senders.includes("members"),
	senders: senders.filter((who) => who !== "members").join(", "),
});

export const sendersList = (draft: ReturnType<typeof sendersDraft>) => [
	...(draft.members_send ? ["members"] : []),
	...addressesOf(draft.senders),
];

interface SendersFieldsProps {
	field: ReturnType<typeof fieldsOf<ReturnType<typeof sendersDraft>>>;
	ofGroup?: boolean;
	disabled: boolean;
}

/** Who may send as a group or a shared mailbox. */
export function SendersFields({ field, ofGroup, disabled }: SendersFieldsProps) {
	const { say } = useWords();
	return (
		<>
			{ofGroup && (
				<CheckField
					label={say("membersSend")}
					{...field.check("members_send")}
					disabled={disabled}
				/>
			)}
			<TextInput
				label={say("senders")}
				description={say(ofGroup ? "sendersOfGroupHint" : "sendersHint")}
				{...field.text("senders")}
				disabled={disabled}
				autoCapitalize="none"
				spellCheck={false}
			/>
		</>
	);
}
