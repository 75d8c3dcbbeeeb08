"""A small agent without a language model that remembers over three sessions, through LangGraph's store.

    pip install langgraph ; python examples/agent.py [FOLDER]

Its replies are scripted; what it knows comes from the store: each session is a new process as far as the agent can tell.
"""

from __future__ import annotations

import sys
import tempfile
from typing import TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from ai_memory import Memory
from ai_memory.integrations.langgraph import LangGraphStore

SESSIONS = (
    ["My name is Ada.", "I am allergic to hazelnuts.", "What can I not eat?"],
    ["I moved to Riga.", "Where do I live?"],
    ["Where do I live?", "What can I not eat?"],
)


class Turn(TypedDict):
    said: str
    reply: str


def answer(turn: Turn, runtime: Runtime) -> dict[str, str]:
    """Recall for a question; for anything else, remember it and say so."""
    store, facts = runtime.store, ("users", "ada", "facts")
    if turn["said"].endswith("?"):
        found = store.search(facts, query=turn["said"], limit=1)
        return {"reply": f"You told me: {found[0].value['text']}" if found else "I do not know yet."}
    store.put(facts, turn["said"], {"text": turn["said"]})
    return {"reply": "I will remember that."}


def main(folder: str) -> None:
    """Three sessions, each with a store opened again."""
    for number, session in enumerate(SESSIONS, 1):
        with Memory(data_dir=folder) as memory:
            graph = StateGraph(Turn).add_node("answer", answer).add_edge(START, "answer").add_edge("answer", END)
            agent = graph.compile(store=LangGraphStore(memory))
            print(f"session {number}")
            for said in session:
                print(f"  Ada:   {said}\n  agent: {agent.invoke({'said': said, 'reply': ''})['reply']}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(sys.argv[1] if len(sys.argv) > 1 else temporary)
