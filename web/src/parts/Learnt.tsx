import type { Learnt as Fact } from "../api";
import { useWords } from "../words";
import type { Word } from "../words";

const words: Record<Fact["what"], Word> = {
	connections: "learnt_connections",
	mails_per_connection: "learnt_mails_per_connection",
	recipients_per_mail: "learnt_recipients_per_mail",
	no_tls: "learnt_no_tls",
	no_chunking: "learnt_no_chunking",
	no_xclient: "learnt_no_xclient",
	no_parameters: "learnt_no_parameters",
	bans: "learnt_bans",
	refusals: "learnt_refusals",
	silent: "learnt_silent",
};
const refusals: Record<string, Word> = {
	at_rcpt: "learnt_at_rcpt",
	accepts_all: "learnt_accepts_all",
	whole_message: "learnt_whole_message",
};

const wordOf = ({ what, value }: Fact): Word =>
	(what === "refusals" && refusals[String(value)]) || words[what];

/** As in the log: "mx.b.example[192.0.2.1]:25". */
function hostOf({ host, name }: Fact) {
	const port = host.lastIndexOf(":");
	const address = host.slice(0, port);

	if (!name || port < 0)
		return host;
	return name + (address.startsWith("[") ? address : `[${address}]`) + host.slice(port);
}

/** What a system's or relay's hosts have shown of themselves; null: nobody can say. */
export function Learnt({ facts }: { facts: Fact[] | null | undefined }) {
	const { say, relative } = useWords();

	if (!facts || facts.length === 0)
		return <p className="hint small">{say(facts ? "learntNothing" : "learntUnknown")}</p>;
	return (
		<ul aria-label={say("learntTitle")}>
			{facts.map((fact) => (
				<li key={`${fact.host} ${fact.what}`} className="breakable">
					{say(wordOf(fact), { host: hostOf(fact), n: Number(fact.value ?? 0), value: String(fact.value ?? "") })}{" "}
					<span className="hint small">
						{say("learntWhen", { since: relative(fact.since), until: relative(fact.until) })}
					</span>
				</li>
			))}
		</ul>
	);
}
