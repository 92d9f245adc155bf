import { createContext, useContext, useEffect, useMemo, useState } from "react";
import type { ReactNode } from "react";
import { en } from "./en";
import type { Word } from "./en";
import { fr } from "./fr";

export type { Word } from "./en";
export type Language = "en" | "fr";
export type Say = (word: Word, values?: Record<string, string | number>) => string;

const books: Record<Language, Record<Word, string>> = { en, fr };
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

function speaker(language: Language): Say {
	const numbers = new Intl.NumberFormat(language);
	const plural = new Intl.PluralRules(language);
	return (word, values = {}) => {
		let text: string = books[language][word];
		const [one, other] = text.split("|");
		if (other !== undefined)
			text = plural.select(Number(values.n ?? 0)) === "one" ? one! : other;
		return text.replace(/\{(\w+)\}/g, (_, name: string) => {
			const value = values[name];
			return typeof value === "number" ? numbers.format(value) : (value ?? "");
		});
	};
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
