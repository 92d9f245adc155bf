import { createTheme } from "@mantine/core";

// The variables of these colours are written out in style.css: the content
// security policy lets no script make a style sheet.
export const theme = createTheme({
	primaryColor: "teal",
	primaryShade: { light: 9, dark: 8 },
	defaultRadius: "md",
	cursorType: "pointer",
	fontFamily: "var(--font)",
	headings: { fontFamily: "var(--font)", fontWeight: "650" },
	components: {
		Modal: { defaultProps: { lockScroll: false, centered: true, radius: "lg" } },
		Drawer: { defaultProps: { lockScroll: false } },
		Select: { defaultProps: { allowDeselect: false, checkIconPosition: "right" } },
	},
});
