"""Everyday sentences that serve as the background of small stores.

How far a cosine is above chance can only be measured against cosines of texts that do not answer, and a store of three memories has
too few. There, these sentences count as if they were memories that do not answer. Their subjects are ordinary and varied, so
that their cosines with a question show what this embedder gives to unrelated texts. The larger the store, the less they weigh;
from `ENOUGH_ROWS` rows on they are left out.
"""

from __future__ import annotations

ENOUGH_ROWS = 1_000
"""Rows from which on a store needs no other background than its own memories."""

BACKGROUND_SENTENCES: tuple[str, ...] = (
    "The train to the coast leaves from platform four at half past nine.",
    "She boiled the potatoes and cut the parsley while the soup was cooling.",
    "Please send the signed contract back before the end of the month.",
    "The function returns an empty list when the file cannot be opened.",
    "It rained all night, and in the morning the river had risen again.",
    "He has played the violin since he was six years old.",
    "The committee voted against the proposal by seven to five.",
    "Water the tomatoes every evening and tie them to a stick.",
    "My sister moved to another town because of her new job.",
    "The museum is closed on Mondays and on public holidays.",
    "Mix the flour with warm milk, yeast and a pinch of salt.",
    "The price of copper fell by three per cent last week.",
    "They painted the kitchen yellow and the hall a pale green.",
    "A whale can hold its breath for more than an hour.",
    "The second chapter describes how the experiment was set up.",
    "Remember to charge the battery before the long drive.",
    "The team lost the final in the last minute of extra time.",
    "Her grandfather kept bees behind the old school.",
    "The server restarts every night at three o'clock.",
    "I would rather have tea without sugar, thank you.",
    "The treaty was signed in the spring after the war had ended.",
    "Turn left at the church and follow the road uphill.",
    "The doctor told him to rest his knee for two weeks.",
    "Light travels more slowly through glass than through air.",
    "We are thinking of getting a second cat.",
    "The invoice is wrong: it counts the delivery twice.",
    "In the evening they read stories to the children.",
    "The password must have at least twelve characters.",
    "The mountain hut has room for forty guests.",
    "He repaired the bicycle with a piece of wire.",
    "The lecture on medieval law begins at ten.",
    "Someone left an umbrella in the meeting room yesterday.",
)
