/*
 * How every form behaves: it keeps what was typed, says what was refused at
 * the field it is about, and moves there.  A field is found by its
 * data-field; what belongs to no field of the form is said above it.
 */
import { Button } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import type { FormEvent, ReactNode } from "react";
import { Problem } from "../api";
import { sentence } from "../refusals";
import { useWords } from "../words";

export interface Attempt {
	busy: boolean;
	problem: Problem | null;
	/** What was refused about this field, in words. */
	errorOf: (...fields: string[]) => string | null;
	/** Run it; true when it is done.  Shows everything anew afterwards. */
	run: (what: () => Promise<unknown>) => Promise<boolean>;
	refuse: (field: string, detail: string) => void;
	/** What was refused elsewhere than in run(). */
	show: (problem: Problem) => void;
	forget: () => void;
}

export function useAttempt(): Attempt {
	const { say } = useWords();
	const cache = useQueryClient();
	const [busy, setBusy] = useState(false);
	const [problem, setProblem] = useState<Problem | null>(null);

	return {
		busy,
		problem,
		errorOf: (...fields) =>
			problem?.field && fields.includes(problem.field) ? sentence(problem, say) : null,
		async run(what) {
			setBusy(true);
			setProblem(null);
			try {
				await what();
				return true;
			} catch (e) {
				if (!(e instanceof Problem)) throw e;
				setProblem(e);
				return false;
			} finally {
				setBusy(false);
				// Something may have been done by one that failed, too.
				void cache.invalidateQueries();
			}
		},
		refuse: (field, detail) => setProblem(new Problem(422, detail, field)),
		show: setProblem,
		forget: () => setProblem(null),
	};
}

interface FormProps {
	attempt: Attempt;
	onSubmit: () => void;
	children: ReactNode;
	label?: string;
}

export function Form({ attempt, onSubmit, children, label }: FormProps) {
	const { say } = useWords();
	const form = useRef<HTMLFormElement>(null);
	const [homeless, setHomeless] = useState(false);
	const { problem } = attempt;

	useEffect(() => {
		if (!problem) return setHomeless(false);
		const field =
			problem.field &&
			form.current?.querySelector<HTMLElement>(`[data-field~="${CSS.escape(problem.field)}"]`);
		setHomeless(!field);
		if (field) field.focus();
	}, [problem]);

	return (
		<form
			ref={form}
			noValidate
			aria-label={label}
			onSubmit={(e: FormEvent) => {
				e.preventDefault();
				e.stopPropagation();
				if (!attempt.busy) onSubmit();
			}}
		>
			<div role="alert">
				{problem && homeless && <p className="notice bad">{sentence(problem, say)}</p>}
			</div>
			<div className="stack">{children}</div>
		</form>
	);
}

interface SaveBarProps {
	of: { attempt: Attempt; dirty: boolean; cancel: () => void };
	/** What Save will do, in words. */
	effect?: ReactNode;
}

export function SaveBar({ of, effect }: SaveBarProps) {
	const { say } = useWords();
	return (
		<div className="save-bar">
			<div className="effect" aria-live="polite">
				{of.dirty && <strong>{effect || say("unsaved")}</strong>}
			</div>
			<Button variant="default" onClick={of.cancel} disabled={of.attempt.busy}>
				{say("cancel")}
			</Button>
			<Button type="submit" loading={of.attempt.busy}>
				{say("save")}
			</Button>
		</div>
	);
}

/** "a, b" as a list, and back. */
export const listOf = (text: string) =>
	text.split(/[\s,;]+/).filter((word) => word.length > 0);
export const textOf = (list: string[]) => list.join(", ");

/** Bytes as an administrator writes them: 10G, 500M, or the number. */
export function sizeText(bytes: number): string {
	if (bytes === 0) return "";
	for (const [letter, shift] of [["T", 4], ["G", 3], ["M", 2], ["K", 1]] as const)
		if (bytes % 1024 ** shift === 0) return `${bytes / 1024 ** shift}${letter}`;
	return String(bytes);
}
export const sizeOf = (text: string) => text.trim() || 0;
