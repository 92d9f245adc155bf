/*
 * Addresses as people paste them: "Fred <fred@example.org>", a whole line of
 * them out of a mail program, or plain ones.
 */

/** Of one: its parts, as far as they are there. */
export interface Pasted {
	name: string;
	left: string;
	/** Empty: only a left part was given. */
	domain: string;
}

export function takeApart(text: string): Pasted {
	const angled = /^(.*?)<([^<>]*)>\s*$/.exec(text.trim());
	const name = (angled?.[1] ?? "").trim().replace(/^"(.*)"$/, "$1");
	const address = (angled?.[2] ?? text).trim().replace(/^mailto:/i, "");
	const at = address.lastIndexOf("@");
	return at < 0
		? { name, left: address, domain: "" }
		: { name, left: address.slice(0, at), domain: address.slice(at + 1) };
}

/** Of many, separated by commas, semicolons, spaces or lines: the addresses. */
export function addressesOf(text: string): string[] {
	return text
		.replace(/"[^"]*"(?=\s*<)/g, "")
		.split(/[,;\n]+/)
		.flatMap((part) => {
			const angled = /<([^<>]*)>/.exec(part);
			return angled ? [angled[1]!.trim()] : part.split(/\s+/);
		})
		.filter((word) => word.length > 0);
}
