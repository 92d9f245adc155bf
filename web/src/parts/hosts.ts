const label = "[\\p{L}\\p{N}_]([\\p{L}\\p{N}_-]*[\\p{L}\\p{N}_])?";
const named = new RegExp(`^${label}(\\.${label})*\\.?(:\\d{1,5})?$`, "u");
const numbered = /^(\[[0-9a-f:.]+\](:\d{1,5})?|[0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*)$/i;

/** Can it be a list of hosts, as the API takes it?  Only what can is drawn; the
 *  API has the last word. */
export const maybeHosts = (text: string) =>
	text
		.trim()
		.split(/[,\s]+/)
		.every((host) => named.test(host) || numbered.test(host));
