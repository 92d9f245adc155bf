import type { Reason } from "../api";

const ofThePage =
	"Le serveur n'a pas compris cette page. Rechargez-la ; si cela ne suffit pas, prévenez le responsable de ce serveur.";

// The same in French.
export const refusals: Record<Reason, string> = {
	"bad-address": "« {given} » n'est pas une adresse. Exemple : bob@example.org.",
	"address-without-domain": "« {given} » n'a pas de domaine. Exemple : bob@example.org.",
	"bad-domain-name": "« {given} » n'est pas un nom de domaine. Exemple : example.org.",
	"bad-hosts":
		"« {given} » : hôtes illisibles. Écrivez des noms ou des adresses IP, avec le port si ce n'est pas 25 : mail.example.org, 192.0.2.1:2525.",
	"too-many-hosts": "Vous pouvez indiquer {most} hôtes au plus.",
	"bad-size":
		"« {given} » n'est pas une taille. Écrivez une taille telle que 500M ou 10G, ou laissez le champ vide.",
	"bad-count":
		"« {given} » ne va pas ici. Écrivez un nombre de 1 à {most}, ou laissez le champ vide.",
	"not-one-of": "« {given} » ne peut pas être choisi ici, seulement {words}.",
	"not-yes-or-no": "« {given} » n'est ni oui ni non.",
	"text-too-long": "Ce texte est trop long : {most} caractères au plus.",
	"text-not-utf8": "Ce texte n'est pas en UTF-8.",
	"text-has-control":
		"Ce texte contient un caractère de contrôle, tel qu'une tabulation ou une fin de ligne. Retapez-le.",
	"unknown-key": ofThePage,

	"password-empty": "Écrivez un mot de passe.",
	"password-too-short": "Ce mot de passe est trop court : au moins {least} caractères.",
	"password-is-name": "C'est le nom de {name}, que l'on devine en premier. Choisissez un autre mot de passe.",
	"password-too-long": "Ce mot de passe est trop long : {most} caractères au plus.",
	"password-has-control":
		"Ce mot de passe contient un caractère de contrôle, tel qu'une tabulation ou une fin de ligne. Choisissez-en un autre.",
	"bad-password-hash": "Ce n'est pas une empreinte de mot de passe. Écrivez-la avec son schéma entre accolades devant.",
	"hash-is-readable": "Le mot de passe se lit dans {scheme}. Écrivez le mot de passe lui-même.",
	"hash-scheme-unknown": "Les boîtes aux lettres ne connaissent pas {scheme} ici. Elles connaissent {schemes}.",
	"hash-of-a-name":
		"Une empreinte {scheme} ne vaut que pour un seul identifiant. Écrivez le mot de passe, ou une empreinte d'un autre schéma.",
	"hash-misshapen":
		"Ce n'est pas une empreinte {scheme}, qui s'écrit {shape}. Personne ne pourrait s'en servir pour se connecter.",
	"hash-too-costly":
		"Cette empreinte {scheme} demande trop de mémoire ou de temps à chaque connexion. Écrivez le mot de passe, ou une empreinte plus légère.",
	"hash-of-user":
		"Le mot de passe de {user} est une empreinte importée, inutilisable ici. Donnez d'abord un mot de passe à {user}, ou un mot de passe propre à l'administrateur.",
	"hash-of-administrator":
		"{user} est administrateur et s'en sert pour se connecter ici. Écrivez le mot de passe plutôt qu'une empreinte.",
	"wrong-password": "Ce n'est pas votre mot de passe.",
	"wrong-name-or-password": "Le nom ou le mot de passe est faux.",
	"too-many-attempts":
		"Trop de tentatives. Réessayez dans {n} seconde.|Trop de tentatives. Réessayez dans {n} secondes.",

	"no-such-domain": "Il n'y a pas de domaine {domain}.",
	"domain-exists": "Le domaine {domain} existe déjà.",
	"domain-is-alias": "{alias} est un alias du domaine {domain}. Retirez-le d'abord de celui-ci.",
	"no-change-to-undo": "Cela ne peut plus être annulé. Un nom se rend dans les {hours} heures, une seule fois.",
	"renamed-since": "{name} a reçu un autre nom depuis. Il reste tel qu'il est.",
	"aliases-are-not-his": "Seul un superadministrateur donne ses noms à un domaine.",
	"own-name-as-alias": "{domain} est le nom du domaine lui-même ; ne le mettez pas parmi les alias.",
	"too-many-aliases": "Un domaine a {most} alias au plus.",
	"alias-in-use":
		"L'alias {alias} ne peut pas encore être retiré : {n} adresse n'existe que sur lui ({addresses}). Retirez d'abord cette adresse.|L'alias {alias} ne peut pas encore être retiré : {n} adresses n'existent que sur lui ({addresses}). Retirez d'abord ces adresses.",
	"alias-not-deleted": "{alias} est un alias de {domain}. Retirez-le des alias de ce domaine.",
	"domain-in-use":
		"Le domaine {domain} ne peut pas encore être supprimé : {n} utilisateur, groupe ou boîte partagée y vit ({names}). Supprimez-le d'abord.|Le domaine {domain} ne peut pas encore être supprimé : {n} utilisateurs, groupes et boîtes partagées y vivent ({names}). Supprimez-les d'abord.",

	"forward-needs-relay":
		"Les adresses inconnues ne peuvent pas être renvoyées sans relais. Indiquez le relais, ou décochez cette case.",
	"relay-needed-to-forward":
		"Les adresses inconnues sont renvoyées sur ce relais. Décochez cette case avant de retirer le relais.",
	"relay-in-use":
		"Le relais ne peut pas encore être retiré : {n} utilisateur en a besoin ({names}). Hébergez-le d'abord ici, ou choisissez-lui un autre système.|Le relais ne peut pas encore être retiré : {n} utilisateurs en ont besoin ({names}). Hébergez-les d'abord ici, ou choisissez-leur un autre système.",
	"catch-all-or-forward":
		"Avec une adresse attrape-tout, il n'y a plus d'adresse inconnue à renvoyer. Videz l'attrape-tout, ou décochez la case.",
	"user-needs-relay":
		"Le domaine n'a pas de relais : il n'y a pas de serveur de messagerie alternatif. Définissez d'abord le relais du domaine, ou choisissez un système.",

	"domain-not-here": "Il n'y a pas de domaine {domain} ici.",
	"other-domain": "{name} n'est ni le domaine de cette entrée ni l'un de ses alias.",
	"address-is-wild-card":
		"Une adresse n'a pas d'étoile. L'adresse attrape-tout du domaine dit qui reçoit les messages pour les adresses que personne n'a.",
	"address-taken": "{address} est déjà prise : {holder} possède {held}.",
	"others-lead-here":
		"{n} autre mène encore à {address} : {names}. Modifiez-le d'abord.|{n} autres mènent encore à {address} : {names}. Modifiez-les d'abord.",
	"others-elsewhere-lead-here":
		"{n} autre mène encore à {address}, dans un domaine qui n'est pas le vôtre. Faites-le modifier d'abord.|{n} autres mènent encore à {address}, dans des domaines qui ne sont pas les vôtres. Faites-les modifier d'abord.",
	"address-taken-everywhere": "{address} est déjà prise : {holder} la possède sur tous les alias.",
	"address-nobody-has": "Personne n'a l'adresse {address}. Créez-la d'abord.",
	"no-such-address": "Plus personne n'a l'adresse {address}.",
	"address-of-domains":
		"{address} existe dans {n} domaine. Écrivez le nom du domaine.|{address} existe dans {n} domaines. Écrivez le nom du domaine.",
	"address-on-all-aliases": "{address} vaut pour tous les alias. Retirez plutôt {held}.",
	"default-address-stays": "{address} est l'adresse par défaut de {holder} et ne part qu'avec lui.",
	"default-address-has-detail": "Une adresse par défaut n'a pas de « + ». Écrivez {address}.",
	"default-address-is-quoted": "Une adresse par défaut s'écrit sans guillemets.",
	"default-address-not-ascii":
		"Une boîte d'ici a besoin d'une adresse par défaut en lettres simples, sans accents. Créez-la ainsi, puis ajoutez {address} comme autre adresse.",
	"not-by-another-address":
		"{address} est une autre adresse de {holder} : supprimez {holder}.",
	"address-reserved": "{address} est réservée au domaine lui-même.",
	"only-users-live-elsewhere":
		"{address} appartient à {holder} ; seules les adresses d'un utilisateur peuvent vivre ailleurs.",
	"bad-address-entry": ofThePage,

	"no-such-holder": "{address} n'existe plus.",
	"holder-of-no-domain": "{address} n'existe pas : il n'y a pas de domaine {domain} ici.",
	"holder-of-other-kind": "{address} est une entrée d'un autre type.",
	"no-such-deleted": "Plus rien n'est conservé de {who}.",
	"deleted-several": "{address} a été supprimé une fois : choisissez-le dans la liste.|{address} a été supprimé {n} fois : choisissez le bon dans la liste.",
	"user-outranks":
		"{user} est un administrateur qui a plus de droits que vous. Seul celui qui les a peut modifier cet utilisateur.",
	"mail-of-superior":
		"{address} reçoit du courrier d'un administrateur qui a plus de droits que vous et qui le lui transfère. Seul quelqu'un qui a ses droits peut le modifier.",
	"host-is-this-machine":
		"{host} est ce serveur lui-même, ou n'est joignable que sur son propre lien. Seul un superadministrateur peut y faire envoyer du courrier.",
	"builtin-stays": "{address} est créée avec son domaine et reste avec lui.",
	"builtin-stays-enabled": "postmaster@ reçoit toujours ses messages : cette boîte ne peut pas être désactivée.",
	"forward-to-himself":
		"{address} est une adresse de l'utilisateur lui-même. Pour garder une copie ici, cochez plutôt la case ci-dessous.",
	"too-many-forwards": "Un utilisateur transfère à {most} adresses au plus.",
	"group-in-itself": "{address} est le groupe lui-même.",
	"group-in-circle":
		"{address} ne peut pas être membre : {group} est déjà parmi ses propres membres, directement ou par d'autres.",
	"too-many-members": "Un groupe a {most} membres au plus.",
	"already-a-member": "{address} est déjà membre.",
	"no-such-member": "{address} n'est plus membre.",
	"no-sender": "{address} ne peut pas envoyer au nom d'un autre : nommez des utilisateurs, ou d'autres groupes.",
	"shared-has-no-members": "Une boîte partagée n'a pas de membres : nommez des utilisateurs ou des groupes.",
	"too-many-senders": "{most} utilisateurs et groupes au plus peuvent être nommés.",
	"too-many-users": "{most} utilisateurs au plus peuvent être modifiés à la fois.",
	"nothing-to-change": ofThePage,

	"no-such-system": "Le système {system} n'existe plus. Il y a : {names}.",
	"no-system-at-all": "Le système {system} n'existe plus, et il n'y en a pas d'autre.",
	"system-exists": "Le système {system} existe déjà.",
	"system-in-use":
		"Le système {system} ne peut pas encore être supprimé : {n} utilisateur y vit ({names}). Choisissez-lui d'abord un autre système.|Le système {system} ne peut pas encore être supprimé : {n} utilisateurs y vivent ({names}). Choisissez-leur d'abord un autre système.",
	"bad-system-name":
		"« {given} » ne peut pas être un nom ici : {most} lettres, chiffres, « - » et « _ » au plus.",
	"system-needs-hosts": "Écrivez au moins un hôte.",
	"ip-not-verified":
		"Une adresse IP n'a pas de nom avec lequel vérifier un certificat. Écrivez des noms d'hôtes, ou choisissez « Obligatoire ».",
	"bad-outgoing": "« {given} » ne convient pas ici : {cause}. Écrivez des adresses de ce serveur, par exemple 192.0.2.25 ou 192.0.2.25, 2001:db8::25.",
	"outgoing-is-superiors": "Seul un super-administrateur choisit les adresses d'où part le courrier.",
	"no-host-of-outgoing":
		"Aucun des hôtes ({hosts}) n'est joignable depuis {outgoing} : ce sont des adresses de l'autre famille. Écrivez-en une de chaque, ou d'autres hôtes.",
	"no-host-of-family":
		"Aucun des hôtes ({hosts}) n'a d'adresse de cette sorte. Choisissez-en une autre, ou écrivez d'autres hôtes.",
	"bad-credential": "C'est trop long : {most} caractères au plus.",
	"user-and-password": "Écrivez le nom et le mot de passe, ou ni l'un ni l'autre.",
	"password-needs-tls":
		"Un mot de passe n'est envoyé que par TLS. Choisissez « Obligatoire » ou « Obligatoire, certificat vérifié ».",
	"smart-host-taken": "{system} est déjà le smart host. Décochez-y d'abord la case.",
	"bad-block":
		"« {given} » n'est ni une adresse IP ni un bloc d'adresses. Exemples : 192.0.2.1, 192.0.2.0/24.",
	"block-is-internet": "{block} est Internet tout entier : n'importe qui serait ce système.",
	"block-taken": "{block} appartient déjà au système {system}.",
	"too-many-blocks": "Un système a {most} adresses de confiance au plus.",
	"too-many-trials": "Trop d'essais. Réessayez dans une minute.",

	"no-such-dkim-key": "{domain} n'a plus de clé {selector}. Il y a : {names}.",
	"no-dkim-key-at-all": "{domain} n'a plus de clé.",
	"dkim-key-exists": "{domain} a déjà une clé {selector}.",
	"bad-selector": "Un sélecteur se compose de lettres, de chiffres et de tirets, {most} au plus ; il ne commence ni ne finit par un tiret.",
	"too-many-dkim-keys": "{domain} a déjà {most} clés, le maximum : supprimez-en une qui ne sert plus.",
	"dkim-key-waits": "La clé {selector} est nouvelle et pas encore utilisée : utilisez-la ou supprimez-la d'abord.",
	"no-new-dkim-key": "{domain} n'a pas de nouvelle clé à utiliser.",
	"dkim-not-published": "La clé {selector} n'est pas encore publiée : pour {name}, le DNS répond « {found} ». Les serveurs de noms peuvent s'en souvenir un moment.",
	"dkim-key-signs": "La clé {selector} signe le courrier de {domain}.",
	"dkim-key-is-needed": "Du courrier signé par la clé {selector} peut encore être en route : son enregistrement doit rester {n} jour de plus.|Du courrier signé par la clé {selector} peut encore être en route : son enregistrement doit rester {n} jours de plus.",
	"no-such-filter": "Le filtre {filter} n'existe plus. Il y a : {names}.",
	"no-filter-at-all": "Le filtre {filter} n'existe plus, et il n'y en a pas d'autre.",
	"filter-exists": "Le filtre {filter} existe déjà.",
	"bad-filter-name":
		"« {given} » ne peut pas être un nom ici : {most} lettres, chiffres, « - » et « _ » au plus.",
	"filter-needs-socket": "Écrivez où le filtre écoute, par exemple inet:localhost:11332.",
	"bad-socket":
		"« {given} » ne peut pas être lu comme un socket. Exemples : inet:localhost:11332, unix:/run/opendkim/opendkim.sock.",
	"no-such-listener": "splitmail.conf n'a pas de port d'écoute {listener}. Il y a : {names}.",
	"too-many-filters": "Il y a déjà {most} filtres, le maximum : supprimez-en un d'abord.",
	"filters-are-not-his": "Les filtres voient le courrier de tous les domaines : ils sont au superadministrateur.",

	"no-such-admin": "L'administrateur {name} n'existe plus.",
	"admin-exists": "L'administrateur {name} existe déjà.",
	"bad-admin-name":
		"« {given} » ne peut pas être un nom pour se connecter : {most} lettres minuscules, chiffres, « - », « _ », « . » et « @ » au plus.",
	"admin-needs-domain": "Ce rôle vaut pour un domaine. Choisissez le domaine.",
	"superadmin-has-no-domain": "Un superadministrateur vaut pour tous les domaines. N'en choisissez aucun.",
	"first-admin-stays-super": "{name} reste le superadministrateur.",
	"first-admin-stays": "{name} est le premier superadministrateur et ne peut pas être supprimé.",
	"no-such-token": "Ce jeton n'existe plus.",
	"token-needs-a-name": "Dites à quoi sert le jeton.",
	"bad-token-days": "Un jeton est valable de 1 à {most} jours.",
	"too-many-tokens": "Un administrateur a {most} jetons au plus. Supprimez-en d'abord un.",

	"not-signed-in": "Votre session est terminée. Reconnectez-vous.",
	"csrf-token-wrong": "Votre session a changé. Rechargez la page.",
	"from-another-site": "Cette demande venait d'une page d'un autre site et n'a pas été exécutée.",
	"no-right": "Votre rôle ne le permet pas.",
	"token-has-no-right": "Le rôle de ce jeton ne le permet pas.",
	"token-is-for-metrics": "Ce jeton ne permet que de lire /metrics.",
	"token-may-only-read": "Ce jeton ne permet que de lire.",
	"not-found": "Il n'y a plus rien à cette adresse.",
	"exists-already": "Cet élément existe déjà.",
	"changed-meanwhile":
		"Quelqu'un d'autre a modifié ceci entre-temps. Annuler montre l'état actuel ; votre saisie est encore là.",
	"gone-meanwhile": "Quelqu'un d'autre a supprimé ceci entre-temps.",
	trouble: "Le serveur a un problème ; son journal dit lequel. Réessayez plus tard.",
	stopping: "Le serveur est sur le point de s'arrêter. Réessayez plus tard.",

	"no-messages-named": "Dites quels messages.",
	"bad-ip": "« {given} » n'est pas une adresse IP. Écrivez-la comme 192.0.2.1 ou 2001:db8::1.",
	"bad-asker":
		"Il n'y a ni utilisateur ni système de messagerie de ce nom. Écrivez l'adresse d'un utilisateur, ou le nom d'un système.",

	"bad-cursor": ofThePage,
	"search-too-long": "Ce texte est trop long pour une recherche : {most} caractères au plus.",
	"bad-limit": ofThePage,
	"bad-parameter": ofThePage,
	"not-an-object": ofThePage,
	"not-json": ofThePage,
	"not-json-type": ofThePage,
	"not-possible": ofThePage,
	"not-a-text": ofThePage,
	"key-missing": ofThePage,
	"too-large": "C'est trop à la fois : {most} octets au plus.",
	"unknown-host":
		"Ce serveur ne sait pas qu'il porte le nom qui figure dans la barre d'adresse. Son responsable ajoute ce nom à splitmail.conf.",
	"wrong-type": ofThePage,

	// the second factor
	"code-needed": "Saisissez aussi le code de votre second facteur.",
	"code-wrong": "Le code est faux.",
	"code-used": "Ce code a déjà servi. Attendez le suivant.",
	"no-second-factor": "Aucun second facteur n'est activé.",
	"no-second-factor-of": "{name} n'a pas de second facteur.",
	"own-password": "Changez votre propre mot de passe dans votre compte.",
	"own-second-factor": "Désactivez votre propre second facteur dans votre compte.",
	"second-factor-is-on": "Un second facteur est déjà activé. Désactivez-le d'abord.",
	"second-factor-not-begun": "Commencez d'abord avec un nouveau secret.",
	"second-factor-is-his": "Un second facteur est activé par son propriétaire, dans son compte.",

	// jobs
	"no-such-job": "Cette tâche n'existe plus.",
	"too-many-jobs": "{most} de vos tâches ne sont pas terminées. Attendez-les, ou arrêtez-en.",
	"too-many-jobs-a-day":
		"Vous avez eu {most} tâches en {hours} heures, autant qu'il en est conservé. Attendez que la première soit plus ancienne.",
	"match-changed":
		"{n} utilisateur correspond maintenant, et non {seen} : fermez cette fenêtre et regardez à nouveau.|{n} utilisateurs correspondent maintenant, et non {seen} : fermez cette fenêtre et regardez à nouveau.",
	"nobody-to-change": "Il n'y a aucun utilisateur à modifier.",
	"too-many-for-a-job":
		"{users} utilisateurs sont trop nombreux pour une tâche, qui en compte {most} au plus. Choisissez-en moins, par domaine ou par recherche.",
	"asker-is-gone": "{admin}, qui l'a demandé, n'est plus administrateur.",
	"asker-has-fewer-rights": "{admin}, qui l'a demandé, a maintenant moins de droits.",
	"nothing-to-put-back":
		"Il n'y a rien à rétablir : le travail n'est pas terminé, n'a modifié personne, ou s'est terminé il y a plus de {hours} heures.",
	"address-of-another": "{address} est devenue l'adresse d'un autre utilisateur ; celui-ci reste tel quel.",
	"user-changed-since": "Cet utilisateur a été modifié depuis ; il reste tel quel.",
	"cannot-be-put-back": "Ce réglage ne peut pas être rétabli.",
	"no-such-topic": ofThePage,
	"no-topic": ofThePage,
	"no-right-to-watch": ofThePage,
	"too-many-streams": "Trop de pages de cette console sont ouvertes. Fermez-en une d'abord.",
	"expect-needed": ofThePage,
	"addresses-and-filter": ofThePage,
};
