import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// What the console serves: index.html and assets/, nothing inline (its
// Content-Security-Policy allows its own files only).
export default defineConfig({
	plugins: [react()],
	build: {
		outDir: "dist",
		assetsInlineLimit: 0,
		modulePreload: { polyfill: false },
		chunkSizeWarningLimit: 900,
	},
	server: {
		// `npm run dev` beside a running Splitmail.
		proxy: { "/api": process.env.SPLITMAIL_CONSOLE ?? "http://127.0.0.1:20080" },
	},
});
