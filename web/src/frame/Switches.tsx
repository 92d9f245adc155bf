import { useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { Icon } from "../parts/icons";
import { useWords } from "../words";

/** Language and theme: each is one button that says what it changes to. */
export function Switches({ className = "bar-button" }: { className?: string }) {
	const { language, setLanguage, say } = useWords();
	const { setColorScheme } = useMantineColorScheme();
	const scheme = useComputedColorScheme("light");
	const other = language === "en" ? "fr" : "en";

	return (
		<>
			<button
				type="button"
				className={className}
				lang={other}
				onClick={() => setLanguage(other)}
			>
				{other === "fr" ? "Français" : "English"}
			</button>
			<button
				type="button"
				className={className}
				onClick={() => setColorScheme(scheme === "dark" ? "light" : "dark")}
				aria-label={say(scheme === "dark" ? "lightTheme" : "darkTheme")}
				title={say(scheme === "dark" ? "lightTheme" : "darkTheme")}
			>
				<Icon name={scheme === "dark" ? "sun" : "moon"} />
			</button>
		</>
	);
}
