import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { testRelay } from "../api";
import type { RelayTestReport } from "../api";
import { sentence } from "../refusals";
import { useWords } from "../words";
import type { Word } from "../words";

type Host = RelayTestReport["items"][number];
type Asked = NonNullable<Host["known_address"]>;
type Outcomes = Record<Asked["outcome"], Word>;

const unknownWords: Outcomes = {
	refused: "testUnknownRefused",
	denied: "testDenied",
	accepted: "testUnknownAccepted",
	unsure: "testUnsure",
};
const knownWords: Outcomes = {
	refused: "testKnownRefused",
	denied: "testDenied",
	accepted: "testKnownAccepted",
	unsure: "testUnsure",
};

/** Mail that is sent there would come back. */
function bounces({ unknown_address, known_address }: Host): boolean {
	return (
		unknown_address?.outcome === "denied" ||
		known_address?.outcome === "denied" ||
		known_address?.outcome === "refused"
	);
}

function AskedAddress({ title, asked, words }: { title: Word; asked: Asked; words: Outcomes }) {
	const { say } = useWords();
	return (
		<>
			<dt>{say(title)}</dt>
			<dd className="breakable">
				{say(words[asked.outcome], { address: asked.address })}
				<div className="hint mono">{asked.reply}</div>
			</dd>
		</>
	);
}

function HostReport({ host }: { host: Host }) {
	const { say } = useWords();
	const good = host.connected && !host.problem && !bounces(host);
	return (
		<li className={`notice ${good ? "here" : "bad"}`}>
			<div className="row">
				<strong className="breakable">{host.host}</strong>
				<span className={`tag ${host.connected ? "here" : "bad"}`}>
					{say(host.connected ? "testOk" : "testFailed")}
				</span>
				{host.address && <span className="hint mono">{host.address}</span>}
			</div>
			{host.reason && <p className="breakable">{say(`trial_${host.reason}`, host.values)}</p>}
			{host.connected && (
				<dl className="facts" style={{ marginTop: 6 }}>
					<dt>{say("testBanner")}</dt>
					<dd className="mono">{host.banner ?? "—"}</dd>
					<dt>{say("testTls")}</dt>
					<dd>
						{host.tls
							? `${host.tls.version}, ${say(host.tls.verified ? "testTlsVerified" : "testTlsUnverified")}`
							: say("testTlsNone")}
					</dd>
					{host.unknown_address && (
						<AskedAddress title="testUnknown" asked={host.unknown_address} words={unknownWords} />
					)}
					{host.known_address && (
						<AskedAddress title="testKnown" asked={host.known_address} words={knownWords} />
					)}
				</dl>
			)}
		</li>
	);
}

type Tested = Parameters<typeof testRelay>[0];

interface Tried extends Tested {
	/** Said while there is nothing to test. */
	missing: string;
}

/** Tries a relay as it is typed, before it is saved, and by the rules that are typed with it. */
export function RelayTest({ hosts, missing, ...rest }: Tried) {
	const { say } = useWords();
	const cache = useQueryClient();
	const asked = JSON.stringify({ hosts: hosts.trim(), ...rest });
	const test = useMutation({
		mutationFn: () => testRelay({ hosts: hosts.trim(), ...rest }),
		// The overview knows of it, too.
		onSuccess: () => void cache.invalidateQueries({ queryKey: ["overview"] }),
	});
	// What was found is about what was typed then.
	useEffect(() => test.reset(), [asked]);

	return (
		<div className="stack tight">
			<div className="row">
				<Button
					variant="light"
					loading={test.isPending}
					disabled={!hosts.trim()}
					onClick={() => test.mutate()}
				>
					{say("test")}
				</Button>
				<span className="hint small" style={{ flex: "1 1 200px" }}>
					{hosts.trim() ? say("testHint") : missing}
				</span>
			</div>
			<div role="status">
				{test.isPending && <p className="hint">{say("testRunning")}</p>}
				{test.isError && <p className="notice bad">{sentence(test.error, say)}</p>}
				{test.data && (
					<ul className="stack tight" style={{ listStyle: "none", margin: 0, padding: 0 }}>
						{test.data.items.map((host) => (
							<HostReport key={`${host.host} ${host.address}`} host={host} />
						))}
					</ul>
				)}
			</div>
		</div>
	);
}
