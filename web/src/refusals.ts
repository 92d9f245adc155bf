/*
 * What the API refuses, in the administrator's language.
 *
 * The API says every refusal in English and for scripts, too ("set
 * relay=HOST").  Those that a form of these pages can run into are said here
 * in the words of the form; any other is shown as it came.
 */
import { Problem } from "./api";
import type { Say, Word } from "./words";

const known: [RegExp, Word][] = [
	[/^\d+ users? of \S+ depends? on its relay: (?<names>.*?)\. Make them/, "domainRelayRefused"],
	[/^Unknown addresses cannot be forwarded without a relay/, "forwardNeedsRelay"],
	[/forwards unknown addresses to its relay/, "relayNeededByForward"],
	[/^A catch-all leaves no unknown addresses/, "catchAllOrForward"],
	[/has no relay, so there is no alternate mail server/, "userNeedsRelay"],
	[/exists already\.$/, "existsAlready"],
	[/^(?<n>\d+) users match now, not (?<seen>\d+)/, "matchChanged"],
	[/^There is no user /, "noSuchUser"],
	[/^Somebody has changed this user since/, "changedSince"],
	[/, who asked for it, is no administrator any more\.$/, "askerGone"],
	[/, who asked for it, has fewer rights now\.$/, "askerDemoted"],
];

export function sentence(problem: unknown, say: Say): string {
	if (!(problem instanceof Problem)) return String(problem);
	for (const [pattern, word] of known) {
		const match = pattern.exec(problem.detail);
		if (match) return say(word, match.groups);
	}
	switch (problem.status) {
		case 0:
			return say("unreachable");
		case 403:
			return say("notAllowed");
		case 404:
			return say("notFound");
		case 412:
			return say("changedMeanwhile");
		case 429:
			return say("tooManyAttempts", { n: problem.retryAfter ?? 60 });
		case 503:
			return say("ourTrouble", { detail: problem.detail });
		default:
			return problem.detail;
	}
}
