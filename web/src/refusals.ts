/*
 * What the API refuses, in the administrator's language: by its reason, which
 * stays what it is however the API words it (words/refusals.*.ts).
 */
import { Problem, Unanswered } from "./api";
import type { Reason, Values } from "./api";
import type { Say, Word } from "./words";

const kinds: Record<string, Word> = {
	forward: "ledByForward",
	member: "ledByMember",
	catch_all: "ledByCatchAll",
	postmaster: "ledByPostmaster",
	administrator: "ledByAdministrator",
};

/** "team@example.org (member)": what it is in their words. */
const inWords = (name: string, say: Say) =>
	name.replace(/\((\w+)[^)]*\)$/, (whole, kind: string) => {
		const word = kinds[kind];
		return word ? `(${say(word)})` : whole;
	});

/** The values of a refusal, as far as they are words themselves. */
function worded(reason: Reason, values: Values, say: Say): Values {
	const { names } = values;
	return reason === "others-lead-here" && Array.isArray(names)
		? { ...values, names: names.map((name) => inWords(name, say)) }
		: values;
}

export function sentence(problem: unknown, say: Say): string {
	if (!(problem instanceof Problem)) return String(problem);
	const { reason, values, detail, status } = problem;
	if (reason) return say.refusal(reason, worded(reason, values, say)) ?? detail;
	// What a page refuses itself is in the administrator's words already.
	if (detail) return detail;
	if (status) return say("unclear", { status });
	return say(problem instanceof Unanswered ? "unanswered" : "unreachable");
}
