/*
 * What the API refuses, in the administrator's language: by its reason, which
 * stays what it is however the API words it (words/refusals.*.ts).
 */
import { Problem, Unanswered } from "./api";
import type { Say } from "./words";

export function sentence(problem: unknown, say: Say): string {
	if (!(problem instanceof Problem)) return String(problem);
	const { reason, values, detail, status } = problem;
	if (reason) return say.refusal(reason, values) ?? detail;
	// What a page refuses itself is in the administrator's words already.
	if (detail) return detail;
	if (status) return say("unclear", { status });
	return say(problem instanceof Unanswered ? "unanswered" : "unreachable");
}
