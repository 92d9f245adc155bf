import { PasswordInput } from "@mantine/core";
import type { PasswordInputProps } from "@mantine/core";

/** Mantine's, which tells readers of a refusal only when it is asked to. */
export function PasswordField(props: PasswordInputProps) {
	return <PasswordInput {...props} aria-invalid={Boolean(props.error)} />;
}
