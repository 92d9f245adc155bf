import type { flow as words } from "./flow.en";

export const flow: Record<keyof typeof words, string> = {
	// banner
	bannerDownSince: "est en panne depuis {when}",
	bannerWaiting: "{n} destinataire attend|{n} destinataires attendent",
	bannerMore: "{n} autre est en panne|{n} autres sont en panne",
	inDomain: "dans {domain}",

	// overview
	system_tested: "répond au test",
	system_testFailed: "échoue au test",
	testedWhen: "testé {when} ; encore aucun message",

	// queue
	noSubject: "(sans objet)",
	subject: "Objet",
	everySystem: "Tous les systèmes",
	queueSelectHint: "Sélectionnez des messages pour les réessayer, les retenir, les renvoyer ou les supprimer.",
	retriedOpen: "Tentative en cours…",
	retriedNotYet: "Pas encore tous essayés : la liste montre ce qui en résulte.",
	retriedGone: "{n} destinataire a quitté la file : remis, ou renvoyé à l'expéditeur.|{n} destinataires ont quitté la file : remis, ou renvoyés à l'expéditeur.",
	retriedAgain: "{address} : encore refusé : {reply}.",
	retriedNext: "Prochaine tentative à {when}.",
	retriedAllGone: "Réessayé : {what}. Plus rien n'attend.",

	// route
	legDown: "Il est en panne : les messages attendraient ici jusqu'à son retour.",
	legDownSince: "Il est en panne depuis {when} : les messages attendraient ici jusqu'à son retour.",

	// mail systems
	testNoHosts: "Indiquez d'abord les hôtes.",
	mayRelayHint: "Aussi vers d'autres domaines, pour qui se connecte d'une adresse de confiance ou s'authentifie comme ce système.",
	smartHostHint: "Au lieu du MX de chaque domaine. Un seul système peut l'être.",
	tlsHint_none: "Tout passe en clair.",
	tlsHint_opportunistic: "TLS s'il est proposé, sans regarder le certificat ; en clair sinon.",
	tlsHint_required: "Sans TLS, les messages attendent. Le certificat n'est pas regardé.",
	tlsHint_verified: "Sans TLS et un certificat au nom de l'hôte, les messages attendent.",
	whenDownHint_keep_known: "Les messages pour des adresses connues ici, ou déjà confirmées par lui, sont acceptés et attendent ; pour les autres, l'expéditeur doit réessayer.",
	whenDownHint_keep_all: "Tous ses messages sont acceptés et attendent ; pour les adresses qu'il n'a pas, l'expéditeur l'apprend plus tard.",
	whenDownHint_defer: "Rien n'est accepté : les expéditeurs gardent leurs messages et réessaient.",
	relaysOfDomains: "Relais des domaines",
	relaysOfDomainsHint: "Ce que les domaines ont sans nom. Pour donner à certains de leurs utilisateurs un système nommé : Entrées d'annuaire, sélectionnez-les, Choisir la messagerie…",

	// domain: what Save will change
	drawnAsIs: "Ce qui est saisi ne peut pas être enregistré ainsi ; le dessin montre l'état actuel.",
	effectRelayUnclear: "Le relais n'est pas encore lisible : un nom ou une adresse IP, avec :port si ce n'est pas 25.",
	effectRelayNeeded: "Le relais ne peut pas être retiré : {n} utilisateur y a ses messages.|Le relais ne peut pas être retiré : {n} utilisateurs y ont leurs messages.",
	effectRelayGone: "Le domaine n'aura plus de serveur de messagerie alternatif.",
	effectRelayNew: "Des utilisateurs pourront être confiés à {relay}. Personne n'est déplacé par cela.",
	effectRelayOther: "Les messages de {n} utilisateur iront à {relay} au lieu de {before}.|Les messages de {n} utilisateurs iront à {relay} au lieu de {before}.",
	effectUnknownThere: "Les adresses que personne n'a ici seront renvoyées à {relay} au lieu d'être refusées.",
	effectUnknownRefused: "Les adresses que personne n'a ici seront refusées.",
	effectOthers: "Sera modifié : {fields}.",

	// changes
	searchChanges: "Adresse, nom, valeur ou administrateur",
	onlyOf: "Seulement {name}",
	changed: "Modifié",
	change_created: "{noun} : création",
	change_deleted: "{noun} : suppression",
	change_restored: "{noun} : restauration",
	change_erased: "{noun} : effacement définitif",
	change_added: "{noun} : ajout",
	change_removed: "{noun} : retrait",
	changeRouted: "Acheminée vers le serveur alternatif",
	changeMember: "Membre",
	changeRenamed: "Renommé",
	changePasswordSet: "défini",
	changePasswordRemoved: "retiré",
	byCommandLine: "{name} (ligne de commande)",
	administrator: "Administrateur",
	accessToken: "Jeton d'accès",
	yes: "oui",
	no: "non",
};
