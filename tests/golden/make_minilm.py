"""Write minilm.json and minilm.npy: what sentence-transformers itself says of `TEXTS`.

    python tests/golden/make_minilm.py MODEL_FOLDER

Needs the dependency group `reference`. Every text fits into the model's 256 tokens, because sentence-transformers cuts what
does not. The vectors are float32, a row a text.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent

SENTENCE = """
    the river carried small boats past old stone houses while children watched from a wooden bridge and counted each red
    sail until evening brought cold wind over green hills where sailors closed their gates before the long winter night
"""
WORDS = SENTENCE.split()
"""Plain words, one token each, so that a text of n of them has n + 2 tokens."""

LENGTHS = (1, 2, 3, 5, 6, 7, 8, 13, 14, 15, 29, 30, 31, 61, 62, 63, 98, 126, 127, 128, 190, 200, 252, 253, 254)

SENTENCES = [
    "",
    " ",
    "a",
    "Hello, world!",
    "We agreed to ship the release on Thursday, after the database migration has run twice without errors.",
    "My sister is allergic to peanuts but not to almonds.",
    "What is my sister allergic to?",
    "Restart the gateway with `systemctl restart gateway` and watch the log for ten seconds.",
    "def parse_http_request(raw: bytes) -> Request:\n    head, _, body = raw.partition(b'\\r\\n\\r\\n')\n"
    "    return Request(head, body)",
    "ERR_CONNECTION_RESET (0x80072EFF) at src/net/socket.rs:418",
    "SELECT name, count(*) FROM visits WHERE day >= '2024-01-01' GROUP BY name HAVING count(*) > 3;",
    "naïve café façade coöperate Ångström",
    "Die Straßenbahn fährt über die Brücke, weil die Mühle am großen Fluß geschlossen ist.",
    "Le garçon a oublié son parapluie à l'école, et il pleuvait déjà très fort.",
    "Los niños desayunaron churros con chocolate antes de ir al zoológico.",
    "Мы договорились встретиться у фонтана в полдень, но поезд опоздал на сорок минут.",
    "Где хранятся резервные копии и кто за них отвечает?",
    "Їжак з'їв яблуко і заснув під ґанком.",
    "Το πλοίο φεύγει κάθε πρωί από το παλιό λιμάνι.",
    "会议改到星期五下午三点，请带上新的图纸。",
    "昨日の夕方、駅前の本屋で古い地図を買いました。",
    "고양이가 창문 옆에서 하루 종일 잠을 잤다.",
    "اجتمعنا في المكتبة القديمة لنتحدث عن الرحلة القادمة.",
    "הרכבת האחרונה לחיפה יוצאת בשעה אחת עשרה בלילה.",
    "मेरी दादी हर रविवार को बगीचे में गुलाब लगाती हैं।",
    "รถไฟขบวนสุดท้ายออกจากสถานีตอนสี่ทุ่ม",
    "🚀 Launch went fine 🎉, rollback plan unused 👍🏽 👩‍👩‍👧‍👦",
    "tabs\tand\nnew lines\r\nand   many    spaces",
    "zero\u200bwidth and soft\u00adhyphen and e\u0301 combined",
    "[CLS] written out [SEP] and [MASK] too",
    "NUL \x00 inside",
    "1234567890 3.14159 -42 1e-9 50% €19.99 №7",
    "Donaudampfschifffahrtsgesellschaftskapitänsmütze",
    "x" * 150,
    "!!! ??? ... --- ___ ### $$$",
    "THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG",
    "the quick brown fox jumps over the lazy dog",
]

TEXTS = SENTENCES + [" ".join(WORDS[(7 * n + i) % len(WORDS)] for i in range(n)) for n in LENGTHS]


def main(folder: str) -> None:
    import numpy as np
    import sentence_transformers
    import torch
    import transformers

    torch.set_num_threads(1)
    model = sentence_transformers.SentenceTransformer(folder, device="cpu")
    tokens = [len(model.tokenizer(text)["input_ids"]) for text in TEXTS]
    too_long = [text for text, count in zip(TEXTS, tokens, strict=True) if count > model.max_seq_length]
    if too_long:
        raise SystemExit(f"these texts would be cut: {too_long}")
    vectors = np.concatenate([model.encode([text], batch_size=1, convert_to_numpy=True) for text in TEXTS])
    made_by = {
        "sentence_transformers": sentence_transformers.__version__,
        "transformers": transformers.__version__,
        "torch": torch.__version__,
    }
    np.save(HERE / "minilm.npy", vectors.astype(np.float32))
    document = {"made_by": made_by, "tokens": tokens, "texts": TEXTS}
    (HERE / "minilm.json").write_text(json.dumps(document, ensure_ascii=True, indent=1) + "\n", encoding="ascii")
    sys.stdout.write(f"{len(TEXTS)} texts of {min(tokens)} to {max(tokens)} tokens, {made_by}\n")


if __name__ == "__main__":
    main(sys.argv[1])
