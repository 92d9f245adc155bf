import type { TroubleWord } from "../api";

export const troubles: Record<TroubleWord, string> = {
	"engine-down": "Le moteur de messagerie ne répond pas : aucun message n’entre.",
	"disk-low":
		"Il reste {free} Mio là où se trouve la file. En dessous de {least} Mio, aucun message n’est accepté ; les expéditeurs réessaient plus tard.",
	"files-low":
		"Il ne reste de place que pour {free} fichiers là où se trouve la file. En dessous de {least}, aucun message n’est accepté ; les expéditeurs réessaient plus tard.",
	"mail-disk-low":
		"Il reste {free} Mio là où se trouvent les boîtes. Quand il n’y a plus rien, les messages pour elles attendent.",
	"disk-read-only":
		"Le disque de la file est en lecture seule : aucun message n’est accepté ; les expéditeurs réessaient plus tard.",
	"queue-stuck": "La file ne peut pas être écrite : aucun message n’est accepté ; les expéditeurs réessaient plus tard.",
	"queue-unreadable":
		"Une partie de la file ne peut pas être lue : ce qui y attend n’est pas envoyé.",
	"directory-unreadable":
		"L’annuaire ne peut pas être lu : aucun message n’est accepté ; les expéditeurs réessaient plus tard.",
	"directory-damaged":
		"L’annuaire est endommagé. Les messages pour qui n’y est pas trouvé sont remis à plus tard, jusqu’à ce qu’il soit réparé ou restauré.",
	"names-not-validated":
		"Ce que disent les serveurs de noms ne peut pas être validé (DNSSEC) : les messages pour d’autres serveurs attendent.",
	"filter-stops":
		"Le filtre {filter} ne répond pas : les messages de l’extérieur sont remis à plus tard ; les expéditeurs réessaieront.",
	"filter-puts-off":
		"Le filtre {filter} ne répond pas : les messages qui doivent y passer sont remis à plus tard ; les expéditeurs réessaieront.",
	"filter-holds":
		"Le filtre {filter} ne répond pas : les messages qui doivent y passer sont retenus dans la file d’attente.",
	"filter-passed-by": "Le filtre {filter} ne répond pas : les messages continuent sans lui.",
	"certificate-ended": "Le certificat a expiré le {at} : les logiciels de messagerie le refusent.",
	"certificate-ends": "Le certificat expire dans {n} jour, le {at}.|Le certificat expire dans {n} jours, le {at}.",
	"named-certificate-ended": "Le certificat {name} a expiré le {at} : les logiciels de messagerie le refusent.",
	"named-certificate-ends":
		"Le certificat {name} expire dans {n} jour, le {at}.|Le certificat {name} expire dans {n} jours, le {at}.",
	"named-certificate-unusable":
		"Le certificat {name} est inutilisable en l’état : le précédent est toujours présenté, ou à défaut le certificat habituel.",
	"certificates-unusable":
		"Le dossier des certificats ne peut pas être lu en entier : ce qui en était présenté l’est toujours.",
	"certificate-unusable":
		"Le certificat indiqué dans splitmail.conf est inutilisable : le précédent est toujours présenté.",
	"mailboxes-down": "Les boîtes n’acceptent plus de messages depuis {since} : ils attendent.",
	"system-down": "{system} n’accepte plus de messages depuis {since} : ils attendent.",
};
