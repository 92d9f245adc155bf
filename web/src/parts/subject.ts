/*
 * The subject as it is written in a header, for people (RFC 2047).
 */

function bytesOf(encoding: string, text: string): Uint8Array {
	if (encoding.toUpperCase() === "B") return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
	const plain = text
		.replace(/_/g, " ")
		.replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
	return Uint8Array.from(plain, (c) => c.charCodeAt(0));
}

const word = /=\?([^?\s]+)\?([BbQq])\?([^?\s]*)\?=/g;

/** A word that cannot be read stays as it is. */
function decoded(text: string): string {
	return text
		.replace(/\?=\s+=\?/g, "?==?")
		.replace(word, (whole, charset: string, encoding: string, encoded: string) => {
			try {
				return new TextDecoder(charset.split("*")[0]).decode(bytesOf(encoding, encoded));
			} catch {
				return whole;
			}
		});
}

/** As people read it; empty: there is none. */
export const subjectText = (written: string) => decoded(written.trim());
