"""Function words that say little about what a question is after. They weigh less in a question; nothing is left out.

Written for this project from the closed word classes of each language (articles, pronouns, prepositions, conjunctions,
auxiliaries, question words), in the folded spelling that analysis compares.
"""

from __future__ import annotations


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


ENGLISH = _words(
    """
    a about after again all am an and any are as at be because been before being between both but by can could did do does
    doing down during each few for from further had has have having he her here hers herself him himself his how i if in into
    is it its itself just me more most my myself no nor not of off on once only or other our ours ourselves out over own
    same she should so some such than that the their theirs them themselves then there these they this those through to too
    under until up us very was we were what when where which while who whom whose why will with would you your yours
    yourself yourselves dont doesnt didnt isnt arent wasnt werent cant couldnt wont wouldnt youre were hes shes
    theyre theres whats
    """
)

RUSSIAN = _words(
    """
    а без более больше будет будто бы был была были было быть в вам вас весь во вот все всего всех вы где да даже для до его
    ее если есть еще же за здесь и из или им их к как какая какие какой какого каком кем когда кого ком кому которая которого
    которое которой которые который которых кто куда ли либо между меня мне много может мой моя мы на над надо нам нас наш
    не него нее ней нет ни них но ну о об однако он она они оно от откуда очень перед по под после потом потому почему при
    про с сам свой своих себя сколько со так также такой там тебя тем то того тоже той только том ту ты у уже хотя чего чей
    чем через что чтобы чье чья эта эти этим этих это этого этой этом этот эту я
    """
)

GERMAN = _words(
    """
    aber alle als am an auch auf aus bei bin bis bist da damit dann das dass dein dem den der des dich die dies diese diesem
    diesen dieser dieses dir doch dort du durch ein eine einem einen einer eines er es euch fur gegen habe haben hat hatte
    hatten hier hinter ich ihm ihn ihnen ihr ihre im in ins ist ja jede jeder jedes jetzt kann kein keine konnen man mein
    mich mir mit muss nach nicht nichts noch nur ob oder ohne sehr sein seine sich sie sind so soll uber um und uns unser
    unter vom von vor wann war waren warum was wegen weil welche welchem welchen welcher welches wem wen wenn wer werden wie
    wieder wir wird wo wurde wurden zu zum zur zwischen
    """
)

ALL = ENGLISH | RUSSIAN | GERMAN

_GERMAN_MARKS = _words(
    """
    aber auch auf aus bei beim bin das dass dem den der des dich diese diesem dieser dieses doch durch ein eine einem einen einer
    eines für haben hatte ich ihm ihn ihr ihre im ist jetzt kann kein keine mein mich mir mit muss nach nicht noch nur oder
    ohne sehr sein seine sich sie sind und uns unser unter vom von vor wann warum weil welche welcher welches wem wenn wer
    werden wie wieder wir wird wurde wurden wo zu zum zur zwischen über
    """
)
GERMAN_MARKS = _GERMAN_MARKS | {word.capitalize() for word in _GERMAN_MARKS}
"""Words that mark a text as German, in the two cases they are written in; none is a common English word."""

FIRST_PERSON = _words(
    """
    i me my mine myself we us our ours ourselves
    я меня мне мной мною мой моя мое моё мои моего моей моих моим моими мою мы нас нам нами наш наша наше наши нашего нашей
    наших нашим нашими нашу
    ich mich mir mein meine meinem meinen meiner meines wir uns unser unsere unserem unseren unserer unseres
    yo mí mi mis mío mía nosotros nosotras nuestro nuestra nuestros nuestras
    je j moi mon ma mes nous notre nos
    """
)
"""Words by which speakers refer to themselves, case-folded."""
FIRST_PERSON_WIDE = ("我", "咱")

HAPPENED = _words(
    """
    happen happens happened happening done go goes went gone going occur occurred take takes took place new news event events
    anything everything something things stuff else remember recall memory memories note notes last past during week day month
    year period time ago over
    произошло происходило происходит случилось случалось было делал делала делали делаем сделал сделала сделали нового
    новости события событие помнишь вспомни расскажи
    war passiert passierte geschah geschehen gemacht machte machten getan taten los gab neues ereignisse letzte letzten
    los las el paso ocurrio sucedio hice hizo hicimos hicieron nuevo
    qu'avons-nous qu'ai-je qu'avez-vous s'est-il ces les la le l passe fait faisait faisions nouveau avons avez
    ont ai est ce que qu quoi nous vous je s il
    """
)
"""Words that ask what happened and not what it was about: English, Russian, German, Spanish, French."""
