import { Button, PasswordInput } from "@mantine/core";
import type { PasswordInputProps } from "@mantine/core";
import { useState } from "react";
import { useWords } from "../words";
import { CopyButton } from "./CopyButton";

/** Mantine's, which tells readers of a refusal only when it is asked to. */
export function PasswordField(props: PasswordInputProps) {
	return <PasswordInput {...props} aria-invalid={Boolean(props.error)} />;
}

/** As the API has it. */
export const passwordLeast = 8;

// Nothing that is mistaken for something else when it is read out.
const letters = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const groups = 4;
const groupOf = 4;

/** Some 92 bits, in groups that can be read out. */
function generated(): string {
	const text: string[] = [];
	while (text.length < groups * groupOf) {
		const [n] = crypto.getRandomValues(new Uint8Array(1));
		// The rest of a byte would favour the first letters.
		if (n! < 256 - (256 % letters.length)) text.push(letters[n! % letters.length]!);
	}
	return Array.from({ length: groups }, (_, i) =>
		text.slice(i * groupOf, (i + 1) * groupOf).join(""),
	).join("-");
}

interface NewPasswordProps extends PasswordInputProps {
	value: string;
	onMake: (password: string) => void;
	/** A field that may stay empty says so. */
	optional?: boolean;
}

/** For a password that is set: with its rule, and one that is made up. */
export function NewPasswordField({ value, onMake, optional, ...rest }: NewPasswordProps) {
	const { say } = useWords();
	const [visible, show] = useState(false);
	const rule = say("passwordRule", { n: passwordLeast });
	return (
		<div className="row new-password">
			<PasswordField
				{...rest}
				className="grow"
				value={value}
				description={optional ? `${say("optional")}. ${rule}` : rule}
				visible={visible}
				onVisibilityChange={show}
				autoComplete="new-password"
			/>
			<Button
				variant="default"
				onClick={() => {
					onMake(generated());
					show(true);
				}}
			>
				{say("passwordMake")}
			</Button>
			{visible && value && <CopyButton text={async () => value} what={say("password")} />}
		</div>
	);
}
