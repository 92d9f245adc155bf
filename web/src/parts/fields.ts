import type { ChangeEvent } from "react";
import type { Attempt } from "./form";

type KeysOf<D, V> = { [K in keyof D]: D[K] extends V ? K : never }[keyof D] & string;

interface Source<D> {
	attempt: Attempt;
	draft: D;
	type: (typed: Partial<D>) => void;
}

/**
 * What ties an input to a member of the draft: its value, what was refused of
 * it, and what typing does.
 *
 *	const field = fieldsOf({ attempt, draft, type });
 *	<TextInput label={say("relay")} {...field.text("relay")} />
 */
export function fieldsOf<D extends object>({ attempt, draft, type }: Source<D>) {
	const put = (name: string, value: unknown) => type({ [name]: value } as Partial<D>);
	const said = (name: string) => ({ "data-field": name, error: attempt.errorOf(name) });

	return {
		text: (name: KeysOf<D, string>) => ({
			...said(name),
			value: draft[name] as string,
			onChange: (e: ChangeEvent<HTMLInputElement | HTMLTextAreaElement>) =>
				put(name, e.currentTarget.value),
		}),
		check: (name: KeysOf<D, boolean>) => ({
			...said(name),
			checked: draft[name] as boolean,
			onChange: (e: ChangeEvent<HTMLInputElement>) => put(name, e.currentTarget.checked),
		}),
		choice: (name: KeysOf<D, string>) => ({
			...said(name),
			value: draft[name] as string,
			onChange: (value: string | null) => put(name, value ?? ""),
		}),
	};
}
