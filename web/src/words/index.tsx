import { createContext, useContext, useEffect, useMemo, useState } from "react";
import type { ReactNode } from "react";
import type { Fact, Reason, Values } from "../api";
import { en } from "./en";
import type { Word } from "./en";
import { facts as factsEn } from "./facts.en";
import { facts as factsFr } from "./facts.fr";
import { fr } from "./fr";
import { refusals as refusalsEn } from "./refusals.en";
import { refusals as refusalsFr } from "./refusals.fr";

export type { Word } from "./en";
export type Language = "en" | "fr";

export interface Say {
	(word: Word, values?: Values): string;
	// Nothing for what these pages are too old to know.
	refusal: (reason: Reason, values: Values) => string | undefined;
	fact: (id: Fact, values: Values) => string | undefined;
}

interface Book {
	words: Record<Word, string>;
	refusals: Record<Reason, string>;
	facts: Record<Fact, string>;
}

const books: Record<Language, Book> = {
	en: { words: en, refusals: refusalsEn, facts: factsEn },
	fr: { words: fr, refusals: refusalsFr, facts: factsFr },
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
	const { words, refusals, facts } = books[language];
	const fill = filler(language);
	const known = (text: string | undefined, values: Values) => text && fill(text, values);

	return Object.assign(
		(word: Word, values: Values = {}) => fill(words[word], values),
		{
			refusal: (reason: Reason, values: Values) => known(refusals[reason], values),
			fact: (id: Fact, values: Values) => known(facts[id], values),
		},
	);
}

interface Speech {
	language: Language;
	setLanguage: (language: Language) => void;
	say: Say;
	time: (iso: string | null) => string;
	/** The hour of today, else date and time. */
	moment: (iso: string) => string;
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
			dateStyle: "medium",
			timeStyle: "medium",
		});
		const hours = new Intl.DateTimeFormat(language, { timeStyle: "short" });
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
