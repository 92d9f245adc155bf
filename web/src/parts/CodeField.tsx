import { TextInput } from "@mantine/core";
import { useRef, useState } from "react";
import { useWords } from "../words";

interface CodeFieldProps {
	value: string;
	onType: (code: string) => void;
	error: string | null;
	/** A recovery code will do, too. */
	orRecovery?: boolean;
	autoFocus?: boolean;
	size?: string;
}

/** The code of a second factor. */
export function CodeField({ value, onType, error, orRecovery, autoFocus, size }: CodeFieldProps) {
	const { say } = useWords();
	const [recovery, setRecovery] = useState(false);
	const field = useRef<HTMLInputElement>(null);
	return (
		<div className="stack tight">
			<TextInput
				ref={field}
				label={say(recovery ? "recoveryCode" : "code")}
				description={say(recovery ? "recoveryCodeHint" : "codeHint")}
				data-field="code"
				error={error}
				value={value}
				onChange={(e) => onType(e.currentTarget.value)}
				autoComplete={recovery ? "off" : "one-time-code"}
				inputMode={recovery ? "text" : "numeric"}
				autoCapitalize="none"
				spellCheck={false}
				autoFocus={autoFocus}
				size={size}
			/>
			{orRecovery && (
				<div className="small">
					<button
						type="button"
						className="link"
						onClick={() => {
							setRecovery(!recovery);
							onType("");
							field.current?.focus();
						}}
					>
						{say(recovery ? "useCode" : "useRecoveryCode")}
					</button>
				</div>
			)}
		</div>
	);
}
