import { useWords } from "../words";

/** How full a mailbox is, "1.2 GB of 2 GB used"; nothing while nobody can say. */
export function Used({ of }: { of: { used?: number | null; quota: number } }) {
	const { say, bytes } = useWords();

	if (of.used === undefined || of.used === null) return null;
	const used = bytes(of.used);
	return (
		<p className="hint small">
			{of.quota > 0 ? say("usedOfQuota", { used, quota: bytes(of.quota) }) : say("usedNoQuota", { used })}
		</p>
	);
}
