import { createContext, useContext, useEffect, useMemo, useState } from "react";
import type { ReactNode } from "react";
import type { Fact, Reason, Remark, TroubleWord, Values } from "../api";
import { en } from "./en";
import type { Word } from "./en";
import { facts as factsEn } from "./facts.en";
import { facts as factsFr } from "./facts.fr";
import { fr } from "./fr";
import { refusals as refusalsEn } from "./refusals.en";
import { refusals as refusalsFr } from "./refusals.fr";
import { remarks as remarksEn } from "./remarks.en";
import { remarks as remarksFr } from "./remarks.fr";
import { troubles as troublesEn } from "./troubles.en";
import { troubles as troublesFr } from "./troubles.fr";

export type { Word } from "./en";

/** Is there such a word?  For what is put together from a value of the API. */
export const isWord = (text: string): text is Word => text in en;
export type Language = "en" | "fr";

export interface Say {
	(word: Word, values?: Values): string;
	// Nothing for what these pages are too old to know.
	refusal: (reason: Reason, values: Values) => string | undefined;
	fact: (id: Fact, values: Values) => string | undefined;
	trouble: (id: TroubleWord, values: Values) => string | undefined;
	remark: (id: Remark, values: Values) => string | undefined;
}

interface Book {
	words: Record<Word, string>;
	refusals: Record<Reason, string>;
	facts: Record<Fact, string>;
	troubles: Record<TroubleWord, string>;
	remarks: Record<Remark, string>;
}

const books: Record<Language, Book> = {
	en: { words: en, refusals: refusalsEn, facts: factsEn, troubles: troublesEn, remarks: remarksEn },
	fr: { words: fr, refusals: refusalsFr, facts: factsFr, troubles: troublesFr, remarks: remarksFr },
};
const remembered = "splitmail-language";

/** What the administrator chose, else the first the browser prefers. */
function firstLanguage(): Language {
	const chosen = localStorage.getItem(remembered);
	if (chosen === "en" || chosen === "fr") return chosen;
	for (const wanted of navigator.languages) {
		if (wanted.startsWith("fr")) return "fr";
		if (wanted.startsWith("en")) return "en";
	}
	return "en";
}

/** Puts values into a text: its "one|other" is chosen by {n}, and a list that
 *  is shorter than {n} ends with "31 more". */
function filler(language: Language) {
	const numbers = new Intl.NumberFormat(language);
	const plural = new Intl.PluralRules(language);
	const lists = new Intl.ListFormat(language);

	return function fill(text: string, values: Values): string {
		const n = Number(values.n ?? 0);
		const [one, other] = text.split("|");
		const said = other !== undefined && plural.select(n) !== "one" ? other : one!;
		return said.replace(/\{(\w+)\}/g, (_, name: string) => {
			const value = values[name];
			if (typeof value === "number") return numbers.format(value);
			if (!Array.isArray(value)) return value ?? "";
			const more = n - value.length;
			const last = more > 0 ? [fill(books[language].words.andMore, { n: more })] : [];
			return lists.format([...value, ...last]);
		});
	};
}

function speaker(language: Language): Say {
	const { words, refusals, facts, troubles, remarks } = books[language];
	const fill = filler(language);
	const known = (text: string | undefined, values: Values) => text && fill(text, values);

	return Object.assign(
		(word: Word, values: Values = {}) => fill(words[word], values),
		{
			refusal: (reason: Reason, values: Values) => known(refusals[reason], values),
			fact: (id: Fact, values: Values) => known(facts[id], values),
			trouble: (id: TroubleWord, values: Values) => known(troubles[id], values),
			remark: (id: Remark, values: Values) => known(remarks[id], values),
		},
	);
}

/** In the unit people would say it in. */
function inUnits(seconds: number): [number, "second" | "minute" | "hour" | "day"] {
	const size = Math.abs(seconds);
	if (size < 90) return [Math.round(seconds), "second"];
	if (size < 90 * 60) return [Math.round(seconds / 60), "minute"];
	if (size < 36 * 3600) return [Math.round(seconds / 3600), "hour"];
	return [Math.round(seconds / 86400), "day"];
}

interface Speech {
	language: Language;
	setLanguage: (language: Language) => void;
	say: Say;
	time: (iso: string | null) => string;
	/** The hour of today, else date and time. */
	moment: (iso: string) => string;
	/** The hour alone. */
	hour: (at: Date) => string;
	/** "12 minutes", "3 hours" */
	span: (seconds: number) => string;
	/** "2 hours ago", "in 22 hours" */
	relative: (iso: string) => string;
	bytes: (n: number) => string;
}

const SpeechContext = createContext<Speech | null>(null);

export function WordsProvider({ children }: { children: ReactNode }) {
	const [language, setLanguage] = useState(firstLanguage);

	useEffect(() => {
		document.documentElement.lang = language;
	}, [language]);

	const speech = useMemo<Speech>(() => {
		const times = new Intl.DateTimeFormat(language, {
			...{ year: "numeric", month: "short", day: "numeric" },
			...{ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" },
		});
		// Of servers one speaks in 24 hours, in either language.
		const hours = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
		const spans = new Intl.RelativeTimeFormat(language);
		const sizes = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
		const units = language === "fr" ? ["o", "Ko", "Mo", "Go", "To"] : ["B", "KB", "MB", "GB", "TB"];
		return {
			language,
			setLanguage(chosen) {
				localStorage.setItem(remembered, chosen);
				setLanguage(chosen);
			},
			say: speaker(language),
			time: (iso) => (iso ? times.format(new Date(iso)) : "—"),
			moment(iso) {
				const at = new Date(iso);
				return at.toDateString() === new Date().toDateString() ? hours.format(at) : times.format(at);
			},
			hour: (at) => hours.format(at),
			span(seconds) {
				const [n, unit] = inUnits(seconds);
				return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "long" }).format(n);
			},
			relative(iso) {
				const [n, unit] = inUnits((Date.parse(iso) - Date.now()) / 1000);
				return spans.format(n, unit);
			},
			bytes(n) {
				let unit = 0;
				while (n >= 1024 && unit < units.length - 1) {
					n /= 1024;
					unit++;
				}
				return `${sizes.format(n)} ${units[unit]}`;
			},
		};
	}, [language]);

	return <SpeechContext.Provider value={speech}>{children}</SpeechContext.Provider>;
}

export function useWords(): Speech {
	const speech = useContext(SpeechContext);
	if (!speech) throw new Error("no WordsProvider");
	return speech;
}
