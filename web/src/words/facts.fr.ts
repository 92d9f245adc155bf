import type { Fact } from "../api";

// The same in French.
export const facts: Record<Fact, string> = {
	"our-domain": "{domain} est l'un de nos domaines.",
	"our-alias": "{alias} est un alias de notre domaine {domain}.",
	"our-first-domain": "{address} vaut pour notre premier domaine, {domain}.",
	"no-domain-yet": "Il n'y a encore aucun domaine ici.",
	"not-our-domain": "{domain} n'est pas l'un de nos domaines.",
	"may-not-relay":
		"Seuls les utilisateurs authentifiés, et les systèmes qui peuvent envoyer vers Internet par nous, écrivent à d'autres domaines.",
	"sender-routing":
		"Le système suivant pourrait prendre {address} pour un itinéraire, à cause de % ! @ ou : avant le dernier @. Seuls ceux qui peuvent écrire partout peuvent l'écrire.",
	"address-literal": "Une adresse avec une adresse IP après le @ échapperait à toutes les règles.",
	"by-smart-host": "Les messages vers Internet passent par {system}.",
	"by-mx": "Il va au MX de {domain}.",
	"leaves-from": "Ce qui est envoyé au nom de {domain} part de {outgoing}.",
	"system-from": "Le courrier pour {system} part de {outgoing}.",
	"no-internet-domain": "{domain} n'est pas un domaine d'Internet.",
	"sender-rewritten":
		"Un expéditeur d'un autre domaine devient une adresse de {domain} (SRS), pour que le serveur suivant ne le croie pas falsifié.",
	"returned-to": "{address} tient lieu d'un expéditeur réécrit ici : le message retourne à {sender}.",
	"return-expired": "{address} tient lieu d'un expéditeur réécrit ici il y a plus de {days} jours.",
	"not-rewritten-here":
		"{address} ressemble à un expéditeur réécrit, mais ce serveur ne l'a pas fait, ou quelqu'un l'a changé.",

	"address-of": "{address} est une adresse de {holder}.",
	"address-of-everywhere": "{address} est une adresse de {holder}, sur tous les alias.",
	"has-detail": "+{detail} est un détail ; il ne compte que pour la boîte.",
	disabled: "L'entrée est désactivée : ses messages sont refusés, et jamais transférés.",
	"not-to-see": "{address} est une adresse de {domain}. Ce qu'elle devient n'est visible que pour ses administrateurs.",
	"nobody-has": "Personne ici n'a {address}.",
	"postmaster-is": "Le postmaster de {domain} est {address}.",
	"postmaster-with-unknown": "Il va où vont les adresses inconnues, à {system}.",
	"catch-all-is": "{domain} a l'adresse attrape-tout {address}.",
	"forwards-unknown": "{domain} renvoie les adresses inconnues sur son relais, {relay}.",
	"forwards-no-unknown": "{domain} ne renvoie pas les adresses inconnues.",
	"stand-in-malformed": "{address}, qui la remplace, n'est pas une adresse.",

	"group-of": "{address} est un groupe de {n} membre.|{address} est un groupe de {n} membres.",
	"alias-of":
		"{address} vaut pour {n} adresse selon les alias de cette machine.|{address} vaut pour {n} adresses selon les alias de cette machine.",
	"alias-unfit": "{address} : les alias de cette machine mènent à « {target} », laissé de côté : ce n'est pas une adresse.",
	"member-malformed": "{address} est laissée de côté : ce n'est pas une adresse.",
	"member-refused": "{address} est laissée de côté : {code} {status} {reply}",
	forwarded: "{address} est transférée à {n} adresse.|{address} est transférée à {n} adresses.",
	"forwarded-with-copy":
		"{address} est transférée à {n} adresse, et une copie reste.|{address} est transférée à {n} adresses, et une copie reste.",
	"expanded-already": "{address} est déjà développée.",
	"expanded-for-another": "{address} est développé pour un autre destinataire du même message.",
	"served-already": "{address} a déjà le message.",
	"nested-too-deeply": "{address} : plus de {most} groupes et transferts sont imbriqués.",
	"too-many-recipients": "Un destinataire peut en devenir {most} au plus.",

	"shared-here": "{address} est une boîte partagée d'ici.",
	"lives-here": "{address} vit ici, comme son utilisateur.",
	"lives-there": "{address} vit sur le serveur de messagerie alternatif, son utilisateur ici.",
	"lives-on-both": "{address} est remise ici et sur le serveur de messagerie alternatif.",
	"no-mail-for-address": "{address} n'a pas de messagerie, alors que son utilisateur en a.",
	"no-mail-for-user": "{address} appartient à un utilisateur sans messagerie.",
	"routed-there": "{address} est acheminée vers le serveur de messagerie alternatif de l'utilisateur.",
	"not-routed":
		"{address} n'est pas sélectionnée pour le serveur de messagerie alternatif de l'utilisateur : pas de messages.",
	"system-is": "Son système est {system} ({hosts}).",
	"system-is-relay": "Son système est le relais du domaine, {system}.",
	"no-relay": "{domain} n'a pas de relais. Définissez-le : Modifier un domaine, Système de messagerie.",
	"no-system": "Le système de {address} n'existe plus, ou n'a pas d'hôtes.",

	"asker-is-system": "Le message vient de {system}, où il irait.",
	"caller-is-system": "{peer}, qui appelle, est un hôte de {system}, où cela irait : rien ne lui est rendu.",
	"handed-on-before": "Ce serveur a déjà transmis {address}, sur le chemin de ce message.",
	"sent-out-before": "Ce serveur l'a déjà envoyé.",
	"stood-in-before": "{address} a déjà été remplacée par une autre, sur le chemin de ce message.",
	"other-part-had-it":
		"{address} était ici et sur l'autre serveur de messagerie quand le message a été accepté ; l'autre part l'a reçu.",
	"expanded-before": "{address} a déjà été développée sur le chemin de ce message : laissée de côté.",
	"forwarded-before": "{address} a déjà été transférée.",
	"forwarded-before-with-copy": "{address} a déjà été transférée : il ne reste que sa propre copie.",
	"asked-by-a-question": "{system} est justement interrogé à ce sujet, et ceci est aussi une question.",

	"asked-at-rcpt": "{system} est interrogé à l'arrivée d'un message ; ce qu'il refuse est refusé.",
	"not-asked-yet": "{system} n'a pas été interrogé à ce sujet récemment.",
	confirmed: "{system} l'a confirmée.",
	"confirmed-once": "{system} l'a confirmée au cours de la semaine : acceptée sans l'interroger à nouveau.",
	"known-here": "L'annuaire la connaît : acceptée sans interroger d'abord {system}.",
	"asked-later": "{system} est interrogé à ce sujet en arrière-plan, sauf si un message nous l'apprend avant.",
	"client-is-spent": "{client} a demandé trop d'adresses inconnues : il attend de plus en plus longtemps avant que {system} soit interrogé.",
	"system-is-spent":
		"Beaucoup d'adresses inconnues de {system} ont été demandées : les clients refusés récemment passent à tour de rôle.",
	"day-is-spent":
		"{system} bannit qui demande beaucoup d'adresses inconnues : {most} par jour lui sont demandées, et plus aucune pour l'instant.",
	"refused-there": "{system} ne l'accepte pas : {code} {status} {reply}",
	"being-asked": "{system} est justement interrogé à ce sujet.",
	"answered-later": "{system} a dit : {code} {reply}",
	"no-answer": "{system} est en panne, ou n'a pas répondu à ce sujet.",
	"kept-for-rights": "Accepté quand même : l'expéditeur a des droits ici.",
	"kept-all": "Accepté quand même : pendant une panne de {system}, tous ses messages sont gardés.",
	"kept-known":
		"Accepté quand même : l'adresse est connue, et ses messages sont gardés pendant une panne du système.",
	"not-kept": "Pas accepté maintenant : pendant une panne de {system}, les expéditeurs réessaient.",
	"not-known": "Pas accepté maintenant : l'adresse n'est pas connue autrement.",

	"system-size": "{system} prend les messages jusqu'à {most} octets.",
	"domain-size": "{domain} prend les messages jusqu'à {most} octets.",
	trouble: "L'annuaire ne peut pas être lu en ce moment.",
};
