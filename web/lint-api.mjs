// npm run lint: the API's document under the rules of redocly.yaml, by the
// engine of Redocly's linter.  Each finding is shown where it is in the
// document.  Other documents can be named.
import { formatProblems, getTotals, lint, loadConfig } from "@redocly/openapi-core";

const named = process.argv.slice(2);
const config = await loadConfig({ configPath: "redocly.yaml" });

for (const ref of named.length > 0 ? named : ["../src/console/openapi.json"]) {
	const problems = await lint({ ref, config });
	const totals = getTotals(problems);

	formatProblems(problems, { format: "codeframe", totals, version: "", maxProblems: 50 });
	console.log(`${ref}: ${totals.errors} errors, ${totals.warnings} warnings`);
	if (totals.errors + totals.warnings > 0) process.exitCode = 1;
}
