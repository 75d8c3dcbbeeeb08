"""sentence-transformers' vectors of token ids, in float32: `reference_vectors.py FOLDER IDS.json OUT.npy`.

Each input runs alone, through the model's modules, so that any length can be tested, whether a text has it or not.
"""

import json
import os
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import sentence_transformers
import torch


def main(folder: str, ids: Path, out: Path) -> None:
    """Write the vectors: shape (inputs, 768), float32."""
    model = sentence_transformers.SentenceTransformer(folder, device="cpu", model_kwargs={"dtype": torch.float32})
    model.eval()
    vectors = []
    with torch.inference_mode():
        for each in json.loads(ids.read_text(encoding="utf-8")):
            tokens = torch.tensor([each])
            found = model({"input_ids": tokens, "attention_mask": torch.ones_like(tokens)})
            vectors.append(found["sentence_embedding"][0].numpy())
    np.save(out, np.array(vectors, np.float32))


main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
