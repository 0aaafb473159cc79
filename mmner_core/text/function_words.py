"""Function words and common words per language, which tell languages apart.

Names travel between languages, these words do not. The four languages of the tagger have long lists, their neighbours
short ones. A word may stand in several lists; it then speaks for each.
"""

from __future__ import annotations

_LISTS = {
    "en": """
        a about after again all also always am an and any are as ask at back be because been before being best big born
        both but by call came can come comes could day days did do does done don't down each even ever every fall few
        first for friend friends from gave get gets give go goes going gone good got great had happy has have having he
        hello her here him his home house how i i'm if in into is it it's its just keep know last late leave left let
        life like live lived lives long look looking lot love loves made make makes man many may me meet meeting meets
        met miss more morning most much must my need never new news next night no not nothing now of off old on once one
        only or other our out over own people photo picture play played plays please put right said same saw say says
        see seen she should show since so some something soon still story such take takes tell than thank thanks that
        the their them then there these they thing think this those though time to today together told tomorrow tonight
        too took town trip two under until up us use very visit visited visits wait want wants war was watch way we
        week weekend well went were what when where which while who whose why will win wins with without woman women
        won work worked working works world would year years yes yesterday you your beat beats lose final game from
        near between against during through around here's there's let's that's what's who's
        visiting visitors leaving arriving arrived playing waiting walking watching coming working looking making living
        birthday album song concert airport street beach river mayor president minister city town sick car sold house
        dinner lunch party wedding team match goal speech opens opened closed returns back travels travelled flew flies
        moved moves sings sang died dies buys bought sells plans announces elected told killed arrested headline reads
        please thanks congratulations welcome goodbye great lovely beautiful amazing view sunset holiday holidays
    """,
    "fr": """
        a à afin ai aime ainsi ait allait aller alors an ans année après as au aucun aujourd'hui aussi autour autre
        autres aux avait avant avec avez avoir avons beaucoup bien bientôt bon bonjour bonne ça car ce cela celle celui
        ces cet cette ceux chaque chez comme comment contre dans de demain depuis dernière dernier des deux devant
        devrait dès dit doit donc dont du elle elles en encore enfin ensemble entre est et étaient était été être eu
        eux faire fais fait faut femme fille fils fin fois font grand grande habite hier homme hui ici il ils j' je
        jamais jour jours jusqu' l' d' qu' c' n' s' m' la le les leur leurs loin lors lui là ma maintenant mais maison
        mal malgré matin me merci mes mieux moi moins mois mon monde ne née né ni non nos notre nous nouveau nouvelle
        on ont ou où oui par parce parle part partir pas pendant petit petite peu peut plus plusieurs portrait pour
        pourquoi premier première près presque puis quand quatre que quel quelle quelques qui quoi rencontre reste
        retour rien rue sa sans se sera ses si soir son sont sous souvent suis sur tard te temps tes toi ton toujours
        tous tout toute toutes travaille trop très trois tu un une va vais vers veut vie vient ville visite vit voici
        voilà voir vont vos votre vous voyage vu vraiment y mort naissance anniversaire livre chez vend vendu
        photo but chanson album aéroport plage maire président ministre ville voiture malade joyeux joyeuse vacances vue
        rencontré gagné mariage match équipe dîner déjeuner fête concert maison discours ouvre ouvert ferme revient
        voyage chante mange boit achète achetait joue joué gagne parle dort marche arrive arrivé arrivée part parti
        meurt mariée félicitations bienvenue bravo soirée journée semaine bonsoir salut pose visage image tombe film
        pièce exposition bord train gare rue école élu élue mariés combien quels quelles toujours ami amie amis
    """,
    "de": """
        aber alle allem allen aller alles als also alt alte am an andere anderen auch auf aus bald bei beim bekommt
        besser bestimmt besucht besuch besuchte bin bis bist bitte bleibt brachte da dabei dafür damals damit danach
        danke dann daran das dass davon dazu dein deine dem den denn der des deshalb dich die dies diese diesem diesen
        dieser dieses dir doch dort drei du durch ein eine einem einen einer eines einfach einmal endlich er erst erste
        ersten es etwas euch euer fährt fand fast fliegt frau freund für fuhr ganz gar geboren gegen gegenüber gehen
        geht gerade gern gestern gewesen gewinnt gewonnen gibt ging groß große großen gut gute guten haben habe hallo
        hat hatte hatten haus heißt herr heute hier hieß hin hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im
        immer in ins ist ja jahr jahre jahren jede jeden jeder jetzt kann kaum kauft kein keine keinen klein kleine
        kommen kommt kam können konnte krank lang lange lebt leben letzte letzten liebe liebt liegt los macht machen
        man mehr mein meine meinem meinen meiner mich mit mittag morgen müssen muss nach nachdem nacht nächste nächsten
        neben neue neuen neuer nicht nichts nie noch nun nur ob oder ohne raus sagt sagte sah schon schön schöne sehr
        seid seht sein seine seinem seinen seiner seit selbst sich sie sieht sind singt so sogar soll sollte sondern
        spielt spielte spricht stadt starb statt steht sucht tag tage trifft traf tut über uhr um und uns unser unsere
        unter viel viele vielen vielleicht vom von vor vorbei war waren warum was weg wegen weil weiter welche wenn wer
        werde werden wie wieder will wir wird wo woche wohnt wollen wollte wurde wurden wäre zeigt zu zum zur zurück
        zusammen zwei zwischen verkauft arbeitet wochenende
        foto konzert bürgermeister flughafen strand geburtstag reise ankunft abflug blick hochzeit spiel mannschaft
        abendessen urlaub straße alles gute guter herzlichen glückwunsch willkommen guten morgen abend rede tor fest
        bellt schläft isst trinkt liest schreibt arbeitete eröffnet schließt fliegen reist reiste zieht zog verlässt
        heiratet gewählt wählt grüße liebe lieber viele gratuliert feiert feierte verliert verlor siegt mitten kennt
        nennt nannte ruft rief wartet hört denkt glaubt weiß bekannt berühmt unterwegs daheim besuchen
    """,
    "es": """
        a abajo acá ahora al algo algún alguna algunos allí amigo amigos anoche antes aquel aquella aquí año años así
        ayer bajo bien buen buena buenas bueno buenos cada calle casa casi cerca ciudad como cómo compró con conoce
        contra cosa cosas cual cuál cuando cuándo de del desde despide después día días dice dijo dónde donde dos
        durante e el él ella ellas ellos en encanta entonces entre era eran eres es esa ese eso esos esta está estaba
        están estar estas este esto estos estoy fin foto fue fuera fueron gana ganó gente gracias gran grande ha haber
        había hace hacer hacia han hasta hay he hermana hermano hijo hola hombre hoy iba igual ir jamás juega jugó
        juntos la las le les lejos llega llegó llegar lo los luego lugar mal mañana mas más me mejor menos mi mí mis
        mientras misma mismo mucha muchas mucho muchos mujer mundo murió muy nació nada nadie ni ningún no noche nos
        nosotros nuestra nuestro nueva nuevo nunca o os otra otras otro otros para pasado pero poco por porque primer
        primera puede pues que qué quien quién quiere quiero recuerdo regresa saludó se sea según semana ser será si sí
        siempre sin sobre sois solo sólo somos son soy su sus tal también tan tanto te tengo tener ti tiempo tiene
        tienen toda todas todavía todo todos trabaja trabajo tras tu tus un una unas uno unos usted va vamos van veces
        vende vendió vendrá ver verano vez vida viaje viajó viernes viene visita visitó vive vivo viven voy vuelve y ya
        yo concierto cumpleaños
        fui fuimos fotografía aeropuerto playa alcalde presidente cena partido equipo boda gol enfermo enferma coche
        feliz felices felicidades bienvenido bienvenidos vacaciones vista álbum canción película discurso abre abrió
        cierra cerró viaja canta cantó come bebe compra habla duerme camina corre sale salió salimos conoció conocí
        encontró se casó murieron ganaron perdió pierde mira miren vamos ven venga visitando paseando paseo retrato
        entrevista estreno exposición calle río tarde mediodía semana domingo abrazo besos ministro reunión
    """,
    "it": """
        a ai al alla alle allo anche ancora andiamo bello bene buongiorno c'è che chi ci ciao città come con cosa così
        da dal dalla dei del della delle dello di dopo dov'è dove due e è era essere fa fatto gli grande grazie ha hai
        hanno ho i il in io la le lei lo loro lui ma mai mi mia mio molto nel nella nelle noi non nuovo o oggi ogni ora
        per perché però più poi prima quando quella quello questa questo sei sempre senza si sia sono sta sua sugli sul
        sulla suo sono ti tra tu tutti tutto un una uno va vai vita vive è ieri domani casa giorno
        vive foto lavora abita visita gatto l' d' un' dell' nell' all'
    """,
    "pt": """
        a ao aos à às agora ainda amanhã ano até bem boa bom com como da das de depois do dos e é ela ele eles em era
        essa esse esta está este eu foi fez hoje isso já lhe mais mas me meu minha muito na nas nem no nos nossa nosso
        não num numa o obrigado obrigada onde ontem os ou para pela pelo por porque quando que quem se sem ser seu são
        só sua também te tem teve todos tudo um uma vai você vocês dia noite cidade vida casa nova novo feira
    """,
    "nl": """
        aan al alleen als altijd bij ben dan dat de deze die dit door dus een en er geen goed had heb hebben heeft het
        hier hij hoe huis iets ik in is je jij kan komt maar man meer met mijn moet morgen na naar niet niets nog nu of
        om onder ons ook op over stad te tegen toen tot uit van vandaag veel voor waar wat we weer wel werd wie wij
        wil woont worden wordt ze zei zich zij zijn zo zonder zou jaar gisteren mooie dag bezoekt werkt
        foto
    """,
    "ca": """
        a al als amb això aquest aquesta avui bé bon com d' de del dels des és el ella els en era és fa fins gràcies ha
        han hi i ja jo l' la les li llavors mai més molt ni no nosaltres on per però perquè què quan que quin sense ser
        són sota també tan té tot tots un una va vaig van viu vull dia nit ciutat demà ahir
    """,
    "sv": """
        alla att av blev bra det den denna de där efter en ett från för han har hade hon här i idag igår in inte jag
        kan kommer man med men mig min mot mycket ni nu när och om på sig ska som så till under upp ur var varit vi
        vid är år över din vad bor
    """,
    "pl": """
        a ale był była było być co czy dla do go i ich ja jak jest już ja jego jej kiedy który która mi mnie może na
        nad nie o od on ona oraz po pod przed przez przy się są ta tak tam te tego ten to ty tylko u w we z za że dziś
    """,
    "tr": """
        ama ben bir biz bu bugün çok da daha de değil için ile ise kadar ki mi ne nasıl o olan olarak oldu sen siz
        şu ve var veya ya yok yeni en gibi
    """,
}

FUNCTION_WORDS: dict[str, frozenset[str]] = {code: frozenset(words.split()) for code, words in _LISTS.items()}
