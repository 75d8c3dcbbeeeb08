"""Words around a name that show what it means, in English and Russian: closed classes and common nouns of general language."""

from __future__ import annotations


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


TITLES = _set(
    """
    herr frau monsieur madame señor señora
    dr mr mrs ms miss prof professor sir madam uncle aunt auntie granny grandpa grandma cousin brother sister friend
    colleague wife husband son daughter nephew niece boss coach nurse doctor teacher господин госпожа доктор
    профессор дядя дяди дяде тетя тети тете тетю дед бабушка брат брата сестра сестры друг подруга коллега муж жена
    сын дочь товарищ инженер менеджер директор
    """
)
"""Words that precede a person's name and are not part of it."""

PERSON_BEFORE = _set(
    """
    ask asked tell told call called remind thank email ping meet met invite спроси спросить у напомни позвони скажи
    """
)
PERSON_AFTER = _set(
    """
    never always often usually still also
    said says asked asks told tells wrote writes called calls thinks thought wants wanted likes liked loves hates
    prefers preferred knows knew works worked lives lived joined left moved reports reported owns maintains leads
    uses used needs needed sent sends came comes went goes has had got gets took takes gave gives made makes found
    fixed decided agreed forgot keeps kept starts started turns turned broke lost bought brought married met saw
    helped suggested proposed noticed approved reviewed merged deployed restarted complained replied answered will
    would can could should won't doesn't didn't and
    """
)
"""After a word that may be a name and begins the sentence, these make it a person; *is* does not (Hope is no plan)."""

PLACE_BEFORE = _set(
    """
    in near from to via through across outside visit visited в во из под около возле через над
    """
)
PLACE_WORDS_FIRST = _set(
    """
    lake mount mt river cape port san santa los las saint fort озеро река гора улица ул проспект площадь город г
    село деревня
    """
)
PLACE_WORDS_LAST = _set(
    """
    street st avenue ave road rd square lane boulevard drive park bridge lake river bay island islands airport
    station beach valley mountains canyon museum gallery castle palace cathedral church tower hill harbour harbor
    forest
    """
)

ORGANISATION_BEFORE = _set(
    """
    at joined joins company firm employer startup vendor supplier agency bank customer client clinic airline insurer
    компания компании компанию компанией фирма фирме банк банка банке завод газета газете журнал ооо оао зао пао ао
    ип стартап магазин корпорация университет
    """
)
ORGANISATION_WORDS = _set(
    """
    inc corp corporation ltd llc plc gmbh ag company co group holding holdings university institute college school
    academy hospital clinic bank foundation association organization organisation society union ministry department
    agency council committee press bugle times post labs studio studios industries enterprises technologies partners
    consulting airlines insurance cross банк университет институт школа академия больница министерство фонд
    """
)

PRODUCT_BEFORE = _set(
    """
    project using install installed upgrade upgraded deploy deployed migrate library framework tool app platform
    service plugin package editor проект проекта проекте проекту библиотека фреймворк сервис приложение редактор
    """
)
PRODUCT_AFTER = _set(
    """
    migration api sdk cli service services gateway server servers client cluster release upgrade plugin module
    dashboard pipeline queue repo repository index database app roadmap codebase backend frontend schema deployment
    callback extension link integration component components code script scripts package packages library
    """
)
TECHNICAL_LAST = _set(
    """
    api client server service cli sdk worker gateway db proxy ui web lib core app bot agent daemon operator plugin
    backend frontend scheduler exporter importer indexer parser runner sync auth cache queue router store engine
    tools utils infra ops
    """
)
"""Last parts of lower-case names with hyphens that name a program: *billing-api*."""

DEVICES = _set(
    """
    iphone ipad macbook imac pixel galaxy kindle thinkpad xbox playstation airpods ipod model surface chromebook
    """
)
"""Products whose number belongs to their name; general brand names of devices, not found in the software lists."""

CONNECTORS = _set(
    """
    of van von der den de da di du del della la le el al bin ibn ben the &
    """
)
"""Lower-case words that may be inside a name of several words."""

NEVER = _set(
    """
    i i'm i'll i've i'd monday tuesday wednesday thursday friday saturday sunday january february march april june
    july august september october november december english german french spanish italian russian chinese japanese
    portuguese dutch american british european mr mrs ms dr api cli ui ux url http https sql json yaml html css csv
    pdf cpu gpu ram ssd vpn dns tcp udp ip ssh ssl tls ci cd pr qa hr it id os pc tv ok someone somebody everyone
    everybody nobody anyone anybody nothing everything something day new user users customer client admin mom mum
    mother dad father grandma grandpa granny мама папа бабушка дедушка пользователь клиент todo faq fyi eta asap ceo
    cto cfo vp ai ml llm sdk ide utc gmt am pm nda sla rfc adr wi-fi usb pin sim atm gps
    """
)
"""Capitalised words and abbreviations that are not names of these kinds."""

PATRONYMIC = (
    "ович",
    "евич",
    "ьич",
    "овна",
    "евна",
    "ична",
    "овича",
    "евича",
    "овны",
    "евны",
    "овне",
    "евне",
    "овичу",
    "евичу",
    "овной",
    "евной",
    "овичем",
    "евичем",
)
"""Endings of Russian patronymics, cases included."""
SURNAME = (
    "ов",
    "ев",
    "ёв",
    "ин",
    "ын",
    "вич",
    "ова",
    "ева",
    "ёва",
    "ина",
    "ский",
    "цкий",
    "ская",
    "цкая",
    "ко",
    "ук",
    "юк",
    "ян",
    "дзе",
    "швили",
)
"""Endings of Russian family names, nominative."""

BEGINNERS = _set(
    """
    maybe perhaps whether although though however because while whenever wherever unless until since despite besides
    otherwise meanwhile instead also even still just only always never often sometimes usually already yet once
    again then later soon today yesterday tomorrow может возможно если когда пока хотя однако поэтому потом затем
    также даже уже ещё вдруг или либо чтобы
    """
)
"""Words that begin sentences, before a name or not, and are not names."""
DEPARTMENTS = _set(
    """
    marketing legal finance support sales engineering management accounting design security operations headquarters
    procurement payroll
    """
)
"""Words that do what people do (the team said) and are not names of people."""
SPEAKING = _set(
    """
    wrote said says asked told thinks thought agreed decided prefers hates likes joined married knows knew suggested
    proposed complained forgot called
    """
)
"""What people do: an unknown name before one of these is a person's."""
PRODUCT_OF = _set(
    """
    kick-off kickoff launch release roadmap design rollout migration upgrade adoption owner maintainer docs
    documentation readme релиз запуск внедрение версия
    """
)
"""With *for* or *of*, these come before a product."""
DEALINGS = _set(
    """
    contract invoice deal partnership account insurance order delivery offer quote payment agreement subscription
    refund shares stock parcel job interview договор счет заказ посылка контракт сделка письмо акции собеседование
    """
)
"""With *with*, *from* or *for*, these come before an organisation."""
IMPERATIVES = _set(
    """
    see use check read send write add buy bring take get make keep open close upgrade install deploy move follow
    review fix run set start stop try book rent visit note todo please today old new our my your his her their both
    all some many most happy dear hello hi thanks order pay renamed moved compiled called told asked met tickets
    training meeting decision lunch dinner срочно заказал решили
    """
)
"""Begin notes and orders: Ask Anna, Renamed X, Lunch with Y."""
CODE_NOUNS = _set(
    """
    class function method type module variable flag option класс функция метод тип
    """
)
"""Before a name in camel case, these make it an identifier."""
