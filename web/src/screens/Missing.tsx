import { Page } from "../parts/page";
import { useWords } from "../words";

/** Where no screen is. */
export function Missing() {
	const { say } = useWords();
	return (
		<Page title={say("notFound")}>
			<section className="card">
				<p className="hint">{say("notFoundHint")}</p>
			</section>
		</Page>
	);
}
