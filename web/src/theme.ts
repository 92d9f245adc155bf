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
		// Their <header> is none of the page's landmarks.
		Modal: {
			defaultProps: {
				lockScroll: false,
				centered: true,
				radius: "lg",
				attributes: { header: { role: "presentation" } },
			},
		},
		Drawer: {
			defaultProps: { lockScroll: false, attributes: { header: { role: "presentation" } } },
		},
		// A box one ticks has corners, unlike one of several to choose from.
		Checkbox: { defaultProps: { radius: 4 } },
		Select: { defaultProps: { allowDeselect: false, checkIconPosition: "right" } },
	},
});
