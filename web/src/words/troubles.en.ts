import type { TroubleWord } from "../api";

// What is wrong with the server.  A value in braces is one that the API gives
// with it; "one|other" is chosen by {n}.
export const troubles: Record<TroubleWord, string> = {
	"engine-down": "The mail engine does not answer: no mail comes in.",
	"disk-low":
		"{free} MiB are free where the queue lies. Below {least} MiB no mail is taken; senders try again later.",
	"files-low":
		"Only {free} more files can be made where the queue lies. Below {least} no mail is taken; senders try again later.",
	"mail-disk-low": "{free} MiB are free where the mailboxes lie. When there is nothing, mail for them waits.",
	"disk-read-only": "The disk where the queue lies can only be read: no mail is taken; senders try again later.",
	"queue-stuck": "The queue cannot be written: no mail is taken; senders try again later.",
	"queue-unreadable": "Some of the queue cannot be read: what waits there is not sent.",
	"directory-unreadable": "The directory cannot be read: no mail is taken; senders try again later.",
	"directory-damaged":
		"The directory is damaged. Mail for those who are not found in it is put off until it is repaired or restored.",
	"names-not-validated":
		"What the name servers say cannot be validated (DNSSEC): mail for other servers waits.",
	"filter-stops": "The filter {filter} does not answer: mail from outside is put off; senders try again later.",
	"filter-puts-off":
		"The filter {filter} does not answer: mail that has to pass it is put off; senders try again later.",
	"filter-holds": "The filter {filter} does not answer: mail that has to pass it is held in the queue.",
	"filter-passed-by": "The filter {filter} does not answer: mail goes on without it.",
	"certificate-ended": "The certificate has ended, on {at}: mail programs refuse it.",
	"certificate-ends": "The certificate ends in {n} day, on {at}.|The certificate ends in {n} days, on {at}.",
	"named-certificate-ended": "The certificate {name} has ended, on {at}: mail programs refuse it.",
	"named-certificate-ends":
		"The certificate {name} ends in {n} day, on {at}.|The certificate {name} ends in {n} days, on {at}.",
	"named-certificate-unusable":
		"The certificate {name} cannot be used as it is now: the one before it is still served, or for its names the usual one.",
	"certificates-unusable":
		"Not all of the folder of certificates can be read: what was served of it before still is.",
	"certificate-unusable": "The certificate of splitmail.conf cannot be used: the one before it is still served.",
	"mailboxes-down": "The mailboxes have taken no mail since {since}: it waits.",
	"system-down": "{system} has taken no mail since {since}: it waits.",
};
