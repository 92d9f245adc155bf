import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "uplot/dist/uPlot.min.css";
import "./style.css";
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import {
	Query,
	QueryCache,
	QueryClient,
	QueryClientProvider,
} from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { Problem, watchSession } from "./api";
import { theme } from "./theme";
import { WordsProvider } from "./words";

/** What is not there any more is shown no longer; after any other failure
 *  what was read stays on the screen. */
function onReadError(error: unknown, query: Query<unknown, unknown, unknown>) {
	if (!(error instanceof Problem && error.status === 404)) return;
	query.setState({ data: undefined });
	if (query.queryKey[0] !== "selected-domain")
		void cache.invalidateQueries({ queryKey: ["selected-domain"] });
}

const cache = new QueryClient({
	queryCache: new QueryCache({ onError: onReadError }),
	defaultOptions: {
		queries: {
			staleTime: 2000,
			retry: (n, e) => n < 1 && e instanceof Problem && e.status === 0,
		},
	},
});

// A session that has ended shows the door; the place is kept.
watchSession(() => void cache.invalidateQueries({ queryKey: ["session"] }));

createRoot(document.getElementById("root")!).render(
	<StrictMode>
		<MantineProvider
			theme={theme}
			defaultColorScheme="auto"
			withCssVariables={false}
			withGlobalClasses={false}
		>
			<WordsProvider>
				<QueryClientProvider client={cache}>
					<>
						<App />
					</>
					<Notifications position="bottom-right" containerWidth={320} />
				</QueryClientProvider>
			</WordsProvider>
		</MantineProvider>
	</StrictMode>,
);
