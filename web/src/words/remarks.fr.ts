import type { Remark } from "../api";

// The same in French.
export const remarks: Record<Remark, string> = {
	"dkim-is-unused": "Rien n'est encore signé avec elle : splitmail domain dkim use {domain} {selector}.",
	"dkim-is-kept":
		"Elle ne signe plus, et du courrier qu'elle a signé est peut-être encore en route : laissez-la.",
	"dkim-may-go": "Elle ne signe plus : elle peut disparaître, ici et là-bas.",
	"mx-is-not-heard":
		"Ce serveur ne reçoit le courrier des inconnus que de cette machine même : voir listener dans splitmail.conf.",
	"not-asked": "Impossible de l'interroger maintenant : {cause}.",
	"mx-is-null": "MX « . » dit que {domain} ne reçoit aucun courrier.",
	"mx-is-address": "MX {host} est une adresse : il faut un nom.",
	"mx-is-alias": "MX {host} est un alias (CNAME) de {owner} : il faut un nom qui a ses propres adresses.",
	"mx-has-no-address": "MX {host} n'a aucune adresse.",
	"mx-is-stranger": "MX {host} n'est ni ce serveur ni un système de {domain} connu ici.",
	"mx-is-another":
		"Le courrier arrive d'abord à {system} ({host}), qui doit transmettre celui des utilisateurs d'ici.",
	"mx-by-address": "Sans lui, le courrier va à l'adresse de {domain} même.",
	"address-is-private": "{address} n'est pas joignable depuis Internet.",
	"address-is-another": "{host} mène à {address}, et le courrier part d'ici par {own}.",
	"address-is-alias": "{host} est un alias (CNAME) de {owner} : un MX ne peut pas le nommer.",
	"address-is-not-known": "L'adresse de cette machine sur Internet n'est pas connue ici.",
	"ptr-not-back": "{address} s'appelle {name}, et {name} n'y ramène pas.",
	"ptr-is-another": "{address} s'appelle {name}, qui y ramène : cela suffit.",
	"ptr-by-provider": "C'est à qui vous a donné {address} de le publier.",
	"ptr-needs-name": "Tout nom qui ramène à {address} convient.",
	"spf-several":
		"Il y a {n} enregistrement SPF.|Il y a {n} enregistrements SPF, donc aucun ne compte : réunissez-les en un seul.",
	"spf-malformed": "Personne ne peut l'utiliser : {cause}.",
	"spf-passes-all": "+all laisse n'importe qui envoyer au nom de {domain}.",
	"spf-is-neutral": "Il ne dit rien des autres expéditeurs (~all ou -all à la fin).",
	"spf-too-many":
		"Il demande {n} recherche, et les destinataires en font 10 (RFC 7208 4.6.4) : le reste est une erreur.|Il demande {n} recherches, et les destinataires en font 10 (RFC 7208 4.6.4) : le reste est une erreur.",
	"spf-lookups":
		"Il demande {n} recherche ; les destinataires en font 10.|Il demande {n} recherches ; les destinataires en font 10.",
	"spf-too-many-void":
		"{n} de ses noms ne mène nulle part ({names}), et les destinataires en supportent 2.|{n} de ses noms ne mènent nulle part ({names}), et les destinataires en supportent 2.",
	"spf-void": "{names} ne mène nulle part.",
	"spf-too-many-mx":
		"mx de {name} a {n} hôte, et les destinataires en cherchent 10.|mx de {name} a {n} hôtes, et les destinataires en cherchent 10.",
	"spf-include-missing": "{name} n'a pas d'enregistrement SPF, donc tout l'enregistrement est une erreur.",
	"spf-include-bad": "L'enregistrement de {name} est inutilisable : {cause}.",
	"spf-lacks-here": "Il n'autorise pas ce que ce serveur envoie : il manque {terms}.",
	"spf-lacks": "Il n'autorise pas ce que {system} envoie : il manque {terms}.",
	"spf-sender-unknown":
		"On ne sait pas ici d'où {system} envoie : indiquez-le dans ses réseaux de confiance, sauf si tout ce qu'il envoie passe par ce serveur.",
	"spf-ptr": "ptr est lent et à éviter (RFC 7208 5.5).",
	"spf-needs-too-many":
		"Le tout demande {n} recherche : il faut enlever les include inutiles.|Le tout demande {n} recherches : il faut enlever les include inutiles.",
	"dmarc-several": "Il y a {n} enregistrement DMARC.|Il y a {n} enregistrements DMARC, donc aucun ne compte.",
	"dmarc-malformed": "Les destinataires n'en tiennent pas compte : {cause}.",
	"dmarc-without-proof": "p={policy}, et ni SPF ni DKIM ne prouve rien : le courrier de {domain} est refusé.",
	"dmarc-alone": "Il servira quand SPF et DKIM seront corrects.",
	"dmarc-has-no-reports": "Personne ne reçoit de rapports : nommez une adresse (rua).",
	"dmarc-reports-unwanted":
		"Les rapports pour {address} ne partent pas : {name} ne dit pas qu'il les accepte.",
	"dmarc-is-inherited": "{parent} le dit aussi pour {domain}.",
	"dmarc-could-go":
		"SPF et DKIM sont corrects : quand les rapports de quelques semaines ne nomment plus d'expéditeur à vous, p={policy} est l'étape suivante.",
	"dmarc-stays": "Restez à p=none jusqu'à ce que SPF et DKIM soient corrects.",
	"dkim-is-another": "La clé publiée est une autre : les signatures passent pour fausses.",
	"dkim-is-revoked": "Il dit que la clé est révoquée (p= est vide).",
	"dkim-is-none": "Ce qui s'y trouve n'est pas une clé.",
	"sts-is-none": "Ce qui s'y trouve n'annonce aucune politique (v=STSv1; id=...), ou il y en a plusieurs.",
	"sts-policy-is-missing": "Aucune politique n'y est servie : {cause}.",
	"sts-policy-is-none": "La politique est inutilisable : {cause}.",
	"sts-policy-lacks": "La politique ne nomme pas MX {host} : qui la respecte n'y va pas.",
	"sts-needs-server": "Un serveur web pour {host} doit la servir.",
	"tls-reports-none":
		"Ce qui s'y trouve ne nomme personne pour les rapports (v=TLSRPTv1; rua=...), ou il y en a plusieurs.",
	"srv-is-another": "Les programmes sont menés à {found}, pas ici.",
	"srv-is-for-all": "Les programmes des utilisateurs d'autres systèmes arrivent ici par lui, eux aussi.",
};
