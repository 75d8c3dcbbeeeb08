"""A Haystack pipeline whose documents are in the service: no component that embeds, no key.

pip install haystack-ai ; python examples/haystack_pipeline.py [FOLDER]
"""

from __future__ import annotations

import sys
import tempfile

from haystack import Document, Pipeline
from haystack.components.builders import PromptBuilder
from haystack.components.writers import DocumentWriter

from ai_memory.integrations.haystack import MemoryDocumentStore, MemoryRetriever

PROMPT = "{% for each in documents %}{{ each.content }}\n{% endfor %}Question: {{ question }}"


def main(folder: str) -> None:
    store = MemoryDocumentStore(path=f"{folder}/memory.db", context="recipes")
    writing = Pipeline()
    writing.add_component("writer", DocumentWriter(store))
    recipes = [
        Document(content="Walnut bread with honey", meta={"nuts": True}),
        Document(content="Apple pie with cinnamon", meta={"nuts": False}),
    ]
    print(writing.run({"writer": {"documents": recipes}})["writer"])
    asking = Pipeline()
    asking.add_component("memory", MemoryRetriever(store, top_k=1))
    asking.add_component("prompt", PromptBuilder(PROMPT, required_variables="*"))
    asking.connect("memory.documents", "prompt.documents")
    question = "what to bake with apples?"
    without_nuts = {"field": "meta.nuts", "operator": "==", "value": False}
    given = {"memory": {"query": question, "filters": without_nuts}, "prompt": {"question": question}}
    print(asking.run(given)["prompt"]["prompt"])
    store.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(sys.argv[1] if len(sys.argv) > 1 else temporary)
