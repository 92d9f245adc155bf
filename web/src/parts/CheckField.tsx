import { Checkbox, Switch } from "@mantine/core";
import type { CheckboxProps, SwitchProps } from "@mantine/core";
import { useId } from "react";

/*
 * Mantine's boxes show description and error; these also say them to readers,
 * as its other fields do.
 */
function described(id: string, { description, error }: Pick<CheckboxProps, "description" | "error">) {
	return {
		description: description && <span id={`${id}-description`}>{description}</span>,
		error: error && <span id={`${id}-error`}>{error}</span>,
		"aria-invalid": Boolean(error),
		"aria-describedby":
			[error && `${id}-error`, description && `${id}-description`].filter(Boolean).join(" ") ||
			undefined,
	};
}

export function CheckField(props: CheckboxProps) {
	return <Checkbox {...props} {...described(useId(), props)} />;
}

export function SwitchField(props: SwitchProps) {
	return <Switch {...props} {...described(useId(), props)} />;
}
