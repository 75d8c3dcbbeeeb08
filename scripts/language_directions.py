"""Writes the directions in which the vectors of one model differ by language alone, for `embed.models.languages`.

    scripts/language_directions.py MODEL_FOLDER

The sentences below say the same in each language, so what separates the means of two languages is the language and not the subject.
The file is written next to the module that reads it, under the model's name: float32, shape (k, dimension), orthonormal rows.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ai_memory.embed.base import Embedder
from ai_memory.embed.load import load_embedder
from ai_memory.embed.models.folder import read_model_folder
from ai_memory.embed.models.languages import data_file

SENTENCES: dict[str, tuple[str, ...]] = {
    "en": (
        "The train to the coast leaves from platform four at half past nine.",
        "She boiled the potatoes and cut the parsley while the soup was cooling.",
        "Please send the signed contract back before the end of the month.",
        "The function returns an empty list when the file cannot be opened.",
        "It rained all night, and in the morning the river had risen again.",
        "He has played the violin since he was six years old.",
        "The museum is closed on Mondays and on public holidays.",
        "The server restarts every night at three o'clock.",
    ),
    "ru": (
        "Поезд к морю отходит с четвёртого пути в половине десятого.",
        "Она варила картошку и резала петрушку, пока остывал суп.",
        "Пожалуйста, пришлите подписанный договор до конца месяца.",
        "Функция возвращает пустой список, если файл нельзя открыть.",
        "Всю ночь шёл дождь, и утром река снова поднялась.",
        "Он играет на скрипке с шести лет.",
        "Музей закрыт по понедельникам и в праздничные дни.",
        "Сервер перезапускается каждую ночь в три часа.",
    ),
    "de": (
        "Der Zug an die Küste fährt um halb zehn von Gleis vier.",
        "Sie kochte die Kartoffeln und schnitt die Petersilie, während die Suppe abkühlte.",
        "Bitte schicken Sie den unterschriebenen Vertrag vor Monatsende zurück.",
        "Die Funktion gibt eine leere Liste zurück, wenn die Datei nicht geöffnet werden kann.",
        "Es regnete die ganze Nacht, und am Morgen war der Fluss wieder gestiegen.",
        "Er spielt Geige, seit er sechs Jahre alt ist.",
        "Das Museum ist montags und an Feiertagen geschlossen.",
        "Der Server startet jede Nacht um drei Uhr neu.",
    ),
    "zh": (
        "开往海边的火车九点半从四号站台出发。",
        "汤在放凉的时候，她煮了土豆，切了香菜。",
        "请在月底之前把签好的合同寄回来。",
        "文件打不开时，函数返回一个空列表。",
        "下了一整夜的雨，早上河水又涨了。",
        "他从六岁起就拉小提琴。",
        "博物馆周一和节假日闭馆。",
        "服务器每天夜里三点重新启动。",
    ),
    "es": (
        "El tren a la costa sale del andén cuatro a las nueve y media.",
        "Coció las patatas y cortó el perejil mientras se enfriaba la sopa.",
        "Por favor, devuelva el contrato firmado antes de fin de mes.",
        "La función devuelve una lista vacía cuando no se puede abrir el archivo.",
        "Llovió toda la noche y por la mañana el río había vuelto a crecer.",
        "Toca el violín desde los seis años.",
        "El museo cierra los lunes y los días festivos.",
        "El servidor se reinicia todas las noches a las tres.",
    ),
    "fr": (
        "Le train pour la côte part du quai quatre à neuf heures et demie.",
        "Elle fit cuire les pommes de terre et coupa le persil pendant que la soupe refroidissait.",
        "Veuillez renvoyer le contrat signé avant la fin du mois.",
        "La fonction renvoie une liste vide quand le fichier ne peut pas être ouvert.",
        "Il a plu toute la nuit, et le matin la rivière avait encore monté.",
        "Il joue du violon depuis l'âge de six ans.",
        "Le musée est fermé le lundi et les jours fériés.",
        "Le serveur redémarre chaque nuit à trois heures.",
    ),
    "ja": (
        "海岸行きの列車は九時半に四番線から出ます。",
        "スープが冷める間に、彼女はじゃがいもを茹で、パセリを刻んだ。",
        "署名した契約書を月末までに返送してください。",
        "ファイルが開けないとき、関数は空のリストを返す。",
        "一晩中雨が降り、朝には川がまた増水していた。",
        "彼は六歳からバイオリンを弾いている。",
        "博物館は月曜日と祝日は休館です。",
        "サーバーは毎晩三時に再起動する。",
    ),
}


def directions(embedder: Embedder) -> NDArray[np.float32]:
    """The orthonormal directions in which the languages' means differ: one fewer than there are languages.

    Raises ValueError if the embedder does not match each sentence with its translations, for then it does not know the languages,
    and the directions would mean nothing.
    """
    vectors = {language: embedder.embed_documents(list(each)) for language, each in SENTENCES.items()}
    centred = {language: each - each.mean(axis=0) for language, each in vectors.items()}
    wrong = [
        language
        for language, each in centred.items()
        if (centred["en"] @ each.T).argmax(axis=1).tolist() != list(range(len(each)))
    ]
    if wrong:
        raise ValueError(f"{embedder.identity.model} does not know {', '.join(wrong)}")
    means = np.stack([each.mean(axis=0) for each in vectors.values()]).astype(np.float64)
    _, _, found = np.linalg.svd(means - means.mean(axis=0), full_matrices=False)
    return found[: len(SENTENCES) - 1].astype(np.float32)


def main() -> None:
    """Write the file of the model in the folder that is named on the command line."""
    embedder = load_embedder(read_model_folder(Path(sys.argv[1])), dtype="float32")
    np.save(data_file(embedder.identity.model), directions(embedder))


if __name__ == "__main__":
    main()
